"""Storing a transactional mail with all it needs, and reading it back as what a transport takes."""

from collections.abc import Mapping

from composer.models import Edition, Publication
from tasks import queue
from tasks.database import high_water
from tasks.messages import Message, Recipient
from tasks.models import TransactionalMail


def write_mail(
    *,
    kind: str,
    to_email: str,
    to_name: str = "",
    publication: Publication | None = None,
    edition: Edition | None = None,
    message: Message,
    substitutions: Mapping[str, str] | None = None,
    unsubscribe_url: str = "",
    asked_by: str = "",
) -> TransactionalMail:
    """Store one mail in the caller's transaction, and enqueue it once that is durable.

    `kind`: one of TransactionalMail.Kind, else ValueError. Categories and tracking of the message are not stored: a mail
    has its own.
    """
    mail = TransactionalMail.objects.create(
        kind=TransactionalMail.Kind(kind),
        publication=publication,
        edition=edition,
        to_email=to_email,
        to_name=to_name[:200],
        from_email=message.from_email,
        from_name=message.from_name,
        reply_to=message.reply_to,
        subject=message.subject[:500],
        html=message.html,
        text=message.text,
        headers=dict(message.headers),
        substitutions=dict(substitutions or {}),
        unsubscribe_url=unsubscribe_url,
        asked_by=asked_by[:200],
    )
    queue.on_commit(queue.enqueue_mail, mail.pk)
    return mail


def message_of(mail: TransactionalMail) -> Message:
    """Nothing in it names a send, so that no event of a mail is counted for one; and it is never tracked."""
    return Message(
        from_email=mail.from_email,
        from_name=mail.from_name,
        reply_to=mail.reply_to,
        subject=mail.subject,
        html=mail.html,
        text=mail.text,
        headers=mail.headers,
        categories=(f"newsdesk-{mail.kind}",),
        installation=high_water.installation(),
    )


def recipient_of(mail: TransactionalMail) -> Recipient:
    """The mail's one recipient; no delivery is named, since it belongs to no send."""
    return Recipient(
        email=mail.to_email,
        name=mail.to_name,
        delivery="",
        substitutions=mail.substitutions,
        unsubscribe_url=mail.unsubscribe_url,
    )
