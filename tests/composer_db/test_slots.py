import datetime as dt
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from composer.models import Edition, Holiday
from composer.next_edition import draft_for_slot, move_to_slot
from composer.slots import Cadence, next_free_slot, next_slot, upcoming

UTC = dt.UTC
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Singapore", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
moments = st.datetimes(dt.datetime(2005, 1, 1), dt.datetime(2037, 1, 1), timezones=st.just(UTC))


def comes(local: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of the zone ever show this time."""
    return any(
        local.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local
        for fold in (0, 1)
    )


@given(
    weekday=st.integers(0, 6),
    time=st.times().map(lambda time: time.replace(second=0, microsecond=0)),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    after=moments,
)
@example(weekday=6, time=dt.time(2, 30), zone=ZoneInfo("Europe/Berlin"), after=dt.datetime(2026, 3, 20, tzinfo=UTC))
@example(weekday=4, time=dt.time(9), zone=ZoneInfo("Pacific/Apia"), after=dt.datetime(2011, 12, 20, tzinfo=UTC))
def test_slots_stand_on_their_day_and_time_by_the_publications_clock(
    weekday: int, time: dt.time, zone: ZoneInfo, after: dt.datetime
) -> None:
    found = list(islice(upcoming(Cadence(weekday=weekday, time=time, zone=zone), after), 60))

    assert found == sorted(set(found))
    assert after < found[0] <= after + dt.timedelta(days=8)
    for at in found:
        local = at.astimezone(zone)
        day = local.date() - dt.timedelta(days=(local.weekday() - weekday) % 7)
        meant = dt.datetime.combine(day, time)
        # Or the clocks skip that time, and it is later by a gap.
        assert local.replace(tzinfo=None) == meant or not comes(meant, zone)
    days = [at.astimezone(zone).date() for at in found]
    assert all(6 <= (later - earlier).days <= 8 for earlier, later in pairwise(days))


def test_they_keep_their_time_when_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    cadence = Cadence(weekday=4, time=dt.time(8), zone=berlin)

    found = list(islice(upcoming(cadence, dt.datetime(2026, 3, 26, tzinfo=UTC)), 2))

    assert found == [dt.datetime(2026, 3, 27, 7, tzinfo=UTC), dt.datetime(2026, 4, 3, 6, tzinfo=UTC)]


def test_a_slot_that_the_clocks_skip_is_moved_forward_and_of_two_the_first_counts() -> None:
    cadence = Cadence(weekday=6, time=dt.time(2, 30), zone=ZoneInfo("Europe/Berlin"))

    spring = next(upcoming(cadence, dt.datetime(2026, 3, 28, tzinfo=UTC)))
    autumn = list(islice(upcoming(cadence, dt.datetime(2026, 10, 24, tzinfo=UTC)), 2))

    assert spring == dt.datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert autumn == [dt.datetime(2026, 10, 25, 0, 30, tzinfo=UTC), dt.datetime(2026, 11, 1, 1, 30, tzinfo=UTC)]


@given(after=moments, weeks=st.sets(st.integers(0, 9), max_size=9))
def test_holidays_are_left_out_and_nothing_else(after: dt.datetime, weeks: set[int]) -> None:
    zone = ZoneInfo("Asia/Singapore")
    plain = Cadence(weekday=2, time=dt.time(7, 15), zone=zone)
    ten = list(islice(upcoming(plain, after), 10))
    left_out = {ten[week].astimezone(zone).date() for week in weeks}

    kept = list(islice(upcoming(Cadence(weekday=2, time=plain.time, zone=zone, holidays=left_out), after), 10))

    assert kept[: 10 - len(weeks)] == [at for week, at in enumerate(ten) if week not in weeks]


def test_the_moment_of_a_slot_itself_is_over() -> None:
    cadence = Cadence(weekday=4, time=dt.time(8), zone=ZoneInfo("UTC"))
    first = next(upcoming(cadence, dt.datetime(2026, 12, 1, tzinfo=UTC)))

    assert next(upcoming(cadence, first)) == first + dt.timedelta(days=7)


in_database = pytest.mark.django_db


@pytest.fixture
def weekly(make_publication: Any) -> Any:
    return make_publication(cadence_weekday=4, cadence_time=dt.time(8), timezone="Asia/Singapore")


@in_database
def test_the_next_free_slot_is_no_holiday_and_nobodys(weekly: Any, make_publication: Any) -> None:
    after = dt.datetime(2026, 12, 1, tzinfo=UTC)
    Holiday.objects.create(publication=weekly, day=dt.date(2026, 12, 11))
    first = next_slot(weekly, after)
    assert first == dt.datetime(2026, 12, 4, 0, tzinfo=UTC)
    assert draft_for_slot(weekly, first)

    assert next_free_slot(weekly, after) == dt.datetime(2026, 12, 18, 0, tzinfo=UTC)
    assert next_slot(make_publication(slug="never"), after) is None
    assert next_free_slot(make_publication(slug="nor"), after) is None


@in_database
def test_the_next_draft_has_the_last_ones_frame_and_is_made_once(weekly: Any) -> None:
    last = Edition(publication=weekly, title="Last week", closing="<p>Goodbye.</p>", call_to_action_label="Join us")
    last.save()
    slot = dt.datetime(2026, 12, 4, tzinfo=UTC)

    made = draft_for_slot(weekly, slot)

    assert made is not None
    assert (made.number, made.closing, made.call_to_action_label, made.slot) == (2, last.closing, "Join us", slot)
    assert made.latest_revision is not None
    assert made.approval is None
    assert draft_for_slot(weekly, slot) is None
    assert Edition.objects.count() == 2


@in_database
def test_moving_a_draft_leaves_its_last_editor_and_takes_no_slot_from_another(
    weekly: Any, django_user_model: Any
) -> None:
    grace = django_user_model.objects.create_user("grace")
    one, two = (dt.datetime(2026, 12, day, tzinfo=UTC) for day in (4, 11))
    first, second = draft_for_slot(weekly, one), draft_for_slot(weekly, two)
    assert first is not None
    assert second is not None
    first.save_revision(user=grace)

    assert not move_to_slot(first, two)
    assert (first.slot, Edition.objects.get(pk=first.pk).slot) == (one, one)
    assert move_to_slot(first, dt.datetime(2026, 12, 18, tzinfo=UTC))
    assert Edition.objects.get(pk=first.pk).latest_revision.user == grace
