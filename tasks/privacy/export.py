"""Everything that is held of one person, as one JSON object, written as it is read (GDPR, articles 15 and 20)."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from wagtail.models import ModelLogEntry

from subscribers import profile
from subscribers.address_forms import forms
from subscribers.models import Consent, LiftedSuppression, MergedReader, Subscriber, Subscription, TrackingAnswer
from tasks.database import clock
from tasks.models import Event, TransactionalMail
from tasks.privacy.mentions import mentions
from tasks.privacy.naming import Naming
from tasks.privacy.receipt_entries import receipts_naming
from tasks.sends import archives
from tasks.sends.reader_history import history
from tasks.sends.recipient_report import snapshot

_AT_ONCE = 500
#: Of which table a section's rows are. What other tables say of the person in their words is under "mentions".
SECTIONS = {
    "profile": ("subscribers.Subscriber",),
    "merged": ("subscribers.MergedReader",),
    "subscriptions": ("subscribers.Subscription",),
    "suppressions": ("subscribers.Suppression",),
    "lifted_suppressions": ("subscribers.LiftedSuppression",),
    "consents": ("subscribers.Consent",),
    "tracking_answers": ("subscribers.TrackingAnswer",),
    "deliveries": ("tasks.Delivery", "tasks.Exclusion"),
    "events": ("tasks.Event",),
    "receipts": ("tasks.Receipt",),
    "transactional_mails": ("tasks.TransactionalMail",),
}


def write(out: Callable[[str], object], address: str) -> int:
    """Pass the JSON object to `out` in pieces; how many rows of whatever kind it holds, 0 = nothing is known.

    All of it is as it was at one moment. No other person's address or event is in it. Memory stays flat: a section is written
    row by row.
    """
    with snapshot():
        reader = profile.reader_with(address)
        head = {"address": address.strip(), "made_at": clock.now().isoformat()}
        out(json.dumps(head, ensure_ascii=False)[:-1])
        number = 0
        for name, rows in _sections(address, reader):
            out(f",\n{json.dumps(name)}: ")
            number += _write_section(out, rows)
        out("\n}\n")
    return number


def _write_section(out: Callable[[str], object], rows: Iterable[Any]) -> int:
    number = 0
    for number, row in enumerate(rows, start=1):
        out(("[\n" if number == 1 else ",\n") + json.dumps(row, ensure_ascii=False, default=str))
    out("\n]" if number else "[]")
    return number


def _sections(address: str, reader: Subscriber | None) -> Iterator[tuple[str, Iterable[Any]]]:
    naming = Naming(address, reader.email if reader else "")
    subscriber_id = reader.pk if reader else None
    yield "profile", _profile(reader)
    yield "merged", _rows(MergedReader.objects.filter(kept_id=subscriber_id or 0), without=("kept",))
    yield "subscriptions", _subscriptions(subscriber_id)
    yield "suppressions", _suppressions(address)
    yield "lifted_suppressions", _lifted(address)
    yield "consents", _consents(subscriber_id)
    answers = TrackingAnswer.objects.filter(subscriber_id=subscriber_id or 0)
    yield "tracking_answers", _rows(answers, without=("id", "subscriber"))
    yield "deliveries", (asdict(row) for row in history(subscriber_id)) if subscriber_id is not None else ()
    yield "archived_deliveries", _archived(reader)
    yield "events", _rows(Event.objects.filter(subscriber_id=subscriber_id or 0).order_by("at"), without=("key",))
    yield "receipts", _receipts(naming, subscriber_id)
    yield "transactional_mails", _rows(mails_to(address).order_by("pk"), without=("asked_by", "claimed_by"))
    yield "desk_log", _rows(desk_log(subscriber_id).order_by("pk"))
    yield "mentions", _mentions(naming, address)


def mails_to(address: str) -> QuerySet[TransactionalMail]:
    """Single mails to this address."""
    return TransactionalMail.objects.annotate(lower_address=Lower("to_email")).filter(
        lower_address=address.strip().lower()
    )


def desk_log(subscriber_id: int | None) -> QuerySet[ModelLogEntry]:
    """What the desk noted about this reader."""
    of_readers = ContentType.objects.get_for_model(Subscriber)
    entries: QuerySet[ModelLogEntry] = ModelLogEntry.objects.filter(
        content_type=of_readers, object_id=str(subscriber_id)
    )
    return entries


def _profile(reader: Subscriber | None) -> Iterator[dict[str, Any]]:
    if reader is not None:
        # Whatever columns there come to be: all of them.
        yield {field.name: getattr(reader, field.attname) for field in reader._meta.concrete_fields}  # noqa: SLF001 - Django's documented API


def _subscriptions(subscriber_id: int | None) -> Iterator[dict[str, Any]]:
    rows = (
        Subscription.objects.filter(subscriber_id=subscriber_id or 0).select_related("list__publication").order_by("pk")
    )
    for row in rows:
        times = {"subscribed_at": row.subscribed_at, "changed_at": row.changed_at}
        yield {"publication": row.list.publication.slug, "list": row.list.slug, "status": row.status, **times}


def _suppressions(address: str) -> Iterator[dict[str, Any]]:
    for row in profile.suppressions_of(address):
        yield {
            "address": row.address,
            "publication": row.publication.slug if row.publication else None,
            "reason": row.reason,
            "detail": Naming(address).alone(row.detail),
            "at": row.created_at,
        }


def _lifted(address: str) -> Iterator[dict[str, Any]]:
    for row in LiftedSuppression.objects.filter(Q(address__in=forms(address))).select_related("publication"):
        slug = row.publication.slug if row.publication else None
        why = Naming(address).alone(row.why)
        yield {"address": row.address, "publication": slug, "reason": row.reason, "why": why, "at": row.at}


def _consents(subscriber_id: int | None) -> Iterator[dict[str, Any]]:
    rows = (
        Consent.objects.filter(subscriber_id=subscriber_id or 0)
        .select_related("list__publication")
        .order_by("at", "pk")
    )
    for row in rows:
        where = {"publication": row.list.publication.slug, "list": row.list.slug}
        yield {"kind": row.kind, **where, "source": row.source, "wording": row.wording, "at": row.at}


def _rows(found: QuerySet[Any], *, without: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    columns = [field.attname for field in found.model._meta.concrete_fields if field.name not in without]  # noqa: SLF001
    return iter(found.values(*columns).iterator(_AT_ONCE))


def _archived(reader: Subscriber | None) -> Iterable[dict[str, Any]]:
    """Of sends whose deliveries are archived, under the numbers of records that were merged into theirs, too."""
    if reader is None:
        return ()
    merged = MergedReader.objects.filter(kept=reader).values_list("gone_id", flat=True)
    return archives.rows_of([reader.pk, *merged])


def _receipts(naming: Naming, subscriber_id: int | None) -> Iterator[dict[str, Any]]:
    for receipt in receipts_naming(naming, subscriber_id):
        head = {"id": receipt.id, "provider": receipt.provider, "received_at": receipt.received_at}
        if receipt.entries is None:
            text = naming.alone(receipt.body.decode("utf-8", "replace"))
            yield {**head, "unreadable": text}
        else:
            yield {**head, "events": [receipt.entries[at] for at in sorted(receipt.theirs)]}


def _mentions(naming: Naming, address: str) -> Iterator[dict[str, Any]]:
    theirs = set(mails_to(address).values_list("pk", flat=True))
    for found in mentions(naming):
        if found.model != "tasks.TransactionalMail" or found.key not in theirs:
            text = naming.alone(found.text)
            yield {"table": found.table, "id": str(found.key), "column": found.column, "text": text}
