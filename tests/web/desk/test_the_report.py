"""An edition's page once it is approved: the mail, where its sends stand, what came of it, and what a person must decide."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from composer.models import Edition, Publication
from subscribers.models import List, Subscriber, Subscription
from tasks.alarms.raising import raise_alarm
from tasks.approvals.approving import approve_edition, reopen_edition
from tasks.models import Alarm, Attempt, Batch, Send
from tasks.sends import control
from tasks.sends.counts import as_json, counts
from tasks.sends.scheduling import schedule
from tasks.slots import missed_slots
from tasks.throttling.explanations import BREAKER_OPEN
from tests import factories
from tests.reports import World, deliver, make_world
from tests.web.desk.conftest import Make

pytestmark = pytest.mark.integration

AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 13_2 like Mac OS X) AppleWebKit/605"
SOURCE = "https://example.com/rivers"
#: What only a shell understands.
COMMANDS = re.compile(r"newsdesk [a-z-]+ |\bnewsdesk (?:alarms|status|settle|evidence)\b|\s--[a-z]")


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.queue._enqueue", lambda *_args, **_options: True)


@pytest.fixture
def world(edition: Edition) -> World:
    """Approved, and out to three readers an hour ago."""
    edition.content[0].value["source_url"] = SOURCE
    edition.save()
    edition.save_revision()
    approval = approve_edition(edition, None)
    return make_world(3, approval=approval, candidates=3, prepared_at=timezone.now() - dt.timedelta(hours=2))


def edit_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])


def page_of(desk: Client, edition: Edition) -> str:
    return desk.get(edit_url(edition)).content.decode()


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL).split())


def action_url(send: Send, what: str) -> str:
    return reverse("wagtailsnippets_composer_edition:send_action", args=[send.edition_id, send.pk, what])


def decide_url(batch: Batch, decision: str) -> str:
    args = [batch.send.edition_id, batch.send_id, batch.pk, decision]
    return reverse("wagtailsnippets_composer_edition:decide_batch", args=args)


def shown(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def in_doubt(world: World) -> Batch:
    Attempt.objects.update(outcome=Attempt.Outcome.UNKNOWN)
    Batch.objects.update(status=Batch.Status.UNKNOWN)
    return Batch.objects.select_related("send").get(pk=world.batch.pk)


def test_a_draft_is_a_form_and_an_approved_edition_a_report(desk: Client, ada: Any, edition: Edition) -> None:
    assert "desk-mail-head" not in page_of(desk, edition)

    approval = approve_edition(edition, ada)
    page = page_of(desk, edition)

    assert "Approved by Ada Lovelace, " in page
    assert "Asia/Singapore" in page
    assert '<details class="desk-contents"' in page
    assert f"/mail/{edition.pk}/{approval.variants.get().pk}/" in page
    assert re.search(rf"<details[^>]*>\s*<summary>Details.*{approval.content_hash}", page, re.DOTALL)
    assert page.count(approval.content_hash) == 1


def test_the_mail_is_shown_as_its_frozen_bytes_and_nothing_runs(desk: Client, edition: Edition) -> None:
    variant = approve_edition(edition, None).variants.get()
    Edition.objects.update(title="Another title")

    response = desk.get(reverse("wagtailsnippets_composer_edition:mail", args=[edition.pk, variant.pk]))

    body = response.content.decode()
    assert "Rivers rise in the north" in body
    assert "-nd" not in body
    assert body.split("<body", 1)[0] == variant.html.split("<body", 1)[0]
    policy = response["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"


def test_a_mail_belongs_to_its_edition_and_needs_the_right_to_see_it(
    client: Client, make_user: Make, edition: Edition
) -> None:
    variant = approve_edition(edition, None).variants.get()
    client.force_login(make_user("eve", "writer", publication=factories.make_publication()))
    own = reverse("wagtailsnippets_composer_edition:mail", args=[edition.pk, variant.pk])
    assert client.get(own).status_code != 200

    client.force_login(make_user("ed", "editor"))
    assert client.get(own).status_code == 200
    other = reverse("wagtailsnippets_composer_edition:mail", args=[edition.pk + 1, variant.pk])
    assert client.get(other).status_code == 404


def test_every_figure_has_its_base(desk: Client, world: World) -> None:
    deliver(
        world.report(0, "delivered"),
        world.report(1, "delivered"),
        world.report(0, "click", url=SOURCE, useragent=AGENT),
        world.report(2, "bounce", type="bounce", reason="550 no such user"),
        world.report(1, "open", sg_machine_open=True),
    )

    text = text_of(page_of(desk, world.send.edition))

    told = as_json(world.send)
    assert f"{told['delivered']} delivered of 3 handed to the provider · 66.7 %" in text
    assert f"{told['clicked']} person clicked of 3 tracked readers · 33.3 %" in text
    assert f"{told['bounced']} bounced of 3 handed to the provider · 33.3 %" in text
    assert (
        "0 opens: machines open too of 3 tracked readers; 1 mail was opened by machines for certain and not counted"
        in text
    )
    assert "1 Rivers rise in the north 1 100.0 %" in text
    assert "2 A bridge is closed has no link" in text
    assert "Clicks by link" in text


def test_pictures_say_what_they_show(desk: Client, world: World) -> None:
    approval = factories.make_approval(factories.make_edition(world.send.edition.publication))
    make_world(2, approval=approval, prepared_at=timezone.now() - dt.timedelta(days=7))
    deliver(world.report(0, "delivered"), world.report(0, "click", url=SOURCE, useragent=AGENT))

    page = page_of(desk, world.send.edition)

    charts = re.findall(r'<svg class="desk-chart".*?</svg>', page, re.DOTALL)
    assert len(charts) == 5
    for chart in charts:
        label = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', chart)
        assert label
        assert f'<title id="{label[1]}">' in chart
        assert f'<desc id="{label[2]}">' in chart
        assert "style=" not in chart
    assert "1 person had clicked 3 hours after the beginning" in page
    assert page.count("<summary>As a table</summary>") == 2


def test_the_figures_come_with_the_section_that_is_refreshed(desk: Client, world: World) -> None:
    section = reverse("wagtailsnippets_composer_edition:sends", args=[world.send.edition_id])
    deliver(world.report(0, "delivered"))

    html = desk.get(section).content.decode()

    assert "1</strong> delivered" in html
    assert "<iframe" not in html


def test_watching_costs_few_queries_however_much_there_is(
    desk: Client, world: World, django_assert_max_num_queries: Any
) -> None:
    publication = world.send.edition.publication
    for weeks in range(1, 12):
        approval = factories.make_approval(factories.make_edition(publication))
        make_world(1, approval=approval, prepared_at=timezone.now() - dt.timedelta(days=7 * weeks))
    for _ in range(12):
        factories.make_batch(world.send, status=Batch.Status.UNKNOWN)
    deliver(*(world.report(reader, "delivered") for reader in range(3)))

    address = reverse("wagtailsnippets_composer_edition:sends", args=[world.send.edition_id])
    # The first request of a session writes down that it is there.
    desk.get(address)
    with django_assert_max_num_queries(30):
        html = desk.get(address).content.decode()

    assert "2 more batches follow when these are decided" in html


def test_a_batch_in_doubt_is_shown_with_its_evidence_and_sent_again(desk: Client, ada: Any, world: World) -> None:
    batch = in_doubt(world)

    text = text_of(page_of(desk, world.send.edition))
    assert "3 readers in doubt" in text
    assert "What is known of it" in text
    assert "It will not settle by itself: silence proves nothing on this transport" in text or "grace:" in text

    asked = desk.get(decide_url(batch, "resend")).content.decode()
    assert "3 readers get “Water and stone (No. 1)” now." in asked
    assert "they get it twice" in asked
    assert Batch.objects.get(pk=batch.pk).status == "unknown"

    answer = desk.post(decide_url(batch, "resend"), follow=True)
    assert "They get it again." in shown(answer)
    assert Batch.objects.get(pk=batch.pk).status == "pending"
    assert world.send.actions.get(what="settled").by == ada
    assert "settled meanwhile" in shown(desk.post(decide_url(batch, "resend"), follow=True))


def test_a_batch_in_doubt_is_left(desk: Client, world: World) -> None:
    batch = in_doubt(world)
    assert "Nobody is mailed: 3 readers stay as they are" in desk.get(decide_url(batch, "leave")).content.decode()

    desk.post(decide_url(batch, "leave"))

    text = text_of(page_of(desk, world.send.edition))
    assert "3 of them were left as they are" in text
    assert decide_url(batch, "resend") not in page_of(desk, world.send.edition)
    assert counts(world.send).unknown == 3


@pytest.mark.parametrize(("status", "said"), [("paused", "once the send goes on"), ("cancelled", "Nobody is mailed")])
def test_deciding_says_what_it_does_to_a_send_that_stands_still(
    desk: Client, world: World, status: str, said: str
) -> None:
    batch = in_doubt(world)
    Send.objects.update(status=status)

    assert said in desk.get(decide_url(batch, "resend")).content.decode()


def test_deciding_needs_the_right_to_approve_and_a_batch_of_this_send(
    desk: Client, make_user: Make, world: World
) -> None:
    batch = in_doubt(world)
    assert desk.get(decide_url(batch, "perhaps")).status_code == 404
    assert desk.post(decide_url(batch, "resend").replace(f"/{batch.pk}/resend", "/999/resend")).status_code == 404
    desk.force_login(make_user("ed", "editor"))

    desk.post(decide_url(batch, "resend"))

    assert Batch.objects.get(pk=batch.pk).status == "unknown"
    assert decide_url(batch, "resend") not in page_of(desk, world.send.edition)


def test_those_whom_a_send_missed_get_it_by_another(desk: Client, world: World) -> None:
    assert action_url(world.send, "rest") not in page_of(desk, world.send.edition)
    Batch.objects.update(status=Batch.Status.FAILED)
    Send.objects.update(status=Send.Status.SENT)
    assert action_url(world.send, "rest") in page_of(desk, world.send.edition)

    asked = desk.get(action_url(world.send, "rest")).content.decode()
    assert "3 readers who did not get “Water and stone (No. 1)” get it now." in asked
    assert Send.objects.count() == 1

    desk.post(action_url(world.send, "rest"))
    rest = Send.objects.exclude(pk=world.send.pk).get()
    assert rest.rest_of == world.send
    assert action_url(world.send, "rest") not in page_of(desk, world.send.edition)
    again = desk.post(action_url(world.send, "rest"), follow=True)
    assert "sent to the rest already" in shown(again)
    assert Send.objects.count() == 2


@pytest.fixture
def scheduled(edition: Edition, publication: Publication) -> Send:
    approve_edition(edition, None)
    readers = List.objects.create(publication=publication, slug="readers", name="Readers")
    for number in range(12):
        subscriber = Subscriber.objects.create(email=f"reader{number:02}@example.com")
        Subscription.objects.create(list=readers, subscriber=subscriber, status="active")
    return schedule(edition, lists=[readers], at=dt.datetime(2099, 12, 1, 1, tzinfo=dt.UTC))


def test_confirmations_say_how_many_readers_would_be_mailed(desk: Client, scheduled: Send) -> None:
    control.pause(scheduled.pk, "Wait.", who="Ada")

    resume = desk.get(action_url(scheduled, "resume")).content.decode()
    cancel = desk.get(action_url(scheduled, "cancel")).content.decode()

    assert "12 readers get “Water and stone (No. 1)” on Tuesday 1 December 2099 09:00 Asia/Singapore." in resume
    assert "12 readers of “Water and stone (No. 1)” do not get it" in cancel
    assert not Batch.objects.exists()


def test_resuming_what_is_under_way_mails_those_who_are_left(desk: Client, world: World) -> None:
    factories.make_batch(world.send, size=5)
    Send.objects.update(status=Send.Status.PAUSED)

    asked = desk.get(action_url(world.send, "resume")).content.decode()

    assert "5 readers get “Water and stone (No. 1)” now. 3 readers had it before." in asked


def held(send: Send) -> Send:
    """Reopened, and approved again when its time had passed."""
    reopen_edition(send.edition, None)
    Send.objects.update(scheduled_at=timezone.now() - dt.timedelta(hours=1))
    approve_edition(send.edition, None)
    return Send.objects.get(pk=send.pk)


def test_a_held_send_says_why_and_how_many_would_get_it(desk: Client, scheduled: Send) -> None:
    send = held(scheduled)

    assert "Held. Its time passed while the edition was reopened" in text_of(page_of(desk, send.edition))
    asked = desk.get(action_url(send, "release-now")).content.decode()

    assert "12 readers get “Water and stone (No. 1)” now." in asked


def test_no_page_of_the_desk_tells_an_editor_to_use_a_shell(desk: Client, scheduled: Send) -> None:
    send = held(scheduled)
    late = dt.timedelta(hours=14)
    texts = [
        send.pause_reason,
        missed_slots.missed_for(late),
        missed_slots.approved_too_late(late),
        BREAKER_OPEN.format(since="12:00"),
        "SendGrid: 401 The provided authorization grant is invalid",
    ]
    for text in texts:
        for code in Alarm.Code:
            raise_alarm(code, f"{code}: {text}", send_id=send.pk)
            Alarm.objects.exclude(code=code).update(cleared_at=timezone.now())
            Send.objects.update(pause_reason=text)
            for page in (reverse("wagtailadmin_home"), edit_url(send.edition)):
                shell = COMMANDS.search(text_of(desk.get(page).content.decode()))
                assert shell is None, shell
            Alarm.objects.update(cleared_at=timezone.now())
    for status in Send.Status:
        Send.objects.update(status=status, held_at=None)
        assert COMMANDS.search(text_of(page_of(desk, send.edition))) is None


def test_the_command_line_keeps_its_own_sentence(scheduled: Send) -> None:
    send = held(scheduled)

    assert COMMANDS.search(str(as_json(send)["reason"]))


def test_the_page_follows_a_send_that_ends_while_it_is_read(
    desk: Client, edition: Edition, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read as sending, counted as sent: its reports are still to come, and nobody asks a second time."""
    Send.objects.filter(pk=world.send.pk).update(status="sending", finished_at=None)

    def counted_after_its_end(send: Send) -> Any:
        Send.objects.filter(pk=send.pk).update(status="sent", finished_at=timezone.now())
        return counts(send)

    monkeypatch.setattr("tasks.sends.counts.counts", counted_after_its_end)
    section = desk.get(f"/desk/editions/sends/{edition.pk}/").content.decode()

    assert ">Sent<" in section
    assert "data-moving" in section


def test_the_page_says_why_of_a_send_that_pauses_while_it_is_read(
    desk: Client, edition: Edition, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read as sending, counted as paused: nobody asks a second time, and a person is waited for."""
    Send.objects.filter(pk=world.send.pk).update(status="sending", finished_at=None)

    def counted_after_its_pause(send: Send) -> Any:
        Send.objects.filter(pk=send.pk).update(status="paused", pause_reason="No credits are left.")
        return counts(send)

    monkeypatch.setattr("tasks.sends.counts.counts", counted_after_its_pause)
    section = desk.get(f"/desk/editions/sends/{edition.pk}/").content.decode()

    assert ">Paused<" in section
    assert "No credits are left." in section
    assert ">Resume<" in section
