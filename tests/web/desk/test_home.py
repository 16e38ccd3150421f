"""The desk's first page: this week's edition, what needs somebody, and how it goes."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from composer.models import Edition, Membership, Publication, Source, Story
from subscribers.models import Consent, ListGrowth
from tasks import celery_tasks
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Send
from tasks.sends import database_behind
from tests import factories
from web.desk.alarms import in_words
from web.desk.figures import READERS_KEY, readers
from web.desk.needs_you import TITLES

pytestmark = pytest.mark.integration

Make = Callable[..., Any]
HOME = "wagtailadmin_home"


def text_of(response: Any) -> str:
    """The words on the page, one space between them."""
    html = response.content.decode()
    html = html[html.index('class="w-dashboard') :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace(" ,", ",").replace("&amp;", "&")


@pytest.fixture
def slotted(edition: Edition) -> Edition:
    at = timezone.now().replace(microsecond=0) + timedelta(days=1, hours=21, minutes=30)
    edition.slot = at
    edition.save()
    return edition


def test_it_says_where_this_weeks_edition_stands(desk: Client, slotted: Edition) -> None:
    words = text_of(desk.get(reverse(HOME)))

    slot = slotted.slot
    assert slot is not None
    local = slot.astimezone(slotted.publication.zone)
    assert "No. 1" in words
    assert "Draft" in words
    assert f"{local:%H:%M} Asia/Singapore · in 1 day 21 h" in words
    assert re.search(r"3 stories · \d+ errors?, \d+ warnings? · not approved yet", words)
    assert "a subject (the title stands for it)" in words
    assert "Open No. 1" in words


def test_the_first_page_counts_as_the_editions_page_does(desk: Client, slotted: Edition) -> None:
    slotted.content = []
    slotted.save_revision()

    errors = desk.get(reverse(HOME)).context
    home = text_of(desk.get(reverse(HOME)))
    page = desk.get(reverse("wagtailsnippets_composer_edition:edit", args=[slotted.pk]))

    count = len(next(panel for panel in page.context["side_panels"] if panel.name == "checks").problems)
    assert errors is not None
    assert count
    shown = re.search(r"(\d+) errors?, (\d+) warnings?", home)
    assert shown is not None
    assert sum(map(int, shown.groups())) == count


def test_a_second_approver_is_named_as_missing(desk: Client, ada: Any, slotted: Edition) -> None:
    Publication.objects.filter(pk=slotted.publication_id).update(second_approver=True)
    slotted.save_revision(user=ada)

    assert "approval by somebody else, since you edited it last" in text_of(desk.get(reverse(HOME)))


def test_the_nearest_slot_comes_before_newer_drafts_and_what_is_out(desk: Client, slotted: Edition) -> None:
    factories.make_edition(slotted.publication, title="Some other day", number=9)
    sent = factories.make_edition(slotted.publication, title="Last week", slot=timezone.now() - timedelta(hours=1))
    factories.make_send(approval=factories.make_approval(sent), status="sent", prepared_at=timezone.now())

    assert "Open No. 1" in text_of(desk.get(reverse(HOME)))


def test_without_an_edition_the_next_slot_is_said(desk: Client, publication: Publication) -> None:
    Publication.objects.filter(pk=publication.pk).update(cadence_weekday=4, cadence_time="08:00")

    words = text_of(desk.get(reverse(HOME)))

    assert "There is no edition in the making." in words
    assert re.search(r"The next slot is Friday \d+ \w+ \d+ 08:00 Asia/Singapore, in ", words)
    assert "New edition" in words


def test_without_a_publication_it_says_how_to_begin(desk: Client) -> None:
    assert "There is no publication yet. Make the first one" in text_of(desk.get(reverse(HOME)))


def test_every_code_has_its_words() -> None:
    assert set(TITLES) == set(Alarm.Code)
    assert not [title for title in TITLES.values() if "_" in title]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Its slot was missed by 3 hours: newsdesk release 7 --now, or --next-slot.", "Its slot was missed by 3 hours."),
        ("It was 3 hours too late; newsdesk send sends it, or reopen it and give it another slot.", "It was 3 hours too late."),
        ("Nobody had approved it; give it another slot.", "Nobody had approved it; give it another slot."),
    ],
)  # fmt: skip
def test_a_message_is_said_without_its_commands(message: str, said: str) -> None:
    assert in_words(message) == said


@pytest.mark.parametrize("message", [database_behind.MARK_MISSING, database_behind.HOME_COPIED])
def test_the_alarms_read_well_without_their_commands(message: str) -> None:
    assert len(message) <= 500
    assert re.search(r"Say whether (it is the newest there is|anything was)\.$", in_words(message))


def held_send(edition: Edition) -> Send:
    approval = factories.make_approval(edition)
    return factories.make_send(
        approval=approval, status="paused", held_at=timezone.now(), pause_reason="Its time passed."
    )


def test_an_alarm_about_a_held_send_has_the_buttons_that_settle_it(desk: Client, edition: Edition) -> None:
    Publication.objects.filter(pk=edition.publication_id).update(cadence_weekday=4, cadence_time="08:00")
    send = held_send(edition)
    raise_alarm(Alarm.Code.SEND_HELD, "Shall it go?", send_id=send.pk, edition_id=edition.pk)

    page = desk.get(reverse(HOME)).content.decode()

    for what in ("release-now", "release-next-slot", "cancel"):
        assert reverse("wagtailsnippets_composer_edition:send_action", args=[edition.pk, send.pk, what]) in page
    assert "send_held" not in page
    assert page.count("Send now") >= 1
    # Said once, though the send is held as well.
    assert "A send of No. 1" not in page


def test_a_paused_send_can_be_resumed_or_cancelled(desk: Client, edition: Edition) -> None:
    send = factories.make_send(approval=factories.make_approval(edition), status="paused", pause_reason="Stop.")
    raise_alarm(Alarm.Code.SEND_PAUSED, "Stop.", send_id=send.pk)

    page = desk.get(reverse(HOME)).content.decode()

    for what in ("resume", "cancel"):
        assert reverse("wagtailsnippets_composer_edition:send_action", args=[edition.pk, send.pk, what]) in page


def test_a_held_send_shows_without_an_alarm(desk: Client, edition: Edition) -> None:
    held_send(edition)

    assert "A send of No. 1 of The Weekly is held Its time passed." in text_of(desk.get(reverse(HOME)))


def test_batches_in_doubt_show_until_somebody_decides(desk: Client, edition: Edition) -> None:
    send = factories.make_send(approval=factories.make_approval(edition), status="sending", prepared_at=timezone.now())
    batch = factories.make_batch(send, size=13, status="unknown")
    attempt = factories.make_attempt(batch)
    batch.attempt = attempt.pk
    batch.save()

    assert "13 readers of No. 1 in doubt" in text_of(desk.get(reverse(HOME)))

    from tasks.reconciliation.decisions import leave

    assert leave(batch.pk, who="ada")
    assert "in doubt" not in text_of(desk.get(reverse(HOME)))


def test_an_alarm_about_readers_in_doubt_leads_to_the_decision_and_is_said_once(desk: Client, edition: Edition) -> None:
    send = factories.make_send(approval=factories.make_approval(edition), status="sending", prepared_at=timezone.now())
    batch = factories.make_batch(send, size=13, status="unknown")
    batch.attempt = factories.make_attempt(batch, transport="smtp:1").pk
    batch.save()

    celery_tasks.reconcile()

    response = desk.get(reverse(HOME))
    words = text_of(response)
    assert "Readers are in doubt and wait for your decision 13 readers are in doubt" in words
    assert "a person must decide." in words
    assert "newsdesk settle" not in words
    assert "13 readers of No. 1 in doubt" not in words
    assert f'aria-label="Decide about {edition}"' in response.content.decode()


def test_a_failing_source_shows(desk: Client, publication: Publication) -> None:
    Source.objects.create(publication=publication, url="https://example.com/feed", failures=3, error="404 Not Found")

    words = text_of(desk.get(reverse(HOME)))

    assert "The source “https://example.com/feed” fails 404 Not Found." in words.replace("Not Found ", "Not Found. ")
    assert "1 source, 1 failing" in words


def test_a_writer_sees_no_button_of_a_publisher(edition: Edition, make_user: Make) -> None:
    send = held_send(edition)
    raise_alarm(Alarm.Code.SEND_HELD, "Shall it go?", send_id=send.pk, edition_id=edition.pk)
    writer = Client()
    writer.force_login(make_user("writer", "writer"))

    words = text_of(writer.get(reverse(HOME)))

    assert "Shall it go?" in words
    assert "Send now" not in words
    assert "Done" not in words


def test_it_counts_the_inbox(desk: Client, edition: Edition, publication: Publication) -> None:
    Story.objects.create(publication=publication, headline="Not in any edition")
    old = Story.objects.create(publication=publication, headline="Of last month")
    Story.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=30))

    assert "1 new story in seven days" in text_of(desk.get(reverse(HOME)))


def test_it_shows_the_next_and_the_last_sends_with_their_base(desk: Client, edition: Edition) -> None:
    approval = factories.make_approval(edition)
    out = factories.make_send(approval=approval, status="sent", prepared_at=timezone.now())
    factories.make_batch(out, size=400, status="submitted", tracked=True, delivered=390, clicked=40)
    factories.make_batch(out, size=20, status="submitted", delivered=10)
    at = datetime(2030, 1, 4, tzinfo=timezone.get_default_timezone())
    factories.make_send(approval=approval, scheduled_at=at)

    words = text_of(desk.get(reverse(HOME)))

    assert "No. 1 400 delivered, 40 of 400 tracked readers clicked (10 %)" in words
    assert "No. 1 Friday 4 January 2030 08:00 Asia/Singapore, in " in words


def test_it_counts_who_came_and_left_this_week(desk: Client, publication: Publication) -> None:
    cache.delete(f"{READERS_KEY}all")
    readers = factories.make_list(publication)
    for kind, days in (("given", 1), ("given", 2), ("withdrawn", 3), ("given", 8)):
        reader = factories.make_subscriber(readers)
        Consent.objects.create(
            subscriber=reader, list=readers, kind=kind, source="form", at=timezone.now() - timedelta(days=days)
        )

    words = text_of(desk.get(reverse(HOME)))

    assert "4 active subscriptions" in words
    assert "+2 said yes, −1 said no in seven days" in words


def test_it_draws_how_the_lists_grew(desk: Client, publication: Publication) -> None:
    cache.delete(f"{READERS_KEY}all")
    today = timezone.now().date()
    for slug, sizes in (("readers", {1: 1200, 2: 900, 3: 1000, 40: 7}), ("vip", {1: 34})):
        where = factories.make_list(publication, slug)
        for days, active in sizes.items():
            day = today - timedelta(days=days)
            ListGrowth.objects.create(list=where, day=day, active=active, pending=0, unsubscribed=0, gained=0, lost=0)

    response = desk.get(reverse(HOME))

    first, last = today - timedelta(days=3), today - timedelta(days=1)
    said = f"1,000 at the end of {first:%-d %B}, 1,234 at the end of {last:%-d %B %Y} (UTC)"
    assert text_of(response).count(said) == 2
    (chart,) = re.findall(r'<svg class="desk-chart".*?</svg>', response.content.decode(), re.DOTALL)
    assert 'role="img" aria-labelledby="readers-growth-title readers-growth-desc"' in chart
    assert f"{said}; in between from 900 to 1,234." in chart
    heights = [float(point.split(",")[1]) for point in chart.split('points="')[1].split('"')[0].split()]
    assert heights == [pytest.approx(32.0, abs=0.1), 44.0, 4.0]


def test_it_draws_only_lists_of_ones_publications(publication: Publication) -> None:
    other = factories.make_publication(title="Another")
    publisher = factories.make_editor("eve", is_superuser=False)
    Membership.objects.create(user=publisher, publication=publication, role="publisher")
    cache.delete(f"{READERS_KEY}{publication.pk}")
    day = timezone.now().date() - timedelta(days=1)
    for where, active in ((publication, 5), (other, 70)):
        ListGrowth.objects.create(
            list=factories.make_list(where), day=day, active=active, pending=0, unsubscribed=0, gained=0, lost=0
        )

    assert readers(publisher).growth == ((day, 5),)


def test_a_single_day_draws_no_line(desk: Client, publication: Publication) -> None:
    cache.delete(f"{READERS_KEY}all")
    ListGrowth.objects.create(
        list=factories.make_list(publication),
        day=timezone.now().date() - timedelta(days=1),
        active=7,
        pending=0,
        unsubscribed=0,
        gained=0,
        lost=0,
    )

    assert "desk-chart" not in desk.get(reverse(HOME)).content.decode()


def test_it_costs_few_queries_however_much_there_is(
    desk: Client, edition: Edition, publication: Publication, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        other = factories.make_publication(title=f"Publication {number}", cadence_weekday=4, cadence_time="08:00")
        send = held_send(factories.make_edition(other, number=1))
        raise_alarm(Alarm.Code.SEND_HELD, f"Number {number}.", send_id=send.pk)
        Source.objects.create(publication=other, url="https://example.com/feed", error="404")
        factories.make_batch(factories.make_send(approval=send.approval, status="sending"), status="unknown")
    desk.get(reverse(HOME))

    with django_assert_max_num_queries(30):
        desk.get(reverse(HOME))


def test_a_publication_whose_timezone_is_unknown_can_be_looked_at_and_mended(
    desk: Client, publication: Publication, edition: Edition
) -> None:
    Publication.objects.update(timezone="US/Gone", cadence_weekday=4, cadence_time="08:00")
    celery_tasks.keep_slots()

    assert "A publication’s timezone is not known any more: its slots wait" in text_of(desk.get(reverse(HOME)))
    for url in (
        reverse("publication:edit", args=[publication.pk]),
        reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk]),
    ):
        assert desk.get(url).status_code == 200
