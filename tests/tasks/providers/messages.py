"""Messages and recipients for the transports' tests."""

from typing import Any
from uuid import UUID, uuid4

from tasks.messages import Message, Recipient

HTML = (
    '<!DOCTYPE html><html lang="en"><body><p>Dear -ndNameHtml-, 水 and 🎈</p>\n.\nFrom here\n'
    '<a clicktracking=off href="-ndUnsubscribeUrl-">Unsubscribe</a></body></html>'
)
TEXT = "Dear -ndName-\n\n.\n..two dots\nUnsubscribe: -ndUnsubscribeUrl-\n"


def make_message(**fields: Any) -> Message:
    defaults: dict[str, Any] = {
        "from_email": "news@example.com",
        "from_name": "The Weekly",
        "reply_to": "editors@example.com",
        "subject": "The week in rivers",
        "html": HTML,
        "text": TEXT,
        "headers": {"List-Id": "<weekly.example.com>"},
        "categories": ("weekly",),
    }
    return Message(**{**defaults, **fields})


def make_recipient(number: int = 1, **fields: Any) -> Recipient:
    url = fields.pop("unsubscribe_url", f"https://news.example.com/u/{'t' * 60}{number}")
    name = fields.get("name", f"Reader {number}")
    defaults: dict[str, Any] = {
        "email": f"reader{number}@example.com",
        "name": name,
        "delivery": f"7.{number}",
        "substitutions": {"-ndName-": name, "-ndNameHtml-": name, "-ndUnsubscribeUrl-": url},
        "unsubscribe_url": url,
    }
    return Recipient(**{**defaults, **fields})


def make_recipients(number: int) -> list[Recipient]:
    return [make_recipient(at) for at in range(1, number + 1)]


def encode(transport: Any, recipients: list[Recipient], *, attempt: UUID | None = None, **fields: Any) -> Any:
    return transport.encode(make_message(**fields), recipients, attempt=attempt or uuid4())
