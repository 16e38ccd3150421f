"""The desk asks what the database is where nothing goes out before a person has said it, and carries the answer out once."""

import re
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from composer.models import Publication
from tasks.alarms.raising import raise_alarm
from tasks.database import high_water
from tasks.database.high_water import Fence
from tasks.models import Alarm, Batch, Installation, Send
from tasks.sends import database_behind
from tests.factories import make_attempt, make_prepared_send, make_publication, make_send
from tests.tasks.submission.conftest import in_own_redis as in_own_redis  # noqa: PLC0414 - fixtures
from tests.tasks.submission.conftest import nothing_sent_yet as nothing_sent_yet  # noqa: PLC0414 - fixtures
from tests.tasks.submission.copied_homes import copy_home
from tests.web.desk.conftest import Make, logged_in_just_now
from tests.web.desk.test_home import text_of
from web.desk.alarms import in_words

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_sent_yet", "in_own_redis")]

HOME, URL = "/desk/", "/desk/confirm-database/"
NEWEST, RESTORED = {"database": "newest"}, {"database": "restored"}


@pytest.fixture
def desk(desk: Client) -> Client:
    logged_in_just_now(desk)
    return desk


@pytest.fixture
def asked() -> Alarm:
    """The mark is missing, and the database knows of a request."""
    Installation.objects.update(fences_before=1)
    assert not database_behind.agrees()
    return Alarm.objects.get()


@pytest.fixture
def copied() -> Alarm:
    Installation.objects.update(fences_before=1)
    high_water.advance(Fence(1, high_water.installation(), 0))
    copy_home()
    assert not database_behind.agrees()
    return Alarm.objects.get()


@pytest.fixture
def sends(db: None) -> tuple[Send, Send]:
    """One under way to three readers, and one that is scheduled."""
    return make_prepared_send(3), make_send(1, scheduled_at=timezone.now() + timedelta(hours=3))


def told(response: Any) -> str:
    assert response.redirect_chain[-1][0] == HOME
    return " ".join(map(str, response.context["messages"]))


def statuses(*sends: Send) -> list[str]:
    return [Send.objects.get(pk=send.pk).status for send in sends]


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    logged_in_just_now(client)
    return client


@pytest.mark.parametrize("which", ["asked", "copied"])
def test_the_first_page_leads_to_the_question_and_offers_nothing_else(
    desk: Client, request: pytest.FixtureRequest, which: str
) -> None:
    alarm = request.getfixturevalue(which)
    for number in range(12):
        raise_alarm("slot_missed", f"Number {number}.")

    response = desk.get(HOME)

    page, words = response.content.decode(), text_of(response)
    assert f'href="{URL}"' in page
    assert reverse("desk_clear_alarm", args=[alarm.pk]) not in page
    assert in_words(alarm.message) in words
    assert words.index("Nothing goes out") < words.index("Number 11.")
    assert "confirm-database --" not in page


def test_the_page_says_what_follows_from_either_answer(desk: Client, asked: Alarm, sends: tuple[Send, Send]) -> None:
    make_attempt(Batch.objects.get(send=sends[0]), fence=1)
    for _ in range(2):
        make_send(1, status="paused")

    response = desk.get(URL)

    page, words = response.content.decode(), re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))
    assert "checked" not in page[page.index("<fieldset") :]
    assert "1 under way, 1 scheduled." in words
    first, second = (sent.edition.number for sent in sends)
    assert f"No. {first} of The Weekly is under way, and goes on at once" in words
    assert re.search(rf"No. {second} of The Weekly goes out on \w+ .* UTC, in 2 h 59 min", words)
    assert "1 under way, 1 scheduled, 2 paused already" in words
    assert "3 readers of those that have begun are in doubt then" in words
    assert re.search(r"The last mails that this database knows of left on \w+ .* UTC: No\. ", words)


def test_without_sends_and_requests_it_says_so(desk: Client, copied: Alarm) -> None:
    page = desk.get(URL).content.decode()

    assert "nothing was sent since the copy was made" in page
    assert "none is under way or scheduled now" in page
    assert "there is none now" in page
    assert "does not know any more when it last sent" in page


@pytest.mark.parametrize("which", ["asked", "copied"])
def test_it_is_the_newest_and_sends_go_on(
    desk: Client, ada: Any, request: pytest.FixtureRequest, which: str, sends: tuple[Send, Send]
) -> None:
    request.getfixturevalue(which)

    assert "it is the newest database. Sends go on" in told(desk.post(URL, NEWEST, follow=True))

    assert database_behind.agrees()
    assert statuses(*sends) == ["sending", "scheduled"]
    assert Batch.objects.get(send=sends[0]).status == "pending"
    assert not Alarm.objects.filter(cleared_at=None).exists()
    entry = ModelLogEntry.objects.get(action="newsdesk.database")
    assert (entry.user_id, entry.data) == (ada.pk, {"database": "newest", "held": []})
    assert "Said what the database is" in desk.get("/desk/reports/site-history/").content.decode()


@pytest.mark.parametrize("which", ["asked", "copied"])
def test_it_came_from_a_backup_and_every_open_send_waits(
    desk: Client, request: pytest.FixtureRequest, which: str, sends: tuple[Send, Send]
) -> None:
    request.getfixturevalue(which)

    assert "came from a backup. 2 sends wait for you." in told(desk.post(URL, RESTORED, follow=True))

    assert database_behind.agrees()
    assert statuses(*sends) == ["paused", "paused"]
    assert Batch.objects.get(send=sends[0]).status == "unknown"
    assert "from a backup, ada says" in Send.objects.get(pk=sends[1].pk).pause_reason
    held = [send.pk for send in sends]
    assert ModelLogEntry.objects.get(action="newsdesk.database").data == {"database": "restored", "held": held}


@pytest.mark.parametrize(("open_sends", "says"), [(0, "No send was open"), (1, "1 send waits for you.")])
def test_it_counts_what_waits(desk: Client, asked: Alarm, open_sends: int, says: str) -> None:
    for _ in range(open_sends):
        make_prepared_send(1)

    assert says in told(desk.post(URL, RESTORED, follow=True))


@pytest.mark.parametrize("posted", [{}, {"database": "oldest"}])
def test_neither_is_no_answer(desk: Client, asked: Alarm, posted: dict[str, str]) -> None:
    answer = desk.post(URL, posted)

    assert answer.status_code == 422
    assert "Choose one of the two." in answer.content.decode()
    assert not database_behind.agrees()


@pytest.mark.parametrize("again", [NEWEST, RESTORED])
def test_a_second_answer_changes_nothing(
    desk: Client, asked: Alarm, sends: tuple[Send, Send], again: dict[str, str]
) -> None:
    desk.post(URL, NEWEST)

    assert "It was answered meanwhile: nothing was changed." in told(desk.post(URL, again, follow=True))
    assert "It was answered meanwhile" in told(desk.get(URL, follow=True))
    assert statuses(*sends) == ["sending", "scheduled"]
    assert ModelLogEntry.objects.filter(action="newsdesk.database").count() == 1


def test_looking_at_the_desk_writes_nothing_down(desk: Client, in_own_redis: redis.Redis) -> None:
    """A machine that sends nothing has an old mark: where Redis has lost its own, that one must not speak for the others."""
    of = high_water.installation()
    Installation.objects.update(fences_before=9)
    high_water.advance(Fence(3, of, 0))
    in_own_redis.flushall()

    desk.get(HOME)
    desk.get(URL)
    assert database_behind.open_question() is None

    assert in_own_redis.keys("newsdesk:mark:*") == []


def test_a_send_of_another_database_is_not_said_to_go_on(desk: Client, asked: Alarm, sends: tuple[Send, Send]) -> None:
    Send.objects.filter(pk=sends[0].pk).update(system_identifier="7", timeline=1, table_oid=1)

    page = desk.get(URL).content.decode()

    assert "waits for you all the same" in page
    assert "goes on at once" not in page


def test_without_redis_it_cannot_be_said_now(
    desk: Client, asked: Alarm, sends: tuple[Send, Send], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr("django.conf.settings.REDIS_URL", "redis+socket:///nowhere/none.sock")
    monkeypatch.setattr("tasks.database.high_water._redis", high_water._Redis())

    page = desk.get(HOME).content.decode()
    assert f'href="{URL}"' in page
    assert reverse("desk_clear_alarm", args=[asked.pk]) not in page
    for response in (desk.get(URL, follow=True), *(desk.post(URL, data, follow=True) for data in (NEWEST, RESTORED))):
        assert "Redis does not answer" in told(response)
    assert statuses(*sends) == ["sending", "scheduled"]
    assert not ModelLogEntry.objects.filter(action="newsdesk.database").exists()


@pytest.mark.parametrize("posted", [NEWEST, RESTORED])
def test_an_answer_that_cannot_be_written_down_is_none(
    desk: Client, asked: Alarm, sends: tuple[Send, Send], monkeypatch: pytest.MonkeyPatch, posted: dict[str, str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasks.database.mark_file.write", full)

    said = told(desk.post(URL, posted, follow=True))

    assert "could not be written down on this machine: No space left on device" in said
    assert ("waits for you already" in said) is (posted == RESTORED)
    assert database_behind.open_question() == "mark_missing"
    assert not ModelLogEntry.objects.filter(action="newsdesk.database").exists()


def test_whoever_may_send_in_all_publications_answers(
    asked: Alarm, sends: tuple[Send, Send], publication: Publication, make_user: Make
) -> None:
    of_one = client_of(make_user("one", "administrator", publication=make_publication()))
    writer, editor = client_of(make_user("writer", "writer")), client_of(make_user("editor", "editor"))
    publisher = client_of(make_user("publisher", "publisher"))

    for client in (of_one, writer, editor):
        home = client.get(HOME)
        assert "Whoever may send in all publications answers it." in text_of(home)
        assert URL not in home.content.decode()
        assert client.get(URL).status_code == 302
        client.post(URL, NEWEST)
        assert database_behind.open_question() == "mark_missing"
    assert "Whoever may send" not in text_of(publisher.get(HOME))
    publisher.post(URL, NEWEST)
    assert database_behind.agrees()


def test_it_takes_a_token(ada: Any, asked: Alarm) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    logged_in_just_now(strict)

    assert strict.post(URL, NEWEST).status_code == 403
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get(URL).content.decode())
    assert token is not None
    assert strict.post(URL, {**NEWEST, "csrfmiddlewaretoken": token[1]}).status_code == 302
    assert database_behind.agrees()


def test_it_takes_a_recent_login_to_let_sends_go_on(client: Client, ada: Any, asked: Alarm) -> None:
    ada.set_password("correct horse")
    ada.save()
    client.force_login(ada)

    answer = client.post(URL, NEWEST)
    assert answer["Location"].startswith("/desk/security/confirm/")
    assert database_behind.open_question() == "mark_missing"
    client.post(answer["Location"], {"password": "correct horse", "next": URL})
    assert database_behind.agrees()


def test_holding_what_is_open_takes_no_password_again(client: Client, ada: Any, asked: Alarm) -> None:
    client.force_login(ada)

    client.post(URL, RESTORED)

    assert database_behind.agrees()


def test_the_alarm_is_not_done_before_it_is_answered(desk: Client, asked: Alarm) -> None:
    done = reverse("desk_clear_alarm", args=[asked.pk])

    assert "with its answer" in told(desk.post(done, follow=True))
    asked.refresh_from_db()
    assert asked.cleared_at is None
    # Redis was empty for a moment, or another machine answered, and no worker has looked since.
    database_behind.confirm(who="bob", restored=False)
    Alarm.objects.update(cleared_at=None)
    assert f'action="{done}"' in desk.get(HOME).content.decode()
    assert "off the list" in told(desk.post(done, follow=True))


def section_of(client: Client, send: Send) -> str:
    return client.get(reverse("wagtailsnippets_composer_edition:sends", args=[send.edition_id])).content.decode()


def test_the_page_of_an_edition_names_no_command_and_leads_to_the_question(
    desk: Client, asked: Alarm, sends: tuple[Send, Send]
) -> None:
    page = section_of(desk, sends[0])
    assert "Say whether it is the newest there is." in page
    assert "confirm-database --" not in page
    assert f'<a href="{URL}">' in page

    assert desk.post(URL, NEWEST).status_code == 302
    assert URL not in section_of(desk, sends[0])


def test_a_send_whose_time_has_come_says_what_it_waits_for(
    desk: Client, asked: Alarm, sends: tuple[Send, Send]
) -> None:
    assert "Nothing goes out" not in section_of(desk, sends[1])
    Send.objects.filter(pk=sends[1].pk).update(scheduled_at=timezone.now())

    page = section_of(desk, sends[1])
    assert "Nothing goes out" in page
    assert f'<a href="{URL}">' in page


def test_whoever_may_not_answer_is_not_led_there(asked: Alarm, make_user: Make) -> None:
    send = make_prepared_send(3)
    sender = make_user("grace", "publisher", publication=send.edition.publication)
    page = section_of(client_of(sender), send)
    assert "Nothing goes out" in page
    assert URL not in page
