import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from composer.models import Edition, Publication
from newsdesk.core.errors import InputError, OperationFailedError
from subscribers.models import List
from tasks.models import Recurrence, Send, Slot
from tests.factories import make_approval, make_edition, make_list, make_publication, make_segment, make_send

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.queue.enqueue_send", lambda send_id: True)


@pytest.fixture
def weekly() -> Publication:
    publication = make_publication(slug="city", cadence_weekday=4, cadence_time=dt.time(8), timezone="Asia/Singapore")
    make_list(publication)
    make_segment(publication, {"field": "tags", "op": "has_any", "value": ["vip"]}, "vip")
    return publication


def run(command: str, *words: str) -> dict[str, Any]:
    out = StringIO()
    call_command(command, *words, "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def told(command: str, *words: str) -> str:
    out = StringIO()
    call_command(command, *words, stdout=out)
    return out.getvalue()


def test_recur_stores_it_shows_it_and_ends_it(weekly: Publication) -> None:
    report = run("recur", "city", "--list", "readers", "--segment", "vip", "--local-time", "--late", "0")

    assert {**report, "slots": len(report["slots"])} == {
        "publication": "city", "active": True, "lists": ["readers"], "segment": "vip", "local_time": True,
        "late_minutes": 0, "slots": 4,
    }  # fmt: skip
    draft = Edition.objects.get()
    assert report["slots"][0] == {
        "at": draft.slot.astimezone(weekly.zone).isoformat(), "edition": draft.pk, "approved": False,
    }  # fmt: skip
    assert dt.datetime.fromisoformat(report["slots"][1]["at"]).strftime("%A %H:%M %z") == "Friday 08:00 +0800"
    assert run("recur", "city") == report
    assert f"edition {draft.pk}, not approved yet" in told("recur", "city")
    assert run("recur", "city", "--list", "readers")["late_minutes"] == 720
    assert not run("recur", "city", "--off")["active"]
    assert "nothing is sent by itself" in told("recur", "city")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "there is no 'nowhere'"),
        (("city", "--list", "nobody"), "has no list 'nobody'"),
        (("city", "--list", "readers", "--segment", "few"), "has no segment 'few'"),
        (("city", "--segment", "vip"), "--list: name at least one"),
        (("city", "--late", "0"), "--list: name at least one"),
        (("city", "--list", "readers", "--late", "-1"), "--late: a number of minutes"),
        (("city", "--off", "--list", "readers"), "--off"),
    ],
)
def test_recur_refuses_in_words(weekly: Publication, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        run("recur", *words)

    assert not Recurrence.objects.exists()


def test_without_a_weekly_slot_nothing_recurs() -> None:
    make_list(make_publication(slug="never"))

    with pytest.raises(InputError, match="never has no weekly slot"):
        run("recur", "never", "--list", "readers")
    assert "it has no weekly slot" in told("recur", "never")


def test_holidays_are_added_listed_and_removed(weekly: Publication) -> None:
    first = dt.datetime.fromisoformat(run("recur", "city")["slots"][0]["at"])

    run("holiday", "city", first.date().isoformat(), "--name", "Founders' Day")

    assert run("holiday", "city") == {
        "publication": "city", "holidays": [{"day": first.date().isoformat(), "name": "Founders' Day"}],
    }  # fmt: skip
    assert dt.datetime.fromisoformat(run("recur", "city")["slots"][0]["at"]) > first
    assert run("holiday", "city", first.date().isoformat(), "--remove")["holidays"] == []
    assert run("recur", "city")["slots"][0]["at"] == first.isoformat()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("city", "soon"), "DATE: 'soon'"),
        (("city", "9999-12-31"), "DATE: the year 9999"),
        (("city", "2026-12-25", "--remove"), "is no holiday"),
        (("city", "--remove"), "DATE: say which"),
        (("city", "2026-12-25", "--name", "a\nb"), "one line"),
    ],
)
def test_holiday_refuses_in_words(weekly: Publication, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        run("holiday", *words)


def test_release_by_hand(weekly: Publication) -> None:
    send = make_send(
        approval=make_approval(make_edition(weekly)), status="paused", held_at=timezone.now(), pause_reason="Held."
    )

    assert run("release", str(send.pk), "--next-slot")["status"] == "scheduled"

    slot = Slot.objects.get(send=send)
    send.refresh_from_db()
    assert send.scheduled_at == slot.at > timezone.now()
    assert send.actions.get().who.startswith("command line (")
    with pytest.raises(OperationFailedError, match="is not held"):
        run("release", str(send.pk), "--now")


def test_resume_says_why_it_leaves_a_held_send(weekly: Publication) -> None:
    send = make_send(
        approval=make_approval(make_edition(weekly)), status="paused", held_at=timezone.now(), pause_reason="Ada did."
    )

    with pytest.raises(OperationFailedError, match="it is held: Ada did"):
        run("resume", str(send.pk))


# newsdesk send --local-time


@pytest.fixture
def edition(weekly: Publication) -> Edition:
    return make_approval(make_edition(weekly)).edition


def test_send_at_the_readers_local_time(edition: Edition) -> None:
    words = told("send", str(edition.pk), "--list", "readers", "--at", "2035-12-04T08:00", "--local-time")

    send = Send.objects.get()
    assert send.local_at == "2035-12-04T08:00:00"
    assert send.scheduled_at == dt.datetime(2035, 12, 4, 0, tzinfo=dt.UTC)
    assert "when it is 2035-12-04 08:00 where each reader is, from 2035-12-04 08:00 +08 on" in words
    assert List.objects.get(slug="readers") in send.lists.all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--local-time",), "--local-time: say --at as well"),
        (("--at", "2035-12-04T08:00Z", "--local-time"), "it has no offset"),
        (("--at", "2035-12-04T08:00+08:00", "--local-time"), "it has no offset"),
        (("--at", "eight", "--local-time"), "is not ISO 8601"),
        (("--at", "0001-01-01T00:00", "--local-time"), "the year 1 cannot"),
    ],
)
def test_send_refuses_local_times_it_cannot_mean(edition: Edition, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        run("send", str(edition.pk), "--list", "readers", *words)

    assert not Send.objects.exists()
