import io
import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from composer.models import Publication
from subscribers import exporting
from subscribers.importing import ImportReport, import_csv
from subscribers.models import Consent, List, Subscriber, Subscription, Suppression
from subscribers.suppression import suppress, unsubscribe

pytestmark = pytest.mark.django_db

NASTY = st.one_of(
    st.sampled_from(
        [
            "=1+1",
            "'=1",
            "''@x",
            "+44",
            "-x",
            "@a",
            "\tx",
            " edge ",
            "a;b|c,d",
            '"',
            '"",',
            "'",
            "\\n",
            "sep=;",
            "Ünïcode \u2028x",
            "{}",
            "[1]",
            "\ufffd",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=40),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(-1e15, 1e15), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)
READER = st.fixed_dictionaries(
    {
        "name": NASTY,
        "language": st.sampled_from(["", "en", "zh-Hans"]),
        "timezone": st.sampled_from(["", "Asia/Singapore"]),
        "tags": st.lists(NASTY, max_size=3),
        "attributes": st.dictionaries(TEXT, VALUES, max_size=4),
        "status": st.sampled_from(["active", "pending", "unsubscribed"]),
        "suppressions": st.lists(
            st.sampled_from(
                ["unsubscribed", "manual", "invalid", "hard_bounce", "soft_bounce", "sunset", "complaint", "everywhere"]
            ),
            max_size=2,
        ),
        "source": NASTY,
        "wording": TEXT,
    }
)


PROFILE = ("name", "language", "timezone", "tags", "attributes")


def exported(readers: List, *, form: str = "csv", **options: Any) -> bytes:
    pieces: list[bytes] = []
    exporting.write(pieces.append, publication_id=readers.publication_id, list_ids=[readers.pk], form=form, **options)
    return b"".join(pieces)


def taken(content: bytes, publication: Publication, *, name: str = "people.csv") -> ImportReport:
    file = io.BytesIO(content)
    file.name = name
    return import_csv(file, publication_id=publication.pk, list_slug="readers")


def everything() -> list[Any]:
    tables = (Subscriber, Subscription, Consent, Suppression)
    return [list(table.objects.order_by("pk").values()) for table in tables]  # type: ignore[attr-defined]


def make(at: int, values: dict[str, Any], readers: List) -> None:
    values = dict(values)
    status, suppressions = values.pop("status"), values.pop("suppressions")
    source, wording = values.pop("source"), values.pop("wording")
    reader = Subscriber.objects.create(email=f"r+{at}'s@example.com", **values)
    Subscription.objects.create(subscriber=reader, list=readers, status=status)
    Consent.objects.create(subscriber=reader, list=readers, kind="given", source=source, wording=wording)
    for reason in suppressions:
        if reason == "unsubscribed":
            unsubscribe(reader.pk, readers.publication_id, "test")
        elif reason == "everywhere":
            suppress(reader.email, "manual")
        else:
            suppress(reader.email, reason, publication_id=readers.publication_id)


@pytest.mark.parametrize("form", exporting.FORMATS)
def test_what_is_exported_is_imported_without_a_change(publication: Publication, make_list: Any, form: str) -> None:
    readers = make_list("readers")

    @settings(
        max_examples=25,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(st.lists(READER, min_size=1, max_size=6))
    def check(people: list[dict[str, Any]]) -> None:
        with transaction.atomic():
            for at, values in enumerate(people):
                make(at, values, readers)
            before = everything()
            report = taken(exported(readers, form=form), publication, name="unsubscribed.csv")
            assert report.rejected == ()
            assert report.preset == "newsdesk"
            assert (report.unchanged, report.rows) == (len(people), len(people))
            assert everything() == before
            transaction.set_rollback(True)

    check()


@pytest.mark.parametrize("form", exporting.FORMATS)
def test_somewhere_else_the_same_readers_are_made(
    publication: Publication, other_publication: Publication, make_list: Any, form: str
) -> None:
    readers = make_list("readers")
    numbers = count()

    @settings(
        max_examples=15,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(st.lists(READER, min_size=1, max_size=4))
    def check(people: list[dict[str, Any]]) -> None:
        with transaction.atomic():
            for values in people:
                make(next(numbers), values, readers)
            content = exported(readers, form=form)
            Suppression.objects.all().delete()
            Subscription.objects.all().delete()
            addresses = dict(Subscriber.objects.values_list("pk", "email"))
            for pk, email in addresses.items():
                Subscriber.objects.filter(pk=pk).update(email=f"old-{email}")
            assert taken(content, other_publication).created == len(people)
            there = List.objects.get(publication=other_publication)
            if form == "jsonl":
                assert said(exported(there, form="jsonl")) == said(content)
            old = Subscriber.objects.filter(pk__in=addresses).values("email", *PROFILE)
            made = Subscriber.objects.exclude(pk__in=addresses).values("email", *PROFILE)
            assert {row.pop("email").removeprefix("old-"): row for row in old} == {
                row.pop("email"): row for row in made
            }
            transaction.set_rollback(True)

    check()


def said(content: bytes) -> dict[str, Any]:
    """By address, without what is told of the way it came."""
    rows = [json.loads(line) for line in content.splitlines()]
    left_out = {"email", "since", "left_at", "consent_source", "consent_at", "consent_wording"}
    return {row["email"]: {key: value for key, value in row.items() if key not in left_out} for row in rows}


def test_a_spreadsheet_finds_no_formula(make_list: Any, make_subscriber: Any) -> None:
    readers = make_list("readers")
    make_subscriber("-ada@example.com", name="=cmd|' /C calc'!A0", tags=["=x"], lists={readers: "active"})

    row = exported(readers).decode().splitlines()[1]

    assert row.startswith("'-ada@example.com,'=cmd|' /C calc'!A0,")
    assert '"[""=x""]"' in row


def test_each_reader_says_what_they_are_and_why(publication: Publication, make_list: Any, make_subscriber: Any) -> None:
    readers = make_list("readers")
    ada = make_subscriber("ada@example.com", lists={readers: "active"})
    at = datetime(2019, 3, 14, 9, 12, 31, tzinfo=UTC)
    Consent.objects.create(subscriber=ada, list=readers, kind="given", source="form", wording="I agree", at=at)
    bob = make_subscriber("bob@example.com", lists={readers: "active"})
    unsubscribe(bob.pk, publication.pk, "one-click")
    make_subscriber("cy@example.com", lists={readers: "unsubscribed"})
    make_subscriber("gone@example.com", lists={readers: "active"})
    suppress("gone@example.com", "erased")

    rows = {row["email"]: row for row in map(json.loads, exported(readers, form="jsonl").splitlines())}

    assert {email: row["status"] for email, row in rows.items()} == {
        "ada@example.com": "active",
        "bob@example.com": "unsubscribed",
        "cy@example.com": "left_list",
    }
    ada_row = rows["ada@example.com"]
    assert (ada_row["consent_at"], ada_row["consent_source"], ada_row["consent_wording"]) == (
        "2019-03-14T09:12:31.000000Z",
        "form",
        "I agree",
    )
    assert ada_row["left_at"] is None
    assert rows["cy@example.com"]["left_at"]


def test_several_lists_are_told_apart_and_a_rule_chooses(
    publication: Publication, make_list: Any, make_subscriber: Any
) -> None:
    one, two = make_list("one"), make_list("two")
    make_subscriber("ada@example.com", lists={one: "active", two: "unsubscribed"}, attributes={"country": "SG"})
    make_subscriber("bob@example.com", lists={one: "active"})
    pieces: list[bytes] = []
    rule = {"field": "attributes.country", "op": "eq", "value": "SG"}

    number = exporting.write(
        pieces.append, publication_id=publication.pk, list_ids=[one.pk, two.pk], rule=rule, form="jsonl"
    )

    (row,) = [json.loads(line) for line in b"".join(pieces).splitlines()]
    assert (number, row["email"], row["status"], row["lists"]) == (
        1,
        "ada@example.com",
        "active",
        "one=active;two=unsubscribed",
    )
