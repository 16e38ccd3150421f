"""Sources fetched again two hours before an edition goes out, from a real server on loopback into checks and alarms."""

import datetime as dt
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from composer.intake import take_in
from composer.models import Edition, Publication, Story
from tasks.approvals.approving import check_edition
from tasks.http.hosts import MOST_PER_HOST
from tasks.models import Alarm, Send, SourceCheck
from tasks.slots import slot_outcomes
from tasks.sources import addresses, staleness
from tests.factories import make_approval, make_edition, make_editor, make_publication, make_send, make_subscriber
from tests.site import Site
from tests.tasks.slots.weekly import make_weekly, recurring, slot_of

pytestmark = pytest.mark.django_db
NEAR = dt.timedelta(hours=1, minutes=59)
TEXT = "The council voted nine to four on Tuesday night to close Quay Road. " * 12
BEFORE = TEXT + "The work will take 14 months and cost 57 million euros until 3 March 2027."


def page(headline: str, text: str) -> bytes:
    paragraphs = "".join(f"<p>{part}.</p>" for part in text.split(". "))
    return (
        f"<html><head><title>{headline}</title></head><body><article><h1>{headline}</h1>{paragraphs}</article>".encode()
    )


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staleness, "PAUSE", 0.0)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture
def publication() -> Publication:
    return make_publication()


def show(site: Site, headline: str = "Quay Road closes", text: str = BEFORE, *, path: str = "/quay") -> str:
    return site.put(path, page(headline, text), Content_Type="text/html; charset=utf-8")


def edition_of(publication: Publication, site: Site, *urls: str, ahead: dt.timedelta | None = NEAR) -> Edition:
    """With a story of each page as it is now."""
    stories = [take_in(publication, addresses.fetched(url, site.guard)).stories[0] for url in urls]
    slot = timezone.now() + ahead if ahead else None
    lede = "It costs 57 million euros, and takes 14 months until 3 March."
    blocks = [
        ("story", {"story": story, "headline": story.headline, "lede": lede, "source_url": story.source_url})
        for story in stories
    ]
    edition = make_edition(publication, title="The week", slot=slot, content=blocks)
    edition.save_revision(clean=False)
    site.asked.clear()
    return edition


def warnings(edition: Edition) -> dict[str, str]:
    found = check_edition(Edition.objects.get(pk=edition.pk))
    return {one.code: f"{one.where}: {one.message}" for one in found if one.code.startswith("source.")}


def alarms() -> list[str]:
    return list(Alarm.objects.filter(code="source_changed", cleared_at=None).values_list("message", flat=True))


def test_nothing_is_fetched_while_no_slot_is_near(site: Site, publication: Publication) -> None:
    edition_of(publication, site, show(site), ahead=dt.timedelta(hours=2, minutes=5))
    edition_of(publication, site, show(site), ahead=None)
    edition_of(publication, site, show(site), ahead=-dt.timedelta(minutes=5))

    assert staleness.check_due(guard=site.guard) == 0
    assert not site.asked
    assert not SourceCheck.objects.exists()


def test_a_source_that_is_as_it_was_is_not_spoken_of(site: Site, publication: Publication) -> None:
    edition = edition_of(publication, site, show(site))

    assert staleness.check_due(guard=site.guard) == 1

    assert site.asked == {"/quay": 1}
    assert (warnings(edition), alarms()) == ({}, [])


def test_a_changed_headline_and_a_changed_figure_are_named(site: Site, publication: Publication) -> None:
    make_editor(email="ada@example.com")
    edition = edition_of(publication, site, show(site))
    show(site, "Quay Road stays open", BEFORE.replace("57", "75").replace("3 March", "5 May"))

    staleness.check_due(guard=site.guard)

    assert warnings(edition)["source.headline"] == (
        "story 1: the source's headline was “Quay Road closes” and is now “Quay Road stays open”; read it again"
    )
    figures = [one.message for one in check_edition(edition) if one.code == "source.figure"]
    assert figures == [
        "3 March no longer stands in the source: the nearest there is 5 May 2027; read it again",
        "57 million no longer stands in the source: the nearest there is 75 million; read it again",
    ]
    (alarm,) = alarms()
    assert "The week (No. 1), 2" in alarm
    assert "(UTC): story 1, “Quay Road closes”: the source's headline was" in alarm
    assert "57 million no longer stands in the source" in alarm
    assert Alarm.objects.get().mailed_at is not None


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (410, 1), (503, 3)])
def test_a_source_that_is_gone(site: Site, publication: Publication, status: int, asked: int) -> None:
    edition = edition_of(publication, site, show(site))
    site.put("/quay", b"", status=status)

    staleness.check_due(guard=site.guard)

    assert site.asked == {"/quay": asked}
    assert warnings(edition)["source.gone"] == (
        f"story 1: the source is gone (the server answers {status}); see whether the story still stands"
    )
    assert "the source is gone" in alarms()[0]


def test_a_server_that_fails_once_is_asked_again(site: Site, publication: Publication) -> None:
    edition = edition_of(publication, site, show(site))
    site.fail_first("/quay", status=503)

    staleness.check_due(guard=site.guard)

    assert site.asked == {"/quay": 2}
    assert (warnings(edition), alarms()) == ({}, [])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 403, "body": b""}, "the server answers 403"),
        ({"body": page("Quay Road closes", "Accept our cookies.")}, "the page shows hardly any text now"),
        ({"body": b"%PDF", "Content_Type": "application/pdf"}, "it is application/pdf"),
    ],
)
def test_what_cannot_be_compared_is_a_warning_without_an_alarm(
    site: Site, publication: Publication, answer: dict[str, Any], reason: str
) -> None:
    edition = edition_of(publication, site, show(site))
    site.put("/quay", **answer)

    staleness.check_due(guard=site.guard)

    assert reason in warnings(edition)["source.not_compared"]
    assert alarms() == []


def test_each_slot_is_looked_at_once_and_another_one_again(site: Site, publication: Publication) -> None:
    edition = edition_of(publication, site, show(site))
    site.put("/quay", b"", status=404)
    assert staleness.check_due(guard=site.guard) == 1
    assert staleness.check_due(guard=site.guard) == 0
    assert site.asked == {"/quay": 1}

    show(site)
    Edition.objects.filter(pk=edition.pk).update(slot=timezone.now() + dt.timedelta(minutes=30))
    assert staleness.check_due(guard=site.guard) == 1

    # It is back: the newer look is what counts.
    assert (warnings(edition), alarms()) == ({}, [])


class _KilledError(BaseException):
    """As SIGKILL: nothing catches it."""


def test_a_worker_that_dies_in_the_middle_is_followed(
    site: Site, publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_of(publication, site, show(site))
    site.put("/quay", b"", status=404)
    with monkeypatch.context() as patch:
        patch.setattr(staleness, "raise_alarm", _killed)
        with pytest.raises(_KilledError):
            staleness.check_due(guard=site.guard)
    assert (warnings(edition), alarms()) == ({}, [])  # findings and alarm come together

    assert staleness.check_due(guard=site.guard) == 0  # the claim may be a living worker's
    SourceCheck.objects.update(claimed_at=timezone.now() - staleness.LEASE - dt.timedelta(seconds=1))
    assert staleness.check_due(guard=site.guard) == 1
    assert staleness.check_due(guard=site.guard) == 0
    assert len(alarms()) == 1


def _killed(*_: object, **__: object) -> None:
    raise _KilledError


def test_while_nothing_answers_nothing_is_said_to_be_gone(site: Site, publication: Publication) -> None:
    edition = edition_of(publication, site, show(site))
    edition.content[0].value["source_url"] = (
        f"http://nobody.invalid:{site.port}/a"  # no server has this name (RFC 2606)
    )
    edition.save_revision(clean=False)

    staleness.check_due(guard=site.guard)

    assert set(warnings(edition)) == {"source.not_compared"}
    assert alarms() == []
    SourceCheck.objects.update(claimed_at=timezone.now() - staleness.LEASE - dt.timedelta(seconds=1))
    assert staleness.check_due(guard=site.guard) == 1  # until the moment has come


def test_a_name_that_is_gone_is_told_where_another_server_answers(
    site: Site, publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_of(publication, site, show(site), show(site, "Trams run", path="/trams"))
    edition.content[1].value["source_url"] = f"http://nobody.invalid:{site.port}/a"
    edition.save_revision(clean=False)
    real = socket.getaddrinfo

    def resolver(host: str, *rest: Any, **more: Any) -> Any:
        if host == "nobody.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *rest, **more)

    # What a resolver with a network says of it; this machine may have none.
    monkeypatch.setattr(socket, "getaddrinfo", resolver)

    staleness.check_due(guard=site.guard)

    assert "story 2: the source is gone" in warnings(edition)["source.gone"]


def test_a_scheduled_send_is_looked_at_and_its_slot_no_second_time(site: Site) -> None:
    publication = make_weekly(ahead=NEAR)
    recurring(publication)
    edition = edition_of(publication, site, show(site), ahead=None)
    Edition.objects.filter(pk=edition.pk).update(slot=slot_of(publication, ahead=NEAR))
    edition.refresh_from_db()
    assert staleness.check_due(guard=site.guard) == 1
    make_approval(edition)
    slot_outcomes.decide(edition.pk)
    assert Send.objects.get().slot.at == edition.slot
    assert staleness.check_due(guard=site.guard) == 0

    by_hand = edition_of(publication, site, show(site, "Trams run", path="/trams"), ahead=None)
    make_send(approval=make_approval(by_hand), lists=[], scheduled_at=timezone.now() + NEAR)
    assert staleness.check_due(guard=site.guard) == 1
    assert SourceCheck.objects.count() == 2


def test_a_slot_at_the_readers_time_is_looked_at_before_the_first_reader_gets_it(site: Site) -> None:
    ahead = dt.timedelta(hours=10)
    publication = make_weekly(ahead=ahead)
    recurrence = recurring(publication, local_time=True)
    make_subscriber(recurrence.lists.get(), timezone="Asia/Tokyo")  # nine hours ahead of UTC
    edition = edition_of(publication, site, show(site), ahead=None)
    Edition.objects.filter(pk=edition.pk).update(slot=slot_of(publication, ahead=ahead))

    assert staleness.check_due(guard=site.guard) == 1


def test_a_host_has_two_connections_at_most_and_each_page_is_fetched_once(site: Site, publication: Publication) -> None:
    urls = [show(site, f"Story number {number}", path=f"/{number}") for number in range(12)]
    edition_of(publication, site, *urls, urls[0])
    site.most_at_once = 0

    staleness.check_due(guard=site.guard)

    assert set(site.asked.values()) == {1}
    assert 0 < site.most_at_once <= MOST_PER_HOST


def test_mending_the_story_settles_the_warning(site: Site, publication: Publication) -> None:
    edition = edition_of(publication, site, show(site))
    show(site, text=BEFORE.replace("57", "75"))
    staleness.check_due(guard=site.guard)
    assert "source.figure" in warnings(edition)

    edition.content[0].value["lede"] = "It costs 75 million euros."
    edition.save_revision(clean=False)

    assert "source.figure" not in warnings(edition)


def test_what_fails_for_one_edition_keeps_no_other_waiting(
    site: Site, publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = edition_of(publication, site, show(site))
    fine = edition_of(publication, site, show(site, "Trams run", path="/trams"), ahead=NEAR - dt.timedelta(minutes=1))
    site.put("/trams", b"", status=404)
    real = staleness.sourced_stories

    def one_fails(edition: Edition) -> Any:
        if edition.pk == broken.pk:
            raise LookupError("nobody thought of it")
        return real(edition)

    monkeypatch.setattr(staleness, "sourced_stories", one_fails)
    assert staleness.check_due(guard=site.guard) == 2
    assert "source.gone" in warnings(fine)


def test_a_feeds_story_may_be_worded_otherwise_on_its_page(site: Site, publication: Publication) -> None:
    edition = edition_of(publication, site, show(site))
    Story.objects.update(origin=Story.Origin.FEED)
    show(site, "Council closes Quay Road: what it means")
    staleness.check_due(guard=site.guard)
    assert warnings(edition) == {}

    show(site, "An apology to our readers")
    Edition.objects.filter(pk=edition.pk).update(slot=timezone.now() + dt.timedelta(minutes=30))
    staleness.check_due(guard=site.guard)
    assert set(warnings(edition)) == {"source.headline"}
