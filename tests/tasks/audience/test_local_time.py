"""A time on every reader's own clock: the rule by itself, and what sends make of it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.audience import freezing, local_time
from tasks.models import Batch, Delivery, Send
from tasks.preparation import preparing
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.sends.scheduling import SchedulingError, schedule
from tests.factories import make_approval, make_edition, make_list, make_publication, make_segment, make_subscriber

ZONES = [
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
    "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "America/Santiago", "UTC",
]  # fmt: skip
SINGAPORE = ZoneInfo("Asia/Singapore")
dates = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31)).map(lambda at: at.replace(microsecond=0))


def offsets_around(local: datetime, zone: ZoneInfo) -> list[timedelta]:
    """Every offset the zone has within two days of the time, in order, asked hour by hour in UTC."""
    middle = local.replace(tzinfo=UTC)
    hours = [middle + timedelta(hours=hour) for hour in range(-48, 49)]
    return [offset for at in hours if (offset := at.astimezone(zone).utcoffset()) is not None]


@given(local=dates, name=st.sampled_from(ZONES))
@example(local=datetime(2026, 3, 29, 2, 30), name="Europe/Berlin")
@example(local=datetime(2026, 10, 25, 2, 30), name="Europe/Berlin")
@example(local=datetime(2026, 4, 5, 1, 45), name="Australia/Lord_Howe")
@example(local=datetime(2026, 10, 4, 2, 10), name="Australia/Lord_Howe")
@example(local=datetime(2011, 12, 30, 12, 0), name="Pacific/Apia")
def test_the_first_of_two_and_forward_by_the_gap(local: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    offsets = offsets_around(local, zone)
    candidates = {local.replace(tzinfo=UTC) - offset for offset in offsets}
    shown = [at for at in candidates if at.astimezone(zone).replace(tzinfo=None) == local]

    found = local_time.moment(local, zone)

    if shown:
        assert found == min(shown)
    else:
        moved = found.astimezone(zone).replace(tzinfo=None) - local
        jumps = {after - before for before, after in pairwise(offsets) if after > before}
        assert moved in jumps


def test_the_rules_by_example() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    skipped = local_time.moment(datetime(2026, 3, 29, 2, 30), berlin)
    twice = local_time.moment(datetime(2026, 10, 25, 2, 30), berlin)

    assert skipped == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert f"{skipped.astimezone(berlin):%H:%M}" == "03:30"
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert local_time.is_skipped(datetime(2026, 3, 29, 2, 30), berlin)
    assert not local_time.is_skipped(datetime(2026, 10, 25, 2, 30), berlin)


@given(unknown=st.sampled_from(["", "Mars/Olympus", "../../etc/passwd", "Europe", "berlin", "\x00"]), local=dates)
def test_without_a_known_timezone_it_is_the_publications(unknown: str, local: datetime) -> None:
    assert local_time.moments(local, [unknown], usual=SINGAPORE) == {unknown: local_time.moment(local, SINGAPORE)}


@given(names=st.lists(st.sampled_from([*ZONES, "", "Nowhere"])), local=dates)
def test_the_first_moment_is_nobodys_later(names: list[str], local: datetime) -> None:
    first = local_time.first_moment(local, names, usual=SINGAPORE)

    each = local_time.moments(local, names, usual=SINGAPORE)
    assert set(each) == set(names)
    assert all(first <= at for at in each.values())
    assert first in each.values() or not names


# Scheduling


@pytest.fixture
def readers(db: None) -> Any:
    return make_list(make_publication(timezone="Asia/Singapore"))


def approved(readers: Any) -> Any:
    return make_approval(make_edition(readers.publication)).edition


def tomorrow_at_eight() -> datetime:
    return (timezone.now() + timedelta(days=3)).replace(hour=8, minute=0, second=0, microsecond=0, tzinfo=None)


def test_it_is_due_when_it_is_that_time_for_the_first_reader(readers: Any) -> None:
    for zone in ("America/New_York", "Pacific/Auckland", "Europe/Berlin"):
        make_subscriber(readers, timezone=zone)
    make_subscriber(readers, timezone="Pacific/Kiritimati", status="unsubscribed")
    local = tomorrow_at_eight()

    send = schedule(approved(readers), lists=[readers], local_at=local)

    assert send.local_at == local.isoformat()
    assert send.scheduled_at == local_time.moment(local, ZoneInfo("Pacific/Auckland"))
    assert send.sender_domain == "example.com"
    assert send.actions.get().what == "scheduled"


def test_without_readers_it_is_due_by_the_publications_clock_and_never_before_now(readers: Any) -> None:
    local = tomorrow_at_eight()

    send = schedule(approved(readers), lists=[readers], local_at=local)
    late = schedule(approved(readers), lists=[readers], local_at=local - timedelta(days=30))

    assert send.scheduled_at == local_time.moment(local, SINGAPORE)
    assert abs(late.scheduled_at - timezone.now()) < timedelta(minutes=1)


@pytest.mark.parametrize("year", [1970, 8999])
def test_years_that_every_clock_can_show_are_taken(readers: Any, year: int) -> None:
    assert (
        schedule(approved(readers), lists=[readers], local_at=datetime(year, 6, 1, 8)).local_at
        == f"{year}-06-01T08:00:00"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"local_at": datetime(2026, 12, 4, 8, tzinfo=UTC)}, "no offset"),
        ({"local_at": datetime(2026, 12, 4, 8), "at": datetime(2026, 12, 4, 8, tzinfo=UTC)}, "not both"),
        ({"local_at": datetime(1969, 12, 31)}, "the year 1969"),
        ({"local_at": datetime(9000, 1, 1)}, "the year 9000"),
    ],
)
def test_what_makes_no_sense_is_refused(readers: Any, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(SchedulingError, match=said):
        schedule(approved(readers), lists=[readers], **fields)


# Preparation


def moments_of(send: Send) -> dict[str, datetime]:
    """Reader's name → when their batch may go."""
    from subscribers.models import Subscriber

    batches = dict(Batch.objects.filter(send=send).values_list("pk", "not_before"))
    names = dict(Subscriber.objects.values_list("pk", "name"))
    return {names[one.subscriber_id]: batches[one.batch_id] for one in Delivery.objects.filter(send_id=send.pk)}


def test_each_reader_gets_it_at_that_time_on_their_clock(readers: Any, fake_queue: Any) -> None:
    local = datetime(*timezone.now().timetuple()[:5]) + timedelta(hours=3)
    zones = {"past": "Asia/Tokyo", "same": "Pacific/Pohnpei", "later": "America/Lima", "also": "America/Bogota"}
    for name, zone in zones.items():
        make_subscriber(readers, name=name, timezone=zone)
    make_subscriber(readers, name="lost", timezone="Mars/Olympus")
    make_subscriber(readers, name="none")
    make_subscriber(readers, name="gone", timezone="Asia/Dubai", status="unsubscribed")
    send = schedule(approved(readers), lists=[readers], local_at=local)

    prepared = preparing.prepare(send.pk)

    send.refresh_from_db()
    assert prepared is not None
    assert (prepared.deliveries, prepared.excluded, counts(send).adds_up) == (6, {"unsubscribed": 1}, True)
    found = moments_of(send)
    lima = local_time.moment(local, ZoneInfo("America/Lima"))
    assert found["later"] == found["also"] == lima
    now = timezone.now()
    assert all(found[name] <= now for name in ("past", "same", "lost", "none"))
    # Lima and Bogota share a batch, and so do all whose time is past.
    sizes = Counter(Batch.objects.filter(send=send).values_list("size", flat=True))
    assert sizes == Counter([2, 4])
    assert fake_queue.batches == list(Batch.objects.filter(send=send, size=4).values_list("pk", flat=True))


def test_batches_are_cut_by_variant_and_moment(readers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezing, "BATCH_SIZE", 2)
    vip = {"field": "tags", "op": "has_any", "value": ["vip"]}
    for number in range(12):
        zone = "America/Lima" if number % 2 else "America/Los_Angeles"
        make_subscriber(readers, timezone=zone, tags=["vip"] if number % 3 == 0 else [])
    approval = make_approval(
        make_edition(readers.publication),
        audience_rules={"vip": vip},
        variants=[{"audiences": [["vip"]]}, {"audiences": [[]]}],
    )
    local = datetime(*timezone.now().timetuple()[:5]) + timedelta(hours=1)
    send = schedule(approval.edition, lists=[readers], local_at=local, segment=make_segment(readers.publication, vip))
    everybody = schedule(approval.edition, lists=[readers], local_at=local)
    Send.objects.update(scheduled_at=timezone.now())

    assert preparing.prepare(send.pk)
    assert preparing.prepare(everybody.pk)

    by_batch = Counter(Delivery.objects.values_list("batch_id", flat=True))
    assert by_batch == dict(Batch.objects.values_list("pk", "size"))
    assert max(by_batch.values()) == 2
    groups = Counter(Batch.objects.filter(send=everybody).values_list("variant__position", "not_before"))
    # Four in Lima and four in Los Angeles are left, none of them in the segment.
    assert sorted(groups.values()) == [2, 2]


def test_only_batches_that_are_due_are_enqueued_after_a_pause(readers: Any, fake_queue: Any) -> None:
    make_subscriber(readers, timezone="America/Lima")
    local = datetime(*timezone.now().timetuple()[:5]) + timedelta(hours=1)
    send = schedule(approved(readers), lists=[readers], local_at=local)
    Send.objects.update(scheduled_at=timezone.now())
    assert preparing.prepare(send.pk)
    control.pause(send.pk, "lunch")

    assert control.resume(send.pk)

    assert fake_queue.batches == []
    assert counts(send).pending == 1
