"""The first batch of a send is small and alone: what the provider answers to it decides whether the others are claimed.

A send that fits into one batch has none. An answer that never came lets the others go on: the breaker counts it. Nothing
is written when the answer comes; whether the others may go follows from the batch's own status, so that no crash is in between.
But a canary of whose readers each was told to come later stays pending, for hours perhaps, and has been answered: then the send
has none any more, from the transaction on that records it.
"""

from django.conf import settings

from tasks.models import Send
from tasks.throttling import mailbox_domains

#: A condition on ``s`` (tasks_send) and ``b`` (one of its batches): it is pending and due, and no answer has to be waited for. One
#: whose readers wait for their mailbox provider has been answered: not on principle. OFFSET 0: the one canary is looked up; PostgreSQL
#: would collect the open batches of all sends instead, at each claim.
MAY_BE_CLAIMED_SQL = f"""\
b.status = 'pending' AND b.not_before <= statement_timestamp() AND (s.canary_batch IS NULL OR b.id = s.canary_batch OR NOT EXISTS (
    SELECT 1 FROM tasks_batch canary
     WHERE canary.id = s.canary_batch AND canary.status IN ('pending', 'building', 'submitting') AND canary.mailbox_domain = '' OFFSET 0))
AND {mailbox_domains.MAY_BE_TRIED_SQL}"""  # noqa: S608 - made of constants


def size(deliveries: int, *, batch_size: int) -> int:
    """Readers in the canary of a send with so many deliveries, cut into batches of `batch_size`; 0 = it has none."""
    if deliveries <= batch_size:
        return 0
    return min(settings.CANARY, batch_size)


def let_the_others_go(send_id: int) -> None:
    """The canary was answered, and is a batch like any other; the caller has locked the send to change it."""
    Send.objects.filter(pk=send_id).update(canary_batch=None)
