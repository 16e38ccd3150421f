"""Storing a letter with all it needs, and reading it back as what a transport takes."""

from collections.abc import Mapping

from composer.models import Edition, Publication
from tasks import queue
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
    """Store one letter in the caller's transaction and ring for it once that is durable.

    `kind`: one of Letter.Kind. Categories and tracking of the message are not kept: a letter has its own.
    """
    letter = TransactionalMail.objects.create(
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
    queue.on_commit(queue.enqueue_mail, letter.pk)
    return letter


def message_of(letter: TransactionalMail) -> Message:
    """Nothing in it names a send, so that no event of a letter is counted for one; and it is never tracked."""
    return Message(
        from_email=letter.from_email,
        from_name=letter.from_name,
        reply_to=letter.reply_to,
        subject=letter.subject,
        html=letter.html,
        text=letter.text,
        headers=letter.headers,
        categories=(f"newsdesk-{letter.kind}",),
    )


def recipient_of(letter: TransactionalMail) -> Recipient:
    return Recipient(
        email=letter.to_email,
        name=letter.to_name,
        delivery="",
        substitutions=letter.substitutions,
        unsubscribe_url=letter.unsubscribe_url,
    )
