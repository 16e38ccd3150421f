"""A request of our own to compare an attempt's silence with, when no later one is due: one mail to the reply-to."""

from uuid import UUID, uuid4

import structlog
from django.db import connection
from django.utils.html import escape

from tasks.attempts.proof import prove_accepted
from tasks.database.durability import durable, persistently
from tasks.messages import Message, Recipient
from tasks.models import Attempt, Batch, evidence
from tasks.providers.base import Accepted, Outcome, Transport
from tasks.providers.registry import title_of
from tasks.submission.messages import message_of

log = structlog.get_logger(__name__)

CATEGORY = "newsdesk-probe"
_TEXT = (
    "Newsdesk sent this message to itself.\n\n"
    "{provider}'s answer to a request of this newsletter was lost. Newsdesk compares that request with this one before it "
    "decides whether to send it again. There is nothing for you to do.\n"
)
#: A later request is due while any running send has a batch that is going out.
_DUE_OR_RECENT = """
SELECT EXISTS (SELECT 1 FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id
                WHERE s.status = 'sending' AND b.status IN ('pending', 'building', 'submitting'))
    OR EXISTS (SELECT 1 FROM tasks_attempt WHERE transport = %s AND batch_id IS NULL
                AND fenced_at > statement_timestamp() - make_interval(secs => %s))
"""


def probe(batch_id: int, *, transport: Transport, every: float) -> bool:
    """Send one probe for a doubtful batch unless a later request is due or a probe is younger than `every` seconds.

    Whether one was sent (docs/adr/0007).
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE_OR_RECENT, [transport.name, every])
        (is_needless,) = cursor.fetchone()
    if is_needless:
        return False
    batch = Batch.objects.select_related("variant__approval__edition__publication").get(pk=batch_id)
    message = _probe_message(message_of(batch.variant, send_id=batch.send_id), title_of(transport.name))
    attempt = uuid4()
    recipient = Recipient(email=address_of(message), name="", delivery="", substitutions={})
    body = transport.encode(message, [recipient], attempt=attempt)
    with durable():
        Attempt.objects.create(
            id=attempt,
            batch=None,
            number=0,
            size=1,
            transport=transport.name,
            # Whom it is to follows from that batch.
            evidence=[{"kind": "probe", "for_batch": batch_id}],
        )
    outcome = transport.post(body)
    log.info("probe", attempt=str(attempt), outcome=type(outcome).__name__.lower())
    persistently(lambda: _record(attempt, outcome))
    return True


def address_of(message: Message) -> str:
    """Whom a probe for a batch with this message goes to."""
    return message.reply_to or message.from_email


def _probe_message(batch_message: Message, provider: str) -> Message:
    text = _TEXT.format(provider=provider)
    return Message(
        from_email=batch_message.from_email,
        from_name=batch_message.from_name,
        reply_to=batch_message.reply_to,
        subject="Newsdesk checks that mail still goes out",
        html=f'<!DOCTYPE html><html lang="en"><body><p>{escape(text)}</p></body></html>',
        text=text,
        categories=(CATEGORY,),
    )


def _record(attempt: UUID, outcome: Outcome) -> None:
    fact = {"kind": "answer", "said": getattr(outcome, "message", "") or "accepted"}
    with durable():
        row = Attempt.objects.get(pk=attempt)
        if isinstance(outcome, Accepted):
            # By its id the provider's own record can be asked for it.
            prove_accepted({row.pk: None}, by={**fact, "provider_id": outcome.provider_id[:200]})
            return
        Attempt.objects.filter(pk=row.pk, outcome=Attempt.Outcome.OPEN).update(
            outcome=Attempt.Outcome.REFUSED, evidence=evidence.with_fact(fact)
        )
