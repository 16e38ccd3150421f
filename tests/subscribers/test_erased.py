"""Who was erased is recognised by a keyed hash, at every door and by every key that ever was."""

import hashlib
from typing import Any

import pytest
from django.db import connection

from composer.models import Publication
from subscribers.audience import audience
from subscribers.erased import erased_address, erased_forms, is_erased, sql_forms
from subscribers.models import Suppression
from subscribers.sql import SqlCondition
from subscribers.suppression import suppress
from tests.subscribers.importing import Load
from tests.subscribers.test_audience import EVERYBODY, reasons

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.mark.parametrize(
    "address", ["ada@example.com", "Ünï@example.com", "o'neil+x@example.com", "a" * 300 + "@e.example"]
)
def test_sql_and_python_make_the_same_hashes(address: str, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = ["an earlier key of enough characters", "one plan that, long too"]

    made = []
    with connection.cursor() as cursor:
        for form, _ in sql_forms("lower(%s::text)"):
            *keys, text = (*form.params, address)
            cursor.execute(f"SELECT {form}", [*keys, text])
            made.append(cursor.fetchone()[0])

    assert sorted(made) == sorted(erased_forms(address.lower()))
    assert len(set(made)) == 4


def test_the_hash_tells_nothing_without_the_key(settings: Any) -> None:
    kept = erased_address("Ada@Example.com")

    assert kept.startswith("hmac:")
    assert hashlib.sha256(b"ada@example.com").hexdigest() not in kept
    settings.SECRET_KEY = "another key of more than thirty-two characters"
    assert erased_address("ada@example.com") != kept


@pytest.mark.parametrize("restrict", [None, EVERYBODY], ids=["set", "batch"])
@pytest.mark.parametrize("form", ["present key", "earlier key", "no key"])
def test_every_form_keeps_them_out(
    publication: Publication,
    make_list: Any,
    make_subscriber: Any,
    settings: Any,
    load: Load,
    restrict: SqlCondition | None,
    form: str,
) -> None:
    one = make_list()
    make_subscriber("Ada@example.com", lists={one: "active"})
    make_subscriber("bob@example.com", lists={one: "active"})
    if form == "no key":
        Suppression.objects.create(address="sha256:" + hashlib.sha256(b"ada@example.com").hexdigest(), reason="erased")
    else:
        suppress("ada@example.com", "erased")
    if form == "earlier key":
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = (
            "a new key of more than thirty-two chars",
            [settings.SECRET_KEY],
        )

    assert reasons([one], publication, restrict=restrict) == {"Ada@example.com": "erased", "bob@example.com": None}
    assert load("email\nada@example.com\nbob@example.com\n").rejected == ((2, "this reader asked to be erased"),)
    assert is_erased("ADA@example.com")
    assert not is_erased("bob@example.com")


def test_a_key_that_is_gone_recognises_nobody(settings: Any) -> None:
    suppress("ada@example.com", "erased")

    settings.SECRET_KEY = "another key of more than thirty-two characters"

    assert not is_erased("ada@example.com")


def test_nothing_is_hashed_where_nobody_was_erased(
    publication: Publication, make_list: Any, make_subscriber: Any
) -> None:
    one = make_list()
    make_subscriber(lists={one: "active"})
    chosen = audience([one.pk], publication_id=publication.pk)

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {chosen.sql}", chosen.params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.count("One-Time Filter") >= 2, plan
    assert "never executed" in plan
