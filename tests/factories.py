"""A valid world to start from; a test names only what matters to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from composer.approval import content_hash
from composer.models import Approval, Edition, Publication, Variant
from subscribers.models import List, Segment, Subscriber, Subscription, Suppression
from tasks.messages import Message
from tasks.models import Attempt, Batch, Delivery, Send, TransactionalMail
from tasks.preparation import preparing
from tasks.transactional import writing

_numbers = count(1)

HTML = (
    '<!DOCTYPE html><html lang="en"><body><p>Dear -ndNameHtml-</p>'
    '<a clicktracking=off href="-ndUnsubscribeUrl-">Unsubscribe</a></body></html>'
)
TEXT = "Dear -ndName-\n\nUnsubscribe: -ndUnsubscribeUrl-\n"


def make_publication(**fields: Any) -> Publication:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "slug": f"weekly-{number}",
        "title": "The Weekly",
        "from_name": "The Weekly",
        "from_email": "news@example.com",
        "reply_to": "editors@example.com",
        "postal_address": "1 Main Street, Singapore 018956",
    }
    return Publication.objects.create(**{**defaults, **fields})


def make_edition(publication: Publication | None = None, **fields: Any) -> Edition:
    return Edition.objects.create(
        publication=publication or make_publication(), **{"title": "The week in rivers", **fields}
    )


def make_approval(
    edition: Edition | None = None,
    *,
    audience_rules: Mapping[str, Any] | None = None,
    variants: Sequence[Mapping[str, Any]] = ({"audiences": [[]]},),
    **fields: Any,
) -> Approval:
    """A standing approval; each variant is a mapping of its fields, with short real bytes by default."""
    edition = edition or make_edition()
    approval = Approval(edition=edition, audience_rules=audience_rules or {}, timezone="UTC", **fields)
    frozen = []
    for position, given in enumerate(variants):
        defaults = {
            "stories": 3,
            "subject": "The week in rivers",
            "html": HTML,
            "text": TEXT,
            "headers": {
                "From": '"The Weekly" <news@example.com>',
                "Reply-To": "editors@example.com",
                "List-Id": "<weekly.example.com>",
            },
        }
        frozen.append(Variant(approval=approval, position=position, **{**defaults, **given}))
    approval.content_hash = content_hash(approval, frozen)
    approval.save()
    Variant.objects.bulk_create(frozen)
    return approval


def make_list(publication: Publication, slug: str = "readers") -> List:
    return List.objects.get_or_create(publication=publication, slug=slug, defaults={"name": slug.title()})[0]


def make_segment(publication: Publication, rule: Any, slug: str = "some") -> Segment:
    return Segment.objects.create(publication=publication, slug=slug, name=slug.title(), rule=rule)


def make_subscriber(on: List | None = None, *, status: str = "active", **fields: Any) -> Subscriber:
    number = next(_numbers)
    subscriber = Subscriber.objects.create(
        **{"email": f"reader{number}@example.com", "name": f"Reader {number}", **fields}
    )
    if on is not None:
        Subscription.objects.create(subscriber=subscriber, list=on, status=status)
    return subscriber


def make_suppression(subscriber: Subscriber, reason: str = "hard_bounce", publication: Any = None) -> Suppression:
    return Suppression.objects.create(address=subscriber.email.lower(), reason=reason, publication=publication)


def make_send(
    readers: int = 0,
    *,
    approval: Approval | None = None,
    lists: Sequence[List] | None = None,
    segment: Segment | None = None,
    scheduled_at: datetime | None = None,
    **fields: Any,
) -> Send:
    """A scheduled, due send of an approved edition to one list with this many active readers."""
    approval = approval or make_approval()
    publication = approval.edition.publication
    lists = lists if lists is not None else [make_list(publication)]
    for _ in range(readers):
        make_subscriber(lists[0])
    send = Send.objects.create(
        approval=approval,
        edition=approval.edition,
        segment=segment,
        segment_rule=segment.rule if segment else None,
        scheduled_at=scheduled_at or timezone.now(),
        **fields,
    )
    send.lists.set(lists)
    return send


def make_prepared_send(readers: int = 3, **fields: Any) -> Send:
    """A send whose audience is frozen: status sending, all batches pending."""
    send = make_send(readers, **fields)
    assert preparing.prepare(send.pk) is not None
    send.refresh_from_db()
    return send


def make_batch(send: Send | None = None, *, size: int = 1, **fields: Any) -> Batch:
    send = send or make_send(status=Send.Status.SENDING, prepared_at=timezone.now())
    variant = send.approval.variants.first()
    assert variant is not None
    return Batch.objects.create(send=send, variant=variant, size=size, **fields)


def make_delivery(batch: Batch, subscriber: Subscriber | None = None, **fields: Any) -> Delivery:
    subscriber = subscriber or make_subscriber()
    return Delivery.objects.create(send_id=batch.send_id, subscriber_id=subscriber.pk, batch_id=batch.pk, **fields)


def make_attempt(batch: Batch | None = None, **fields: Any) -> Attempt:
    batch = batch or make_batch()
    defaults = {"number": 1, "size": batch.size, "transport": "sendgrid:test"}
    return Attempt.objects.create(batch=batch, **{**defaults, **fields})


def make_transactional_mail(
    to_email: str = "editor@example.com", *, kind: str = "test", **fields: Any
) -> TransactionalMail:
    """A pending, due letter; fields of its message may be given beside those of `write`."""
    message = {
        "from_email": "news@example.com",
        "from_name": "The Weekly",
        "reply_to": "",
        "subject": "[Test] The week in rivers",
        "html": HTML,
        "text": TEXT,
    }
    message |= {name: fields.pop(name) for name in list(fields) if name in message or name == "headers"}
    return writing.write_mail(kind=kind, to_email=to_email, message=Message(**message), **fields)


def make_editor(username: str = "ada", **fields: Any) -> Any:
    """A superuser with an address: whoever may approve gets letters about alarms."""
    defaults = {"email": f"{username}@example.com", "is_superuser": True}
    return get_user_model().objects.create_user(username, **{**defaults, **fields})
