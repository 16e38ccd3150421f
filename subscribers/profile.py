"""One reader: what is known of them, and changing it by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.functions import Lower

from subscribers import tracking
from subscribers.address_forms import forms
from subscribers.addresses import spellings
from subscribers.audience import audience
from subscribers.importing import zones
from subscribers.models import Consent, List, Subscriber, Subscription, Suppression, TrackingAnswer
from subscribers.sql import SqlCondition

_CONTROL = "".join(map(chr, (*range(32), 127, 0x2028, 0x2029)))


def reader_with(address: str) -> Subscriber | None:
    """The reader with this address, in whatever case it is written, and its domain in whatever letters."""
    spelt = spellings(address)
    return Subscriber.objects.alias(lower=Lower("email")).filter(lower__in=spelt).first()


def suppressions_of(address: str) -> list[Suppression]:
    """All that keep mail from this address: its own, its domain's and those of its hash."""
    return list(
        Suppression.objects.filter(address__in=forms(address))
        .select_related("publication")
        .order_by("created_at", "pk")
    )


def as_data(reader: Subscriber) -> dict[str, Any]:
    """The profile, subscriptions, suppressions, consents, and which publication would mail the reader, for JSON."""
    subscriptions = Subscription.objects.filter(subscriber=reader).select_related("list__publication").order_by("pk")
    return {
        "email": reader.email,
        "name": reader.name,
        "language": reader.language,
        "timezone": reader.timezone,
        "tags": reader.tags,
        "attributes": reader.attributes,
        "tracking": reader.tracking,
        "subscriptions": [
            {
                "publication": row.list.publication.slug,
                "list": row.list.slug,
                "status": row.status,
                "since": (
                    row.subscribed_at if row.status == Subscription.Status.ACTIVE else row.changed_at
                ).isoformat(),
            }
            for row in subscriptions
        ],
        "suppressions": [
            {
                "publication": row.publication.slug if row.publication else None,
                "reason": row.reason,
                "detail": row.detail,
                "at": row.created_at.isoformat(),
            }
            for row in suppressions_of(reader.email)
        ],
        "consents": _consents(reader),
        "mailable": mailable(reader),
    }


def _consents(reader: Subscriber) -> list[dict[str, Any]]:
    """By list, and those to tracking, which belong to none; the oldest first."""
    by_list = Consent.objects.filter(subscriber=reader).select_related("list").order_by("at", "pk")
    to_tracking = TrackingAnswer.objects.filter(subscriber=reader)
    rows: list[tuple[Consent | TrackingAnswer, str, str | None]] = [
        *((row, row.kind, row.list.slug) for row in by_list),
        *((row, f"tracking_{row.answer}", None) for row in to_tracking),
    ]
    return [
        {"kind": kind, "list": slug, "source": row.source, "wording": row.wording, "at": row.at.isoformat()}
        for row, kind, slug in sorted(rows, key=lambda one: one[0].at)
    ]


def mailable(reader: Subscriber) -> dict[str, bool]:
    """Of each publication on whose lists the reader is or was: whether a send to all of its lists would reach them now."""
    lists: dict[tuple[int, str], list[int]] = {}
    for one in List.objects.select_related("publication").order_by("publication__slug", "pk"):
        lists.setdefault((one.publication_id, one.publication.slug), []).append(one.pk)
    return {slug: reason is None for (pk, slug), ids in lists.items() for reason in _reasons(reader.pk, pk, ids)}


def left_out(reader: Subscriber, publication_id: int) -> str | None:
    """Why a send to all of the publication's lists would leave the reader out now (`REASONS`); None = it would reach them.

    Of a reader who is or was on one of those lists; whoever never was counts as reached by none, without a reason.
    """
    ids = list(List.objects.filter(publication_id=publication_id).values_list("pk", flat=True))
    return next(iter(_reasons(reader.pk, publication_id, ids)), None)


def _reasons(subscriber_id: int, publication_id: int, list_ids: Sequence[int]) -> list[str | None]:
    """Why a send would leave the reader out, as freezing decides it; [] for who is on none of the lists."""
    chosen = audience(list_ids, publication_id=publication_id, restrict=SqlCondition("s.id = %s", (subscriber_id,)))
    with connection.cursor() as cursor:
        cursor.execute(chosen.sql, chosen.params)
        return [reason for _, reason in cursor.fetchall()]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What to change; None stays as it is, "" is emptied."""

    name: str | None = None
    language: str | None = None
    timezone: str | None = None
    tags: Sequence[str] = ()
    untags: Sequence[str] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    #: What the reader told somebody; with its source, it is kept as proof.
    tracking: str | None = None
    source: str = ""


@transaction.atomic
def change(reader: Subscriber, changes: Changes) -> Subscriber:
    """The reader as they are now. Raises ValidationError with the complaints by field; then nothing is changed."""
    found = Subscriber.objects.select_for_update().get(pk=reader.pk)
    wrong: dict[str, list[str]] = {}
    if changes.name is not None:
        found.name = changes.name.strip()
    for name, understand in (("language", zones.language), ("timezone", zones.timezone)):
        said = getattr(changes, name)
        if said is not None:
            understood = understand(said.strip()) if said.strip() else ""
            if said.strip() and not understood:
                wrong[name] = [f"{said!r} is not understood"]
            setattr(found, name, understood)
    found.tags = _tags(found.tags, changes, wrong)
    found.attributes = _attributes(found.attributes, changes, wrong)
    try:
        found.clean_fields(exclude={"email", "attributes", *wrong})
    except ValidationError as error:
        wrong |= error.message_dict
    if changes.tracking is not None and changes.tracking not in tracking.ANSWERS:
        wrong["tracking"] = [f"{changes.tracking!r} is neither granted nor denied"]
    if wrong:
        raise ValidationError(wrong)
    found.save()
    if changes.tracking is not None:
        tracking.answer(found.pk, Subscriber.Tracking(changes.tracking), source=changes.source)
        found.refresh_from_db()
    return found


def _tags(now: list[str], changes: Changes, wrong: dict[str, list[str]]) -> list[str]:
    missing = [tag for tag in changes.untags if tag not in now]
    if missing:
        wrong["untags"] = [f"the reader has no tag {missing[0]!r}"]
    if any(not tag.strip() or set(tag) & set(_CONTROL) for tag in changes.tags):
        wrong["tags"] = ["a tag is empty or holds a control character"]
    return [tag for tag in dict.fromkeys([*now, *changes.tags]) if tag not in changes.untags]


def _attributes(now: dict[str, Any], changes: Changes, wrong: dict[str, list[str]]) -> dict[str, Any]:
    unknown = [name for name in changes.unset if name not in now]
    if unknown:
        wrong["unset"] = [f"the reader has no attribute {unknown[0]!r}"]
    if any("\x00" in name + value for name, value in changes.attributes.items()):
        wrong["attributes"] = ["a NUL character"]
    return {name: value for name, value in now.items() if name not in changes.unset} | dict(changes.attributes)
