"""The result of an edition: the counts of `status`, clicks by story, link and hour, and the editions before it."""

from itertools import permutations
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from composer.composition import compose
from composer.digest import parse
from composer.models import Edition
from tasks.approvals.approving import approve_edition, reopen_edition
from tasks.models import Event, Send
from tasks.sends import results as counting
from tasks.sends.counts import as_json, counts
from tasks.sends.results import Results, results
from tests import factories
from tests.reports import World, deliver, make_world

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

DIGEST = b"""The week in rivers

Three stories about water, and what it did to the towns beside it this week.

1. Rivers rise in the north
The water stood at the quay on Tuesday, and nobody remembers when it last did so.
https://example.com/rivers

2. A bridge is closed
Engineers found a crack on Wednesday night and closed it for the whole of the winter.
https://example.com/bridge

3. The library reopens
Its roof is new, its hours are longer, and the readers were there before the doors.
"""
RIVERS, BRIDGE, ELSEWHERE = "https://example.com/rivers", "https://example.com/bridge", "https://example.com/about"
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 13_2 like Mac OS X) AppleWebKit/605"
HOUR = 3600


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    cache.clear()


@pytest.fixture
def edition() -> Edition:
    return compose(factories.make_publication(), digest=parse(DIGEST))


@pytest.fixture
def world(edition: Edition) -> World:
    approval = approve_edition(edition, None)
    return make_world(4, approval=approval, prepared_at=timezone.now() - timezone.timedelta(hours=30), candidates=4)


def began(world: World) -> int:
    return int(world.send.prepared_at.timestamp())


def click(world: World, reader: int, url: str, *, hour: float = 1.0, **fields: Any) -> dict[str, Any]:
    at = began(world) + int(hour * HOUR)
    return world.report(reader, "click", url=url, useragent=AGENT, timestamp=at, **fields)


def of(world: World) -> Results:
    send = Send.objects.get(pk=world.send.pk)
    found = results(send.edition, [send], [counts(send)])
    assert found is not None
    return found


def by_story(found: Results) -> list[tuple[int, str, int, int]]:
    return [(one.number, one.headline, one.people, one.clicks) for one in found.stories]


def test_people_are_counted_for_each_story_once(world: World) -> None:
    deliver(
        click(world, 0, RIVERS),
        click(world, 0, RIVERS, hour=2),
        click(world, 1, RIVERS),
        click(world, 1, BRIDGE, hour=3),
        click(world, 2, ELSEWHERE),
    )

    found = of(world)

    assert by_story(found) == [
        (1, "Rivers rise in the north", 2, 3),
        (2, "A bridge is closed", 1, 1),
        (3, "The library reopens", 0, 0),
    ]
    assert [one.is_linked for one in found.stories] == [True, True, False]
    assert [(one.url, one.story, one.people, one.clicks) for one in found.links] == [
        (RIVERS, 1, 2, 3),
        (ELSEWHERE, 0, 1, 1),
        (BRIDGE, 2, 1, 1),
    ]
    assert found.totals.clicked == 3


def test_links_in_a_storys_text_are_the_storys(edition: Edition) -> None:
    content = edition.content.get_prep_value()
    content[0]["value"]["body"] += f'<p><a href="{ELSEWHERE}">More</a></p>'
    edition.content = edition.content.stream_block.to_python(content)
    edition.save()
    world = make_world(1, approval=approve_edition(edition, None))

    deliver(click(world, 0, ELSEWHERE), click(world, 0, RIVERS, hour=2))

    assert by_story(of(world))[0] == (1, "Rivers rise in the north", 1, 2)


def test_the_figures_are_those_of_status_in_whatever_order_and_however_often_events_come(world: World) -> None:
    reports = [
        world.report(0, "delivered", timestamp=began(world)),
        world.report(1, "bounce", type="bounce", reason="550 no such user", timestamp=began(world)),
        click(world, 0, RIVERS),
        world.report(2, "spamreport"),
    ]
    for order in permutations(reports):
        deliver(*order)
    for report in reversed(reports):
        deliver(report)

    found, told = of(world), as_json(world.send)

    names = (
        "delivered",
        "bounced",
        "complained",
        "unsubscribed",
        "opened",
        "clicked",
        "submitted",
        "unknown",
        "failed",
    )
    assert {name: getattr(found.totals, name) for name in names} == {name: told[name] for name in names}
    assert (found.totals.delivered, found.totals.bounced, found.totals.complained, found.totals.clicked) == (1, 1, 1, 1)
    assert by_story(found)[0][2:] == (1, 1)


def test_what_machines_did_counts_for_nobody(world: World) -> None:
    scan = [
        world.report(0, "click", url=url, useragent=AGENT, timestamp=began(world) + second)
        for second, url in enumerate((RIVERS, BRIDGE, ELSEWHERE))
    ]
    deliver(
        world.report(0, "delivered", timestamp=began(world)),
        *scan,
        world.report(1, "open", sg_machine_open=True),
        world.report(1, "open", sg_machine_open=True),
        world.report(2, "open", useragent=AGENT),
    )

    found = of(world)

    assert Event.objects.filter(kind="clicked", machine=True).count() == 3
    assert (found.totals.clicked, found.links, [one.people for one in found.stories]) == (0, (), [0, 0, 0])
    assert (found.totals.opened, found.machine_opens) == (1, 1)


def test_hours_count_each_reader_at_the_first_click(world: World) -> None:
    deliver(click(world, 0, RIVERS, hour=5.5), click(world, 1, RIVERS, hour=1.5))
    # Reported last, and earlier than the other.
    deliver(click(world, 0, BRIDGE, hour=0.5))

    by_hour = of(world).by_hour

    assert len(by_hour) == 31
    assert by_hour[:3] == (1, 2, 2)
    assert by_hour[-1] == 2


def test_stories_are_those_that_were_approved_also_after_an_edit(world: World, edition: Edition) -> None:
    edition.refresh_from_db()
    deliver(click(world, 0, RIVERS))
    Send.objects.update(status=Send.Status.SENT)
    reopen_edition(edition, None)
    edition.refresh_from_db()
    edition.content = []
    edition.save()
    edition.save_revision()
    cache.clear()

    assert by_story(of(world))[0] == (1, "Rivers rise in the north", 1, 1)


def test_several_sends_are_added_up(world: World) -> None:
    rest = make_world(1, approval=world.send.approval, candidates=1)
    # The reader who came meanwhile.
    deliver(click(world, 0, RIVERS), click(rest, 4, RIVERS))
    sends = [Send.objects.get(pk=one.send.pk) for one in (world, rest)]

    found = results(sends[0].edition, sends, [counts(send) for send in sends])

    assert found is not None
    assert (found.totals.submitted, found.totals.clicked, found.stories[0].people) == (5, 2, 2)


def test_nothing_came_of_what_was_not_prepared(edition: Edition) -> None:
    send = factories.make_send(approval=approve_edition(edition, None))

    assert results(edition, [send], [counts(send)]) is None


def test_the_editions_before_it_are_the_last_ten_of_its_publication(world: World) -> None:
    publication = world.send.edition.publication
    before = [
        make_world(
            1,
            approval=factories.make_approval(factories.make_edition(publication)),
            prepared_at=timezone.now() - timezone.timedelta(days=7 * weeks),
        )
        for weeks in range(1, 13)
    ]
    make_world(1)
    later = factories.make_approval(factories.make_edition(publication))
    make_world(1, approval=later, prepared_at=timezone.now())
    deliver(before[0].report(0, "delivered"))

    earlier = of(world).earlier

    assert [one.edition_id for one in earlier] == [one.send.edition_id for one in reversed(before[:10])]
    assert [(one.submitted, one.delivered) for one in earlier] == [(1, 0)] * 9 + [(1, 1)]


def test_many_clicks_are_counted_once_a_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_MANY", 0)
    deliver(click(world, 0, RIVERS))
    of(world)
    deliver(click(world, 1, RIVERS))

    found = of(world)

    # The outcomes are of the moment, the stories a minute old.
    assert (found.totals.clicked, found.stories[0].people) == (2, 1)
