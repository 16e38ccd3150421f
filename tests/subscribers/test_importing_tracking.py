"""A file says who may be tracked."""

import io
from typing import Any

import pytest

from composer.models import Publication
from subscribers import exporting, tracking
from subscribers.importing import import_csv
from subscribers.models import List, Subscriber, Subscription, TrackingAnswer
from tests.subscribers.importing import loader

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(publication: Publication) -> Any:
    return loader(publication)


def said() -> dict[str, str]:
    return {row.email.split("@")[0]: row.tracking for row in Subscriber.objects.all()}


def test_words_yes_and_no_and_what_is_not_understood(load: Any) -> None:
    report = load(
        "email,tracking,tracking_at,tracking_wording\n"
        "a@example.com,granted,2026-03-01T10:00:00Z,You may.\n"
        "b@example.com,No,,\n"
        "c@example.com,,,\n"
        "d@example.com,Unsure,,\n"
        "e@example.com,perhaps,,\n"
        "f@example.com,yes,soon,\n"
    )

    assert said() == dict(zip("abcdef", ["granted", "denied", "unknown", "unknown", "unknown", "granted"], strict=True))
    assert [warned.line for warned in report.warnings] == [6, 7]
    assert "'perhaps' is neither granted nor denied" in report.warnings[0].message.replace('"', "'").replace("“", "'")
    first = TrackingAnswer.objects.get(subscriber__email="a@example.com")
    assert (first.at.isoformat(), first.wording, first.source) == (
        "2026-03-01T10:00:00+00:00",
        "You may.",
        "import people.csv",
    )
    assert set(Subscription.objects.values_list("status", flat=True)) == {"active"}


def test_campaign_monitors_own_column(load: Any) -> None:
    report = load(
        "Email address,Name,Subscribed date,Consent to track\na@example.com,A,2026-01-01,Yes\nb@example.com,B,2026-01-01,Unspecified\n"
    )

    assert report.preset == "campaign-monitor"
    assert said() == {"a": "granted", "b": "unknown"}


@pytest.mark.parametrize(
    ("before", "row", "after"),
    [
        ("granted", "denied,", "denied"),
        ("granted", "denied,2020-01-01", "granted"),
        ("denied", "granted,", "denied"),
        ("denied", "granted,2020-01-01", "denied"),
        ("denied", "unknown,", "denied"),
        ("unknown", "granted,", "granted"),
    ],
)
def test_a_refusal_gives_way_to_a_later_yes_only(load: Any, before: str, row: str, after: str) -> None:
    load("email\na@example.com\n")
    if before != "unknown":
        tracking.answer(Subscriber.objects.get().pk, tracking.Tracking(before), source="preferences page")

    report = load(f"email,tracking,tracking_at\na@example.com,{row}\n")

    assert said() == {"a": after}
    assert (report.updated, report.unchanged) == ((1, 0) if before != after else (0, 1))


def test_a_yes_that_is_dated_later_holds(load: Any) -> None:
    load("email,tracking,tracking_at\na@example.com,denied,2026-01-01\n")
    load("email,tracking,tracking_at\na@example.com,granted,2026-02-01\n")

    assert said() == {"a": "granted"}


def test_of_two_rows_with_one_address_the_refusal_holds(load: Any) -> None:
    load("email,tracking\na@example.com,granted\nA@example.com,denied\n")

    assert said() == {"a": "denied"}


@pytest.mark.parametrize("form", exporting.FORMATS)
def test_our_own_export_is_read_back_unchanged_here_and_elsewhere(
    load: Any, publication: Publication, form: str
) -> None:
    load("email\na@example.com\nb@example.com\nc@example.com\n")
    a, b, _ = Subscriber.objects.order_by("email")
    tracking.answer(a.pk, tracking.Tracking.DENIED, source="preferences page", wording="No\nlonger?")
    tracking.answer(b.pk, tracking.Tracking.GRANTED, source="=form", wording="-You may.\\now")
    before = list(TrackingAnswer.objects.values_list("subscriber__email", "answer", "source", "wording", "at"))
    out = io.BytesIO()
    exporting.write(out.write, publication_id=publication.pk, list_ids=[List.objects.get().pk], form=form)

    assert load(out.getvalue()).unchanged == 3
    assert TrackingAnswer.objects.count() == 2
    Subscription.objects.all().delete()
    for reader in Subscriber.objects.all():
        reader.delete()
    import_csv(_file(out), publication_id=publication.pk, list_slug="readers")

    assert said() == {"a": "denied", "b": "granted", "c": "unknown"}
    known = TrackingAnswer.objects.filter(subscriber__isnull=False)
    assert list(known.values_list("subscriber__email", "answer", "source", "wording", "at")) == before


def _file(out: io.BytesIO) -> io.BytesIO:
    file = io.BytesIO(out.getvalue())
    file.name = "people.csv"  # type: ignore[attr-defined]
    return file
