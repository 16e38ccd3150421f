"""Readers whose mailbox provider is waited for leave their batch before it is sent, so that the others need not wait with them.

They leave with the fence's commit, and only a batch of which nothing was ever posted: an attempt that proves accepted later, whatever
was thought of it, has reached all who are members of its batch then.
"""

from dataclasses import replace

from tasks.attempts import moving
from tasks.models import Attempt, Batch
from tasks.submission.building import Built
from tasks.submission.claiming import Claim
from tasks.throttling import mailbox_domains


def set_apart(claim: Claim, built: Built) -> Built:
    """The same request without readers at domains in trouble, who stand in `apart`. Raises the database's errors."""
    if claim.mailbox_domain:
        return built
    domains = mailbox_domains.in_trouble()
    if not domains:
        return built
    addresses = [recipient.email for recipient in built.recipients]
    apart = mailbox_domains.by_domain(zip(built.subscriber_ids, addresses, strict=True), domains)
    if not apart or _was_posted(claim):
        return built
    leave = frozenset[int]().union(*apart.values())
    if claim.is_canary and len(leave) == len(built.subscriber_ids):
        # Somebody has to be answered for, or the others would go without: a handful at a domain in trouble does it no harm.
        return built
    stay = [at for at, subscriber_id in enumerate(built.subscriber_ids) if subscriber_id not in leave]
    return replace(
        built,
        recipients=tuple(built.recipients[at] for at in stay),
        subscriber_ids=tuple(built.subscriber_ids[at] for at in stay),
        apart=apart,
    )


def move_apart(claim: Claim, built: Built, *, but: str = "") -> None:
    """Give them batches of their own, one for each domain but this; inside the fence's transaction."""
    for domain, members in built.apart.items():
        if domain != but:
            moving.move_to_new_batch(
                claim.batch_id, claim.send_id, members, status=Batch.Status.PENDING, mailbox_domain=domain
            )


def _was_posted(claim: Claim) -> bool:
    return claim.number > 1 and Attempt.objects.filter(batch_id=claim.batch_id).exists()


def keeper(built: Built) -> str:
    """Where nobody is left to be written to: the domain whose readers keep the batch; empty when there is no such domain."""
    if built.recipients or not built.apart:
        return ""
    return max(built.apart, key=lambda domain: len(built.apart[domain]))
