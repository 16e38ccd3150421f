"""Mails about accounts (a reset password, an invitation) leave as all mails do: written down here, sent by a worker."""

from collections.abc import Sequence
from email.utils import formataddr, parseaddr
from html import escape

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from composer.models import Publication
from newsdesk.core.errors import RefusedError
from tasks.messages import Message
from tasks.models import TransactionalMail
from tasks.transactional.writing import write_mail


class NoSenderError(RefusedError):
    """Nobody is named whom a mail could come from."""


def sender() -> str:
    """Whom mails about accounts come from, as `Name <address>`: NEWSDESK_MAIL_FROM, else the first publication's sender.

    Raises NoSenderError while there is neither.
    """
    if settings.LOGIN.mail_from:
        return str(settings.LOGIN.mail_from)
    publication = Publication.objects.exclude(from_email="").order_by("pk").first()
    if publication is None:
        raise NoSenderError("No mail can be sent yet: no publication has a sender, and NEWSDESK_MAIL_FROM is not set.")
    return formataddr((publication.from_name, publication.from_email))


def can_send() -> bool:
    """Whether there is anybody whom a mail could come from."""
    try:
        sender()
    except NoSenderError:
        return False
    return True


class EmailBackend(BaseEmailBackend):
    """Django's way to send a mail: it is written down, one for each recipient."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Returns how many of the messages were written down: all."""
        for message in email_messages:
            for address in message.to:
                _write(message, address)
        return len(email_messages)


def _write(message: EmailMessage, address: str) -> None:
    from_name, from_email = parseaddr(message.from_email)
    text = str(message.body)
    write_mail(
        kind=TransactionalMail.Kind.ACCOUNT,
        to_email=address,
        message=Message(
            from_email=from_email,
            from_name=from_name,
            reply_to="",
            subject=str(message.subject),
            html=_as_html(text),
            text=text,
            headers={"Auto-Submitted": "auto-generated"},
        ),
    )


def _as_html(text: str) -> str:
    """Paragraphs; a line that is an address becomes a link."""
    paragraphs = []
    for paragraph in text.strip().split("\n\n"):
        shown = escape(paragraph.strip()).replace("\n", "<br>")
        if paragraph.strip().startswith(("http://", "https://")) and not any(map(str.isspace, paragraph.strip())):
            shown = f'<a href="{shown}">{shown}</a>'
        paragraphs.append(f"<p>{shown}</p>")
    return f"<!DOCTYPE html><html><head><meta charset=utf-8></head><body>{''.join(paragraphs)}</body></html>"
