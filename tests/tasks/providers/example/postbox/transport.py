"""Handing a request over, and saying what became of it."""

import json
from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from tasks.messages import Message, Recipient
from tasks.providers.base import Accepted, Outcome, Reason, Refused


class PostboxTransport:
    """`sent` stands for the provider's machine: everything it has accepted."""

    name = "postbox:example"
    reports = True
    sent: ClassVar[list[dict[str, str]]] = []

    def encode(self, message: Message, recipients: Sequence[Recipient], *, attempt: UUID) -> bytes:
        return json.dumps(
            [
                {"to": one.email, "subject": message.subject, "delivery": one.delivery, "attempt": str(attempt)}
                for one in recipients
            ]
        ).encode()

    def post(self, body: bytes) -> Outcome:
        mails = json.loads(body)
        unknown = {position: "no such box" for position, mail in enumerate(mails) if "nobody@" in mail["to"]}
        if unknown:
            return Refused(reason=Reason.BAD_REQUEST, message="no such box", recipients_at_fault=unknown)
        self.sent.extend(mails)
        return Accepted(http_status=None, provider_id="box 1")
