"""Alarms are posted to where a chat listens: at least once, in order, never in the request that raises them."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone
from structlog.testing import capture_logs

from tasks import celery_tasks
from tasks.alarms import post_bodies, posting, raising, ways
from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.models import Alarm, AlarmPost, AlarmWay, TransactionalMail
from tests.factories import make_editor, make_prepared_send, make_publication
from tests.tasks.alarms.receiver import Receiver
from tests.waiting import eventually

pytestmark = pytest.mark.django_db

Code = Alarm.Code


@pytest.fixture(autouse=True)
def chat(settings: Any) -> Iterator[Receiver]:
    with Receiver() as receiver:
        settings.ALARM_URL = receiver.url
        yield receiver


def raised(message: str = "Nobody approved it.", code: Alarm.Code = Code.SLOT_MISSED, **about: Any) -> Alarm:
    raise_alarm(code, message, mail=True, **about)
    return Alarm.objects.get(message=message)


def due_again() -> None:
    AlarmWay.objects.update(not_before=timezone.now() - timedelta(seconds=1))


def a_day_later() -> None:
    Alarm.objects.update(raised_at=timezone.now() - timedelta(hours=25))
    due_again()


def test_a_raising_and_a_clearing_are_told_once_each(chat: Receiver) -> None:
    alarm = raised()
    assert chat.posts == [], "the request that raises it asks nobody"

    assert posting.post_waiting() == 1
    assert posting.post_waiting() == 0
    raising.clear(alarm.pk, who="ada")
    celery_tasks.tell_alarms()
    celery_tasks.tell_alarms()

    assert chat.told() == [("raised", "Nobody approved it."), ("cleared", "Nobody approved it.")]
    assert len({body["id"] for body in chat.bodies}) == 2
    assert not AlarmPost.objects.exists()


def test_the_body_says_all_and_one_line_is_for_chats(chat: Receiver, settings: Any) -> None:
    settings.BASE_URL = "https://news.example.com"
    send = make_prepared_send(1)
    alarm = raised("SendGrid said <!channel>\n@ALL & @ada", Code.SEND_PAUSED, send_id=send.pk)

    posting.post_waiting()

    (headers, data), (body,) = chat.posts[0], chat.bodies
    assert headers["content-type"] == "application/json"
    assert "x-newsdesk-signature" not in headers
    assert len(data) < 4096
    expected = {
        "event": "raised",
        "code": "send_paused",
        "title": f"send {send.pk} is paused",
        "message": "SendGrid said <!channel>\n@ALL & @ada",
        "alarm_id": alarm.pk,
        "send_id": send.pk,
        "edition_id": send.edition_id,
        "publication_id": send.edition.publication_id,
        "raised_at": alarm.raised_at.isoformat(),
        "cleared_at": None,
        "url": "https://news.example.com/desk/",
    }
    assert {name: body[name] for name in expected} == expected
    assert body["text"] == (
        f"Newsdesk: send {send.pk} is paused. SendGrid said &lt;!channel&gt; @\u200bALL &amp; @ada https://news.example.com/desk/"
    )
    assert f"newsdesk resume {send.pk}" in body["advice"]
    assert set(body) == {*expected, "id", "text", "advice", "installation"}


def test_a_signature_can_be_verified(chat: Receiver, settings: Any) -> None:
    settings.ALARM_SECRET = "a long random secret"
    raised()

    posting.post_waiting()

    headers, data = chat.posts[0]
    digest = hmac.new(b"a long random secret", data, hashlib.sha256).hexdigest()
    assert headers["x-newsdesk-signature"] == f"sha256={digest}"


def test_only_what_would_be_mailed_is_posted(chat: Receiver) -> None:
    make_editor()
    publication = make_publication()
    raise_alarm(Code.SEND_PAUSED, "Ada paused it by hand.")
    raised("The database moved.", Code.DATABASE_MOVED, publication_id=publication.pk)
    raise_alarm(Code.SEND_PAUSED, "The database moved.", publication_id=publication.pk, mail=True)

    posting.post_waiting()

    assert chat.told() == [("raised", "The database moved.")]


def test_the_same_under_two_codes_is_posted_once_also_where_nobody_is_mailed(chat: Receiver) -> None:
    raised("The database moved.", Code.DATABASE_MOVED)
    raise_alarm(Code.SEND_PAUSED, "The database moved.", mail=True)

    assert posting.post_waiting() == 1
    assert TransactionalMail.objects.count() == 0


def test_without_an_address_nothing_is_kept_for_later(chat: Receiver, settings: Any) -> None:
    url, settings.ALARM_URL = settings.ALARM_URL, ""
    raised("Before it was set.")
    assert posting.post_waiting() == 0
    settings.ALARM_URL = url

    clear_alarms(Code.SLOT_MISSED)
    raised("Since then.")
    posting.post_waiting()

    assert chat.told() == [("raised", "Since then.")]


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_is_posted_again_with_the_same_id(status: int, chat: Receiver) -> None:
    chat.statuses, chat.headers = [status], {"Location": f"{chat.url}/elsewhere"}
    raised()

    assert posting.post_waiting() == 0
    assert posting.post_waiting() == 0
    assert len(chat.posts) == 1, "not before its time"
    wait = AlarmWay.objects.get().not_before - timezone.now()
    assert timedelta(seconds=0.5) < wait < timedelta(seconds=5)
    due_again()
    assert posting.post_waiting() == 1

    assert chat.posts[0][1] == chat.posts[1][1]
    assert set(chat.paths) == {"/hooks/hush"}, "no redirect is followed"
    assert AlarmWay.objects.get().failures == 0


def test_an_address_that_hangs_is_left_in_time(chat: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "TIME", 0.3)
    chat.may_answer.clear()
    raised()

    assert posting.post_waiting() == 0
    chat.may_answer.set()
    assert AlarmWay.objects.get().said.startswith("it does not answer")
    due_again()
    assert posting.post_waiting() == 1


def test_all_wait_behind_the_first_and_keep_their_order(chat: Receiver) -> None:
    chat.statuses = [503, 503]
    first, second = raised("First."), raised("Second.", Code.SLOT_UNAPPROVED)
    for _ in range(2):
        posting.post_waiting()
        due_again()
    raising.clear(second.pk, who="ada")
    raising.clear(first.pk, who="ada")

    assert posting.post_waiting() == 4

    assert [message for _, message in chat.told()] == ["First."] * 3 + ["Second.", "Second.", "First."]
    assert [event for event, _ in chat.told()][2:] == ["raised", "raised", "cleared", "cleared"]


def test_cleared_before_it_was_posted_it_is_told_of_all_the_same(chat: Receiver) -> None:
    alarm = raised()
    raising.clear(alarm.pk, who="ada")

    assert posting.post_waiting() == 2

    assert [body["cleared_at"] is None for body in chat.bodies] == [True, False]
    assert [event for event, _ in chat.told()] == ["raised", "cleared"]


def test_an_alarm_that_is_taken_back_is_not_posted(chat: Receiver) -> None:
    def fail() -> None:
        with transaction.atomic():
            raised()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert posting.post_waiting() == 0


def test_killed_before_the_note_it_is_posted_again_with_the_same_id(
    chat: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    raised()
    with monkeypatch.context() as patch:
        patch.setattr(posting, "_note_posted", killed)
        with pytest.raises(KilledError):
            posting.post_waiting()

    assert posting.post_waiting() == 0, "the dead worker has the address for a minute"
    due_again()
    assert posting.post_waiting() == 1
    assert len(chat.posts) == 2
    assert chat.bodies[0]["id"] == chat.bodies[1]["id"]


def test_a_wait_of_a_clock_that_was_ahead_holds_nothing_up(chat: Receiver) -> None:
    AlarmWay.objects.create(name="url", not_before=timezone.now() + timedelta(days=3))
    raised()

    assert posting.post_waiting() == 1


def test_a_number_that_a_restored_database_gives_away_again_has_another_id(chat: Receiver) -> None:
    alarm = raised()
    before = post_bodies.of_alarm(alarm, "raised")["id"]
    alarm.raised_at += timedelta(microseconds=1)

    assert post_bodies.of_alarm(alarm, "raised")["id"] != before


def test_after_a_day_it_is_given_up_and_its_clearing_with_it(chat: Receiver) -> None:
    chat.statuses = [500] * 3
    old = raised("Old.")
    posting.post_waiting()
    due_again()
    posting.post_waiting()
    assert AlarmPost.objects.get().tries == 2
    a_day_later()

    with capture_logs() as logs:
        posting.post_waiting()
    assert "alarm_post_given_up" in [line["event"] for line in logs]
    raising.clear(old.pk, who="ada")
    due_again()

    assert posting.post_waiting() == 0
    assert len(chat.posts) == 3


def test_a_body_that_is_refused_for_its_own_sake_does_not_keep_the_others_for_a_day(chat: Receiver) -> None:
    chat.statuses = [400] * posting.MOST_TRIES_OF_ITS_OWN
    raised("Odd.")
    raised("Another.", Code.SLOT_UNAPPROVED)
    for _ in range(posting.MOST_TRIES_OF_ITS_OWN):
        posting.post_waiting()
        due_again()

    assert posting.post_waiting() == 1
    assert chat.told()[-1] == ("raised", "Another.")


def test_an_address_that_fails_is_told_of_at_the_desk_and_by_mail_but_not_to_itself(chat: Receiver) -> None:
    make_editor()
    make_publication()
    chat.statuses = [500] * 5
    raised()
    for _ in range(5):
        celery_tasks.tell_alarms()
        due_again()

    told = Alarm.objects.get(code=Code.ALARM_URL)
    assert "it answered 500" in told.message
    assert told.mailed_at is not None
    celery_tasks.tell_alarms()
    told.refresh_from_db()
    assert told.cleared_at is not None
    assert {body["code"] for body in chat.bodies} == {"slot_missed"}
    ways.look()
    assert Alarm.objects.count() == 2


def test_neither_the_log_nor_the_alarm_tells_the_address(chat: Receiver, settings: Any) -> None:
    chat.statuses = [500]
    raised()
    with capture_logs() as logs:
        posting.post_waiting()
        settings.ALARM_URL = "http://127.0.0.1:1/hooks/hush"
        due_again()
        posting.post_waiting()

    assert [line["event"] for line in logs] == ["alarm_post_refused", "alarm_not_posted"]
    assert "hush" not in str(logs) + AlarmWay.objects.get().said


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_post_once(chat: Receiver) -> None:
    raised()
    chat.may_answer.clear()
    taken: list[int] = []

    def work() -> None:
        try:
            taken.append(posting.post_waiting())
        finally:
            connections.close_all()

    first = threading.Thread(target=work)
    first.start()
    assert eventually(lambda: chat.posts)
    second = threading.Thread(target=work)
    second.start()
    second.join(60)
    chat.may_answer.set()
    first.join(60)

    assert sorted(taken) == [0, 1]
    assert len(chat.posts) == 1
