"""Two records of one person become one, as far as lists, consents and profile go (`tasks.privacy.merging` does the whole)."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models.functions import Now

from subscribers.address_forms import own_forms
from subscribers.erased import erased_address, erased_forms
from subscribers.models import Consent, MergedReader, Subscriber, Subscription, Suppression, TrackingAnswer

Status = Subscription.Status
_WORSE = (Status.ACTIVE, Status.PENDING, Status.UNSUBSCRIBED)
_WORSE_TRACKING = (Subscriber.Tracking.UNKNOWN, Subscriber.Tracking.GRANTED, Subscriber.Tracking.DENIED)
#: What a person or the list's owner decided, about whichever address; a bounce is about the one address only.
_BY_WILL = (Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.COMPLAINT, Suppression.Reason.MANUAL)
#: What is taken from the other record where the kept one has nothing.
_FACTS = ("name", "language", "timezone")


@dataclass(frozen=True, kw_only=True)
class ListState:
    """Where the kept reader stands on a list now. `was`: before, "" where they were not on it."""

    publication: str
    list: str
    status: str
    was: str


@dataclass(frozen=True, kw_only=True)
class MergedProfile:
    """What the kept record took over. `facts`: names of profile fields; `attributes`: names too."""

    facts: list[str]
    tags: list[str]
    attributes: list[str]
    tracking: str
    #: Only lists on which something changed.
    subscriptions: list[ListState]
    consents: int
    tracking_answers: int


def current_id(subscriber_id: int) -> int:
    """The id of the record that took this one's place; the same id where none did."""
    kept = MergedReader.objects.filter(pk=subscriber_id).values_list("kept_id", flat=True).first()
    return subscriber_id if kept is None else kept


def current_ids(subscriber_ids: Collection[int]) -> dict[int, int]:
    """Those of the ids whose records are gone, each with the one that took its place."""
    return dict(MergedReader.objects.filter(pk__in=subscriber_ids).values_list("gone_id", "kept_id"))


def kept_readers(addresses: Collection[str]) -> dict[str, tuple[int, str]]:
    """Those of the addresses whose records are gone, each with the id and the address of the record that took its place."""
    if not addresses or not MergedReader.objects.exclude(address="").exists():
        return {}
    by_form = {form: address for address in addresses for form in erased_forms(address)}
    rows = MergedReader.objects.filter(address__in=list(by_form)).values_list("address", "kept_id", "kept__email")
    return {by_form[form]: (kept_id, email.lower()) for form, kept_id, email in rows}


def merge_profiles(keep: Subscriber, other: Subscriber, *, who: str) -> MergedProfile:
    """Give `keep` what is `other`'s and delete that. Call it in a transaction that has both rows locked.

    Suppressions stay with the address they name.
    """
    facts, tags, attributes = _fill(keep, other)
    consents = Consent.objects.filter(subscriber=other).update(subscriber=keep)
    answers = TrackingAnswer.objects.filter(subscriber=other).update(subscriber=keep)
    subscriptions = _merge_subscriptions(keep, other, who)
    MergedReader.objects.filter(kept=other).update(kept=keep)
    MergedReader.objects.create(gone_id=other.pk, kept=keep, address=erased_address(other.email), who=who[:200])
    Subscriber.objects.filter(pk=other.pk).delete()
    return MergedProfile(
        facts=facts,
        tags=tags,
        attributes=attributes,
        tracking=keep.tracking,
        subscriptions=subscriptions,
        consents=consents,
        tracking_answers=answers,
    )


def _fill(keep: Subscriber, other: Subscriber) -> tuple[list[str], list[str], list[str]]:
    facts = [name for name in _FACTS if getattr(other, name) and not getattr(keep, name)]
    tags = [tag for tag in other.tags if tag not in keep.tags]
    attributes = [name for name in other.attributes if name not in keep.attributes]
    for name in facts:
        setattr(keep, name, getattr(other, name))
    keep.tags = [*keep.tags, *tags]
    keep.attributes = {**other.attributes, **keep.attributes}
    keep.tracking = max(keep.tracking, other.tracking, key=_WORSE_TRACKING.index)
    keep.save(update_fields=[*_FACTS, "tags", "attributes", "tracking"])
    return facts, tags, attributes


def _merge_subscriptions(keep: Subscriber, other: Subscriber, who: str) -> list[ListState]:
    rows = list(
        Subscription.objects.filter(subscriber__in=[keep, other])
        .select_related("list__publication")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    mine = {row.list_id: row for row in rows if row.subscriber_id == keep.pk}
    has_left = _has_left(other.email)
    changed = []
    for row in rows:
        if row.subscriber_id == other.pk:
            left = not has_left.isdisjoint({None, row.list.publication_id})
            changed.append(_merge_list(keep, mine.get(row.list_id), row, left=left, who=who))
    return [state for state in changed if state is not None]


def _merge_list(
    keep: Subscriber, mine: Subscription | None, theirs: Subscription, *, left: bool, who: str
) -> ListState | None:
    """The worse of two states wins. None where the kept reader stands as before."""
    state = Status.UNSUBSCRIBED if left else Status(theirs.status)
    was = Status(theirs.status)
    if mine is None:
        changes = {"status": state, "changed_at": Now()} if state != was else {}
        Subscription.objects.filter(pk=theirs.pk).update(subscriber=keep, **changes)
    else:
        was = Status(mine.status)
        state = max(was, state, key=_WORSE.index)
        if state == was:
            return None
        Subscription.objects.filter(pk=mine.pk).update(status=state, changed_at=Now())
    if state == Status.UNSUBSCRIBED and was != state:
        source = f"merge-readers: {who}"[:200]
        Consent.objects.create(subscriber=keep, list_id=theirs.list_id, kind=Consent.Kind.WITHDRAWN, source=source)
    return ListState(
        publication=theirs.list.publication.slug,
        list=theirs.list.slug,
        status=state.value,
        was=mine.status if mine else "",
    )


def _has_left(address: str) -> set[int | None]:
    """Publications that the person at this address does not want, or must not get; None = all. A domain is nobody's will."""
    rows = Suppression.objects.filter(address__in=own_forms(address), reason__in=_BY_WILL)
    return set(rows.values_list("publication_id", flat=True))
