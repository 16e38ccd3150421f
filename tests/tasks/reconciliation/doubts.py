"""Requests in doubt, requests after them, and passes of reconciliation that ask the provider's activity feed."""

from django.conf import settings

from newsdesk.core import redis_client
from sandbox.server import Sandbox
from tasks.models import Attempt, Send
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import activity_notes, silence
from tasks.submission import posting
from tests.factories import make_prepared_send
from tests.tasks.submission.batches import only_batch

#: Seconds: the grace of silence, and the one that the feed makes enough.
DAY = 86_400.0
SHORT = 600


def accept_later(transport: SendGridTransport, number: int) -> None:
    """So many requests that are accepted now, of which events have come."""
    for _ in range(number):
        send = make_prepared_send(1)
        posting.submit_batch(only_batch(send).pk, transport=transport)
        Attempt.objects.filter(batch__send=send).update(heard=1)


def first_attempt(send: Send) -> Attempt:
    return Attempt.objects.get(batch__send=send, number=1)


def one_pass(transport: SendGridTransport, number: int = 1) -> None:
    """So many passes, far enough from each other that each may ask."""
    for _ in range(number):
        redis_client.client(settings.REDIS_URL).delete(activity_notes._turn(transport.name))
        silence.reconcile(transport=transport, grace=DAY)


def questions_asked(sandbox: Sandbox) -> int:
    return len(sandbox._state._activity_asked)
