"""Rendering, for whatever a valid request may hold."""

import email
import email.policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import messages, validation
from sandbox.ledger import Recipient, StoredMessage, StoredRequest

pytestmark = pytest.mark.integration

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200)
BODY = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]) | st.just("\n"), min_size=1, max_size=400)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"], exclude_characters=";,"), max_size=60
)


def rendered(mail: dict[str, Any]) -> Any:
    assert validation.check(mail, now=0) == []
    request = StoredRequest(id=1, message_id="id", accepted_at=0, mail=mail)
    stored = StoredMessage(id=1, request=request, recipient=Recipient(position=0, address="reader@example.org"))
    return email.message_from_bytes(messages.eml(stored), policy=email.policy.default)


def mail_of(**changes: Any) -> dict[str, Any]:
    return {
        "from": {"email": "news@example.org"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": "Hi"}],
        "personalizations": [{"to": [{"email": "reader@example.org"}]}],
        **changes,
    }


@given(BODY, BODY)
def test_both_parts_arrive_as_they_were_written(plain: str, markup: str) -> None:
    parts = [{"type": "text/plain", "value": plain}, {"type": "text/html", "value": markup}]
    message = rendered(mail_of(content=parts))
    for part, sent in zip(message.iter_parts(), (plain, markup), strict=True):
        raw = part.get_payload(decode=True).decode()
        lines = sent.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
        assert raw.split("\r\n") == [*lines, ""]


@given(TEXT)
def test_any_subject_arrives(subject: str) -> None:
    message = rendered(mail_of(subject=subject))
    assert not message.defects
    assert "".join(str(message["Subject"]).split()) == "".join(subject.split())


@given(NAMES)
def test_any_name_arrives(name: str) -> None:
    message = rendered(mail_of(personalizations=[{"to": [{"email": "reader@example.org", "name": name}]}]))
    assert message["To"].addresses[0].addr_spec == "reader@example.org"
    assert message["To"].addresses[0].display_name == name


def test_longer_tags_are_replaced_before_their_beginnings() -> None:
    assert messages.substitute("%name% %name%s", {"%name%": "A", "%name%s": "B"}) == "A B"


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ({"List-Unsubscribe": "<https://x.example/u>"}, None),
        ({"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}, None),
        (
            {
                "list-unsubscribe": "<mailto:a@x.example>, <https://x.example/u>",
                "LIST-UNSUBSCRIBE-POST": "List-Unsubscribe=One-Click",
            },
            "https://x.example/u",
        ),
    ],
)
def test_one_click_needs_both_headers(headers: dict[str, str], url: str | None) -> None:
    assert messages.received(mail_of(headers=headers), 0).unsubscribe_url == url


def test_own_headers_win_whatever_their_case() -> None:
    mail = mail_of(headers={"X-Kind": "all", "X-Other": "all"})
    mail["personalizations"][0]["headers"] = {"x-kind": "own"}
    assert dict(messages.received(mail, 0).headers) == {"X-Other": "all", "x-kind": "own"}
