import datetime as dt
import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from composer.header_text import encoded
from composer.rendering import eml, render
from tests.composer.editions import PUBLICATION, every_block, make_edition

DATE = dt.datetime(2025, 10, 14, 7, 30, tzinfo=dt.UTC)


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_it_is_a_message_any_client_opens() -> None:
    rendering = render(every_block())
    raw = eml(rendering, PUBLICATION, to_name="Zoë", date=DATE)
    message = parsed(raw)

    assert message.defects == []
    assert message["Subject"] == "Trams at night, Zoë"
    assert message["From"] == "The Harbour Letter <letter@harbour.example.com>"
    assert message["Date"] == "Tue, 14 Oct 2025 07:30:00 +0000"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [part["Content-Transfer-Encoding"] for part in message.iter_parts()] == ["quoted-printable"] * 2
    assert "Good morning Zoë." in message.get_body(("plain",)).get_content()
    assert "https://example.com/u/sample" in message.get_body(("html",)).get_content()
    assert "-nd" not in message.get_body(("plain",)).get_content()


def test_its_lines_are_short_and_end_in_crlf() -> None:
    raw = eml(render(every_block()), PUBLICATION)

    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78


def test_the_unsubscribe_header_is_not_folded() -> None:
    url = "https://example.com/u/" + "token" * 40
    raw = eml(render(make_edition()), PUBLICATION, unsubscribe_url=url)

    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


def test_a_line_break_in_an_address_is_refused() -> None:
    publication = replace(PUBLICATION, from_email="a@example.com\r\nBcc: all@example.com")

    with pytest.raises(ValueError, match="line break"):
        eml(render(make_edition()), publication)


@settings(max_examples=150)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), min_size=1, max_size=120))
@example("=?utf-8?q?abc?=")
@example("Hi =?utf-8?q?a=20b?= there")
@example("x" * 250)
@example("x" * 66 + " " + "y" * 80)
def test_any_subject_arrives_as_it_was_written(subject: str) -> None:
    lines = f"Subject: {encoded('Subject', subject)}".split("\r\n")
    assert lines[0] != "Subject: "
    assert max(map(len, lines)) <= 76
    raw = f"Subject: {encoded('Subject', subject)}\r\n\r\n".encode("ascii")

    assert parsed(raw)["Subject"] == subject
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
