"""What is posted about an alarm: a JSON object that generic incoming webhooks of chat systems take too, by its `text`.

The shape is documented in docs/reference/events.md, "Alarms as JSON"; fields are added, never taken away.
"""

import hashlib
import hmac
import json
import re
from typing import Any, Literal
from uuid import UUID, uuid4, uuid5

from django.conf import settings

from tasks.alarms.mails import advice_of, desk_url, edition_of, headline_of, publication_of
from tasks.database import high_water
from tasks.models import Alarm

Event = Literal["raised", "cleared"]

SIGNATURE_HEADER = "X-Newsdesk-Signature"
#: These words call everybody in a channel (Mattermost); messages repeat what providers and mail servers say.
_CALLS = re.compile(r"@(?=(?:all|channel|here|everyone)\b)", re.IGNORECASE)


def of_alarm(alarm: Alarm, event: Event) -> dict[str, Any]:
    """What is posted about its raising or its clearing: the same, however often it is asked. Raises the database's errors."""
    edition, publication = edition_of(alarm), publication_of(alarm)
    installation = high_water.installation()
    headline = headline_of(alarm)
    said = f"cleared: {headline}" if event == "cleared" else headline
    return {
        # A restored database gives numbers away again, but no number at the same microsecond.
        "id": str(uuid5(UUID(installation), f"alarm {alarm.pk} {alarm.raised_at.isoformat()} {event}")),
        "event": event,
        "text": text_line(f"Newsdesk: {said}. {alarm.message} {desk_url()}"),
        "code": alarm.code,
        "title": headline,
        "message": alarm.message,
        "advice": advice_of(alarm),
        "alarm_id": alarm.pk,
        "send_id": alarm.send_id,
        "publication_id": publication.pk if publication else None,
        "edition_id": edition.pk if edition else None,
        "raised_at": alarm.raised_at.isoformat(),
        "cleared_at": alarm.cleared_at.isoformat() if event == "cleared" and alarm.cleared_at else None,
        "url": desk_url(),
        "installation": installation,
    }


def of_test() -> dict[str, Any]:
    """What is posted to try the address. Raises the database's errors."""
    title = "this is a test of where alarms are posted"
    return {
        "id": str(uuid4()),
        "event": "test",
        "text": text_line(f"Newsdesk: {title}. {desk_url()}"),
        "title": title,
        "url": desk_url(),
        "installation": high_water.installation(),
    }


def text_line(text: str) -> str:
    """One line that calls nobody and links nowhere by itself, escaped as Slack's documentation asks for ("Escaping text")."""
    line = _CALLS.sub("@\u200b", " ".join(text.split()))
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def encoded(body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """The bytes of a POST and its headers; with NEWSDESK_ALARM_SECRET also their signature."""
    data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    headers = {"Content-Type": "application/json", "User-Agent": "Newsdesk"}
    if settings.ALARM_SECRET:
        digest = hmac.new(settings.ALARM_SECRET.encode(), data, hashlib.sha256).hexdigest()
        headers[SIGNATURE_HEADER] = f"sha256={digest}"
    return data, headers
