"""Building a request afresh for every attempt: who is still to be written to, and each one's values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from composer import merge_tags
from composer.approval import content_hash
from composer.models import Variant
from newsdesk.core.errors import BrokenPromiseError
from subscribers import reader_links
from subscribers.audience import audience
from subscribers.sql import SqlCondition
from subscribers.tracking import may_track
from tasks.database import high_water
from tasks.database.statements import run
from tasks.messages import Message, Recipient
from tasks.submission.claiming import Claim
from tasks.submission.messages import message_of

#: Preparation's own predicate, restricted to the batch. Whoever has no row any more has left the lists, or was erased.
_MEMBERS = """
WITH audience AS ({audience})
SELECT d.subscriber_id, a.email, a.name, a.tracking,
       CASE WHEN a.subscriber_id IS NOT NULL THEN a.reason
            WHEN EXISTS (SELECT 1 FROM subscribers_subscriber s WHERE s.id = d.subscriber_id) THEN 'unsubscribed'
            ELSE 'erased' END AS reason
  FROM tasks_delivery d
  LEFT JOIN audience a ON a.subscriber_id = d.subscriber_id
 WHERE d.send_id = %s AND d.batch_id = %s
   AND NOT EXISTS (SELECT 1 FROM tasks_exclusion x WHERE x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id)
 ORDER BY d.subscriber_id
"""


@dataclass(frozen=True, kw_only=True)
class Built:
    """One request before it is encoded. `subscriber_ids` stand in the order of `recipients`."""

    message: Message
    recipients: tuple[Recipient, ...]
    subscriber_ids: tuple[int, ...]
    #: Members who dropped out since preparation, with the reason.
    excluded: Mapping[int, str]
    #: Members who are not written to now since their mailbox provider is waited for, by its domain (`setting_apart`).
    apart: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


class NotAsApprovedError(BrokenPromiseError):
    """The bytes in the database are not those that were approved."""


@lru_cache(maxsize=32)
def _variant(
    variant_id: int, approved: str, edition_id: int, publication_id: int
) -> tuple[Variant, Callable[[str, str, str, str], dict[str, str]]]:
    """A variant never changes, so a process reads it once: the row, and what fills its merge tags.

    `approved`: its approval's content hash. It is kept by all four, since a restored database gives ids away a second time, perhaps with the same
    bytes. Raises NotAsApprovedError, and Variant.DoesNotExist where it is another edition's.
    """
    variant = Variant.objects.select_related("approval__edition__publication").get(
        pk=variant_id, approval__edition=edition_id, approval__edition__publication=publication_id
    )
    approval = variant.approval
    if content_hash(approval, list(approval.variants.order_by("position"))) != approved:
        raise NotAsApprovedError(
            f"the bytes of {approval.edition} in the database are not those that were approved on "
            f"{approval.approved_at:%Y-%m-%d %H:%M} UTC: cancel it, look at the edition, and approve it again"
        )
    tags = merge_tags.tags_in(variant.subject, variant.html, variant.text)
    return variant, merge_tags.filler(tags)


def build(claim: Claim, *, reports: bool = True) -> Built:
    """Recheck the batch's members with preparation's predicate, and fill in their values.

    `reports`: whether the transport tells of opens and clicks at all. Raises NotAsApprovedError and the database's errors.
    """
    variant, fill_in = _variant(claim.variant_id, claim.content_hash, claim.edition_id, claim.publication_id)
    members = _members(claim)
    stay = [(subscriber_id, email, name) for subscriber_id, email, name, _, reason in members if reason is None]
    subscriber_ids = tuple(subscriber_id for subscriber_id, _, _ in stay)
    links_of = reader_links.links_of_batch(
        subscriber_ids,
        publication_id=claim.publication_id,
        send_id=claim.send_id,
        installation=high_water.known_installation(),
    )
    delivery = f"{claim.send_id}."
    return Built(
        message=message_of(variant, send_id=claim.send_id, tracked=reports and _is_tracked(claim, variant, members)),
        recipients=tuple(
            Recipient(email, name, delivery + str(subscriber_id), fill_in(name, email, leave, prefer), leave)
            for (subscriber_id, email, name), (leave, prefer) in zip(stay, links_of, strict=True)
        ),
        subscriber_ids=subscriber_ids,
        excluded={subscriber_id: reason for subscriber_id, *_, reason in members if reason is not None},
    )


def _is_tracked(claim: Claim, variant: Variant, members: list[tuple[int, str, str, str, str | None]]) -> bool:
    """Whether everybody who is written to may be tracked still.

    Who refused since it was frozen takes tracking from the whole request: they cannot be moved to another, since an earlier
    attempt of this batch may prove to have reached them.
    """
    unknown_too = bool(variant.approval.request.get("track_unknown", False))
    answers = {tracking for *_, tracking, reason in members if reason is None}
    return claim.tracked and all(may_track(answer, track_unknown=unknown_too) for answer in answers)


def _members(claim: Claim) -> list[tuple[int, str, str, str, str | None]]:
    batch = (claim.send_id, claim.batch_id)
    of_batch = SqlCondition(
        "s.id IN (SELECT subscriber_id FROM tasks_delivery WHERE send_id = %s AND batch_id = %s)", batch
    )
    rechecked = audience(
        claim.list_ids, publication_id=claim.publication_id, restrict=of_batch, also=("email", "name", "tracking")
    )
    return run(_MEMBERS.format(audience=rechecked.sql), [*rechecked.params, *batch])
