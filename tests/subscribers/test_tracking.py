"""A reader's answer to being tracked, and its proof."""

import pytest
from django.db import IntegrityError, connection, transaction

from composer.models import Publication
from subscribers import tracking
from subscribers.models import Subscriber, TrackingAnswer
from tests import factories
from tests.subscribers.commands import refusal, run, run_json

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def reader(publication: Publication) -> Subscriber:
    return factories.make_subscriber(factories.make_list(publication), email="ada@example.com")


def test_an_answer_is_kept_with_its_source_and_wording_and_once(reader: Subscriber) -> None:
    assert tracking.answer(reader.pk, tracking.Tracking.GRANTED, source="form", wording="You may.")
    assert not tracking.answer(reader.pk, tracking.Tracking.GRANTED, source="form again", wording="You may.")
    assert tracking.answer(reader.pk, tracking.Tracking.DENIED, source="preferences page")

    reader.refresh_from_db()
    assert reader.tracking == "denied"
    assert list(TrackingAnswer.objects.values_list("answer", "source", "wording")) == [
        ("granted", "form", "You may."),
        ("denied", "preferences page", ""),
    ]
    assert reader.subscriptions.get().status == "active"


def test_unknown_is_no_answer_and_nobody_gives_none(reader: Subscriber) -> None:
    with pytest.raises(ValueError, match="no answer"):
        tracking.answer(reader.pk, tracking.Tracking.UNKNOWN, source="form")
    assert not tracking.answer(reader.pk + 1, tracking.Tracking.GRANTED, source="form")


@pytest.mark.parametrize(
    "change", ["UPDATE subscribers_trackinganswer SET answer = 'granted'", "DELETE FROM subscribers_trackinganswer"]
)
def test_answers_are_only_added_to(reader: Subscriber, change: str) -> None:
    tracking.answer(reader.pk, tracking.Tracking.DENIED, source="form")

    with pytest.raises(IntegrityError, match="only grows"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_an_erased_reader_leaves_the_answer_without_a_name(reader: Subscriber) -> None:
    tracking.answer(reader.pk, tracking.Tracking.DENIED, source="form")

    reader.delete()

    assert list(TrackingAnswer.objects.values_list("answer", "subscriber")) == [("denied", None)]


def test_set_reader_writes_down_what_somebody_said(reader: Subscriber) -> None:
    said = run_json("set_reader", "ada@example.com", "--tracking", "granted")

    assert said["tracking"] == "granted"
    (proof,) = said["consents"]
    assert (proof["kind"], proof["list"]) == ("tracking_granted", None)
    assert proof["source"].startswith("command line (")
    assert "consent tracking granted: " in run("reader", "ada@example.com")
    assert "--tracking: 'unknown'" in refusal("set_reader", "ada@example.com", "--tracking", "unknown")
