"""Building a request afresh for every attempt: who is still to be written to, and each one's values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection

from composer import merge_tags
from composer.models import Variant
from subscribers.audience import audience
from subscribers.sql import SqlCondition
from tasks import links
from tasks.models import Send
from tasks.submission.claiming import Claim
from tasks.submission.messages import message_of
from tasks.transports import Message, Recipient

#: Preparation's own predicate, restricted to the batch. Whoever has no row any more has left the lists, or was erased.
_MEMBERS = """
WITH audience AS ({audience})
SELECT d.subscriber_id, s.email, s.name,
       CASE WHEN s.id IS NULL THEN 'erased'
            WHEN a.subscriber_id IS NULL THEN 'unsubscribed'
            ELSE a.reason END AS reason
  FROM tasks_delivery d
  LEFT JOIN subscribers_subscriber s ON s.id = d.subscriber_id
  LEFT JOIN audience a ON a.subscriber_id = d.subscriber_id
 WHERE d.batch_id = %s
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


@lru_cache(maxsize=32)
def _variant(variant_id: int) -> tuple[Variant, tuple[merge_tags.Tag, ...], int]:
    """A variant never changes, so a process reads it once: the row, its merge tags and its publication's id."""
    variant = Variant.objects.select_related("approval__edition__publication").get(pk=variant_id)
    tags = merge_tags.tags_in(variant.subject, variant.html, variant.text)
    return variant, tags, variant.approval.edition.publication_id


def build(held: Claim) -> Built:
    """Recheck the batch's members with preparation's predicate, and fill in their values."""
    variant, tags, publication_id = _variant(held.variant_id)
    recipients: list[Recipient] = []
    subscriber_ids: list[int] = []
    excluded: dict[int, str] = {}
    link_to = links.for_send(publication_id=publication_id, send_id=held.send_id)
    for subscriber_id, email, name, reason in _members(held, publication_id):
        if reason is not None:
            excluded[subscriber_id] = reason
            continue
        unsubscribe_url, preferences_url = link_to(subscriber_id)
        substitutions = merge_tags.values(
            tags, name=name, email=email, unsubscribe_url=unsubscribe_url, preferences_url=preferences_url
        )
        subscriber_ids.append(subscriber_id)
        recipients.append(
            Recipient(
                email=email,
                name=name,
                delivery=f"{held.send_id}.{subscriber_id}",
                substitutions=substitutions,
                unsubscribe_url=unsubscribe_url,
            )
        )
    return Built(
        message=message_of(variant, send_id=held.send_id),
        recipients=tuple(recipients),
        subscriber_ids=tuple(subscriber_ids),
        excluded=excluded,
    )


def _members(held: Claim, publication_id: int) -> list[tuple[int, str, str, str | None]]:
    list_ids = list(Send.lists.through.objects.filter(send_id=held.send_id).values_list("list_id", flat=True))
    of_batch = SqlCondition("s.id IN (SELECT subscriber_id FROM tasks_delivery WHERE batch_id = %s)", (held.batch_id,))
    rechecked = audience(list_ids, publication_id=publication_id, restrict=of_batch)
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS.format(audience=rechecked.sql), [*rechecked.params, held.batch_id])
        return list(cursor.fetchall())
