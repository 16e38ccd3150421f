"""Whatever is done to the ledger of consents behind its back is found."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from subscribers import consent_ledger, suppression
from subscribers.consent_ledger import verify
from subscribers.models import Consent, ConsentSeal, List, Subscriber
from tests.subscribers.commands import imported, refusal, run_json
from tests.subscribers.importing import Load

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def tamper(sql: str, *params: object) -> None:
    """As somebody does who can switch triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, params)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def ledger(load: Load, make_list: Any, make_subscriber: Any) -> List:
    """Consents of an import, of forms and of a withdrawal."""
    load("email\n" + "".join(f"reader{n}@example.com\n" for n in range(2500)))
    readers = List.objects.get(slug="readers")
    Consent.objects.create(subscriber=Subscriber.objects.first(), list=readers, kind="given", source="form")
    suppression.unsubscribe(Subscriber.objects.earliest("pk").pk, readers.publication_id, "one-click")
    return readers


def test_an_import_has_one_seal_and_a_whole_ledger_is_intact(ledger: List) -> None:
    said = run_json("verify_consents")

    assert (said["intact"], said["consents"], said["seals"], said["problems"]) == (True, 2502, 3, [])
    assert list(ConsentSeal.objects.order_by("position").values_list("rows", "position")) == [(2500, 1), (1, 2), (1, 3)]
    assert len(said["head"]) == 64
    assert run_json("verify_consents")["head"] == said["head"]


def middle() -> int:
    return Consent.objects.order_by("pk")[1250].pk


CHANGES: dict[str, Callable[[List], None]] = {
    "time": lambda _: tamper(
        "UPDATE subscribers_consent SET at = at - interval '1 microsecond' WHERE id = %s", middle()
    ),
    "kind": lambda _: tamper("UPDATE subscribers_consent SET kind = 'withdrawn' WHERE id = %s", middle()),
    "source": lambda _: tamper("UPDATE subscribers_consent SET source = 'another' WHERE id = %s", middle()),
    "wording": lambda _: tamper("UPDATE subscribers_consent SET wording = 'I agree to all' WHERE id = %s", middle()),
    "deletion": lambda _: tamper("DELETE FROM subscribers_consent WHERE id = %s", middle()),
    "insertion at the end": lambda to: tamper(
        "INSERT INTO subscribers_consent (list_id, kind, source, wording) VALUES (%s, 'given', 'forged', '')", to.pk
    ),
    "insertion in the middle": lambda to: tamper(
        "UPDATE subscribers_consent SET id = id + 900000 WHERE id = %s", middle()
    ),
    "seal": lambda _: tamper("UPDATE subscribers_consentseal SET at = at - interval '1 day' WHERE position = 1"),
    "seal and consents gone": lambda _: tamper("DELETE FROM subscribers_consentseal WHERE position = 2"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_found(ledger: List, change: str) -> None:
    verify()

    CHANGES[change](ledger)

    code, said = imported("verify_consents", "--json")
    assert (code, said["intact"]) == (1, False)
    assert said["problems"]


def test_a_ledger_cut_off_at_its_end_is_found_by_an_earlier_head(ledger: List) -> None:
    head = verify().head
    tamper("DELETE FROM subscribers_consent WHERE kind = 'withdrawn'")
    tamper("DELETE FROM subscribers_consentseal WHERE position = 3")

    assert verify().problems == []
    (problem,) = verify(expected=head).problems
    assert "was cut off" in problem
    assert verify(expected=verify().head).problems == []
    assert "--expect" in refusal("verify_consents", "--expect", "abc")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE subscribers_consent SET kind = 'withdrawn'",
        "UPDATE subscribers_consent SET source = 'another'",
        "DELETE FROM subscribers_consent",
        "UPDATE subscribers_consentseal SET rows = 1",
        "DELETE FROM subscribers_consentseal",
    ],
)
def test_the_database_refuses_what_is_not_switched_off(ledger: List, sql: str) -> None:
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_an_erased_person_and_erased_words_break_nothing(ledger: List) -> None:
    Consent.objects.filter(pk=middle()).update(subscriber=None)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE subscribers_consent SET redacted = subscribers_consent_words(source, wording), source = '[erased]'"
            " WHERE id = %s",
            [middle()],
        )

    assert verify().problems == []


def test_what_is_not_committed_yet_is_joined_later(ledger: List) -> None:
    consent_ledger.join_seals()
    Consent.objects.create(list=ledger, kind="given", source="form")

    assert consent_ledger.join_seals() == 1
    assert consent_ledger.join_seals() == 0
    assert verify().problems == []
