"""One person out of every table. Each table is a transaction of its own and may be done again: no two locks are held."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.apps import apps
from django.db import connection, models, transaction

from subscribers.address_forms import own_forms
from subscribers.models import Consent, LiftedSuppression, Subscriber, Suppression
from tasks.models import Event, Exclusion
from tasks.privacy.export import desk_log, mails_to
from tasks.privacy.mentions import mentions
from tasks.privacy.naming import Naming
from tasks.privacy.receipt_entries import FoundReceipt, receipts_naming
from tasks.privacy.tables import TABLES, WORDS, Holds

#: What is left of an event whose body nobody has applied yet: enough to prove that a request was accepted.
_PROOF = ("event", "type", "timestamp", "nd_delivery", "nd_attempt")


def erase_from_tables(address: str, subscriber_id: int | None, naming: Naming) -> dict[str, int]:
    """How many rows were changed or deleted, by table; those with none are left out."""
    counted: dict[str, int] = {}
    for table, rows in _steps(address, subscriber_id, naming):
        counted[table] = counted.get(table, 0) + rows
    return {table: rows for table, rows in counted.items() if rows}


def _steps(address: str, subscriber_id: int | None, naming: Naming) -> Iterator[tuple[str, int]]:
    if subscriber_id is not None:
        yield "tasks_event", Event.objects.filter(subscriber_id=subscriber_id).exclude(agent="").update(agent="")
        yield "tasks_exclusion", _erase_reasons(subscriber_id, naming)
        yield "wagtailcore_modellogentry", desk_log(subscriber_id).delete()[0]
    yield "tasks_letter", mails_to(address).delete()[0]
    # The domain's own suppression is about everybody there.
    named = own_forms(address)
    yield "subscribers_suppression", _erase_suppressions(named)
    yield "subscribers_liftedsuppression", LiftedSuppression.objects.filter(address__in=named).delete()[0]
    for found in list(mentions(naming)):
        yield found.table, _rewrite(found.model, found.key, found.column, naming.erased(found.text))
    for receipt in receipts_naming(naming, subscriber_id):
        body = _without_person(receipt, naming)
        if body != receipt.body:
            yield "tasks_receipt", _rewrite("tasks.Receipt", receipt.id, "body", body)
    # Last, so that an erasure that is broken off before still finds the reader.
    yield "subscribers_subscriber", _erase_reader(subscriber_id)


def _erase_reader(subscriber_id: int | None) -> int:
    if subscriber_id is None:
        return 0
    with transaction.atomic():
        Consent.objects.filter(subscriber_id=subscriber_id).update(subscriber_id=None)
        return Subscriber.objects.filter(pk=subscriber_id).delete()[0]


def _erase_reasons(subscriber_id: int, naming: Naming) -> int:
    """The provider's words about a refused reader."""
    changed = 0
    for row in Exclusion.objects.filter(subscriber_id=subscriber_id):
        if naming.names(row.reason):
            same = Exclusion.objects.filter(send_id=row.send_id, subscriber_id=subscriber_id)
            changed += same.update(reason=naming.erased(row.reason)[:200])
    return changed


def _erase_suppressions(named: list[str]) -> int:
    """All of the person's, by address and by hash, but the one that keeps them out."""
    rows = Suppression.objects.filter(address__in=named)
    return rows.exclude(reason=Suppression.Reason.ERASED, address__startswith="hmac:").delete()[0]


def _without_person(receipt: FoundReceipt, naming: Naming) -> bytes:
    if receipt.entries is None:
        return naming.masked(receipt.body)
    kept: list[Any] = []
    for at, entry in enumerate(receipt.entries):
        if at not in receipt.theirs:
            kept.append(entry)
        elif not receipt.applied and isinstance(entry, dict):
            kept.append({name: entry[name] for name in _PROOF if name in entry})
    return orjson.dumps(kept)


def _rewrite(label: str, key: Any, column: str, value: str | bytes) -> int:
    about = apps.get_model(label)._meta  # noqa: SLF001 - Django's documented API
    field = about.get_field(column)
    kind = {models.JSONField: "::text::jsonb", models.BinaryField: "::bytea"}.get(type(field), "")
    if isinstance(value, str) and not kind and getattr(field, "max_length", None):
        value = value[: field.max_length]
    # The hash of the words is kept in their place, or the seal over them would be broken.
    also = (
        ", redacted = COALESCE(redacted, subscribers_consent_words(source, wording))"
        if label == "subscribers.Consent"
        else ""
    )
    with connection.cursor() as cursor:
        sql = f"UPDATE {about.db_table} SET {column} = %s{kind}{also} WHERE {about.pk.column} = %s"  # noqa: S608
        cursor.execute(sql, [value, key])
        return int(cursor.rowcount)


def vacuum(*, rewrite: bool) -> None:
    """Give up the space of what was deleted, in every table that can hold a person: new rows are written over it.

    With `rewrite` the tables and their indexes are written anew, and no free space is left in them; each is locked meanwhile.
    What the planner remembers of columns (their most common values) is counted anew either way. Without an effect inside a
    transaction, where PostgreSQL allows none.
    """
    if connection.in_atomic_block:
        return
    labels = {label for label, holds in TABLES.items() if holds in {Holds.READERS, Holds.WORDS}} | set(WORDS)
    tables = sorted(apps.get_model(label)._meta.db_table for label in labels)  # noqa: SLF001
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM ({'FULL, ' if rewrite else ''}ANALYZE) {table}")
        cursor.execute(f"VACUUM {'FULL ' if rewrite else ''}pg_statistic")
