"""What every transport must do. A new one adds itself to the fixture `way` (docs/how-to/add-a-provider.md)."""

import re
import time
from collections.abc import Collection
from email.message import EmailMessage
from typing import Any

import pytest

from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused, Unknown
from tests.tasks.providers.conftest import Way
from tests.tasks.providers.messages import encode, make_recipient, make_recipients

pytestmark = pytest.mark.integration

NAMES = [
    "Ann Lee",
    'Ann "The Pen" Lee\\',
    "Søren Kierkegaard",
    "林黛玉 🎈",
    "O'Hara; Smith, John <j@x.org>",
    "=?utf-8?q?looks_encoded?=",
    "Ж" * 120,
    "",
]


def post(way: Way, recipients: list[Any], **fields: Any) -> Outcome:
    return way.transport.post(encode(way.transport, recipients, **fields))


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def at_fault(outcome: Outcome) -> Collection[int]:
    if isinstance(outcome, Partial):
        return outcome.refused.keys()
    return outcome.recipients_at_fault.keys() if isinstance(outcome, Refused) else ()


def test_its_name_tells_the_kind_and_fits_the_record(way: Way) -> None:
    kind, _, fingerprint = way.transport.name.partition(":")
    assert kind in {"sendgrid", "smtp", "file"}
    assert len(fingerprint) == 16
    assert isinstance(way.transport.reports, bool)


def test_a_thousand_recipients_each_get_a_message_of_their_own(way: Way) -> None:
    outcome = post(way, make_recipients(1000))

    assert isinstance(outcome, Accepted)
    raw = way.raw()
    assert len(raw) == 1000
    assert {address for one in raw for address in re.findall(rb"^To: .*?([^ <]+@[^ >\r]+)", one, re.MULTILINE)} == {
        f"reader{number}@example.com".encode() for number in range(1, 1001)
    }


def test_text_html_subject_and_headers_arrive_as_they_were(way: Way) -> None:
    post(
        way,
        [make_recipient(1, name="Ann")],
        subject="水利 week, with a very long subject 🎈 that must be folded somewhere",
    )

    (message,) = way.received()
    assert message["Subject"] == "水利 week, with a very long subject 🎈 that must be folded somewhere"
    assert str(message["From"]) == "The Weekly <news@example.com>"
    assert message["Reply-To"].addresses[0].addr_spec == "editors@example.com"
    assert message["List-Id"] == "<weekly.example.com>"
    assert "Dear Ann, 水 and 🎈" in text_of(message, "html")
    assert "\n.\nFrom here\n" in text_of(message, "html")
    assert text_of(message, "plain").startswith("Dear Ann\n\n.\n..two dots\nUnsubscribe: https://news.example.com/u/tt")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_shown_and_starts_no_header(way: Way, name: str) -> None:
    post(way, [make_recipient(1, name=name)])

    (message,) = way.received()
    address = message["To"].addresses[0]
    assert address.addr_spec == "reader1@example.com"
    shown = address.display_name
    if way.transport.name.startswith("sendgrid"):
        if "=?" in name:
            pytest.skip("it goes out as JSON: how it is encoded for mail is the vendor's")
        # The vendor takes no semicolon or comma in a name.
        name = name.replace(";", " ").replace(",", " ")
    # Python's parser keeps the white space between encoded words, which RFC 2047 §6.2 ignores.
    assert shown.replace(" ", "") == name.replace(" ", "")


@pytest.mark.parametrize(
    "name", ["Ann\r\nBcc: all@example.com", "Ann\nX-Evil: 1", "Ann\r\n\r\nbody", "Ann\r\n.\r\nMAIL"]
)
def test_a_value_with_line_breaks_starts_no_header_and_ends_no_message(way: Way, name: str) -> None:
    outcome = post(way, [make_recipient(1, name=name), make_recipient(2)])

    assert isinstance(outcome, Accepted)
    received = way.received()
    assert len(received) == 2
    for message in received:
        assert message["Bcc"] is None
        assert message["X-Evil"] is None
        assert message.get_content_type() == "multipart/alternative"
        assert "Unsubscribe" in text_of(message, "plain")


def test_each_message_can_be_unsubscribed_from_with_one_click(way: Way) -> None:
    post(way, [make_recipient(1), make_recipient(2, unsubscribe_url=f"https://news.example.com/u/{'x' * 300}")])

    urls = {message["To"].addresses[0].addr_spec: message["List-Unsubscribe"] for message in way.received()}
    assert urls == {
        "reader1@example.com": f"<https://news.example.com/u/{'t' * 60}1>",
        "reader2@example.com": f"<https://news.example.com/u/{'x' * 300}>",
    }
    assert all(message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" for message in way.received())
    for raw in way.raw():
        (line,) = [line for line in raw.splitlines() if line.lower().startswith(b"list-unsubscribe:")]
        assert line.endswith(b">"), "folded: some mail clients read the first line only"


@pytest.mark.parametrize(
    "address", ["no-at-sign", "a b@example.com", "x@example.com>\r\nRCPT TO:<all@example.com", "@"]
)
def test_an_address_that_is_none_is_named_and_harms_nobody_else(way: Way, address: str) -> None:
    outcome = post(way, [make_recipient(1), make_recipient(2, email=address), make_recipient(3)])

    assert list(at_fault(outcome)) == [1]
    arrived = {message["To"].addresses[0].addr_spec for message in way.received()}
    if isinstance(outcome, Partial):
        assert outcome.accepted == {0, 2}
        assert arrived == {"reader1@example.com", "reader3@example.com"}
    else:
        assert arrived == set()


def test_a_message_without_a_delivery_is_sent_without_an_unsubscribe_link(way: Way) -> None:
    probe = make_recipient(1, delivery="", name="", substitutions={}, unsubscribe_url="")

    assert isinstance(post(way, [probe], html="<p>probe</p>", text="probe"), Accepted)
    (message,) = way.received()
    assert message["List-Unsubscribe"] is None
    assert message["Message-ID"] is None or "<." not in message["Message-ID"]


def test_with_nobody_at_the_other_end_nothing_was_sent(way: Way) -> None:
    outcome = way.broken.post(encode(way.broken, make_recipients(3)))

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_SENT
    assert outcome.message


def test_whoever_takes_it_and_never_answers_leaves_a_doubt_within_the_deadline(way: Way) -> None:
    if way.silent is None:
        pytest.skip("there is nobody to wait for")
    began = time.monotonic()
    outcome = way.silent.post(encode(way.silent, make_recipients(1)))

    assert isinstance(outcome, Unknown)
    assert 0.5 < time.monotonic() - began < 3


def test_it_goes_on_after_a_break(way: Way) -> None:
    assert isinstance(post(way, make_recipients(2)), Accepted)
    assert isinstance(post(way, [make_recipient(3)]), Accepted)
    assert len(way.received()) == 3
