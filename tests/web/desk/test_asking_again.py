"""Before many readers are mailed, or lists are saved as files, a person shows once more who they are."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from composer.models import Approval, Edition, Publication
from newsdesk.core.login_environment import LoginEnvironment
from tasks.approvals.approving import approve_edition
from tasks.models import Attempt, Batch, Send
from tasks.slots.recurrence import recur
from tests.factories import make_list, make_subscriber
from tests.reports import World, make_world
from tests.web.desk.conftest import logged_in_just_now

pytestmark = pytest.mark.integration

CONFIRM = "/desk/security/confirm/"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.queue._enqueue", lambda *_args, **_options: True)


@pytest.fixture
def desk(client: Client, ada: Any, settings: Any) -> Client:
    """Logged in, but not just now."""
    settings.LOGIN = LoginEnvironment(reauthenticate_readers=3)
    ada.set_password("correct horse")
    ada.save()
    client.force_login(ada)
    return client


@pytest.fixture
def world(edition: Edition) -> World:
    """Approved, and out to three readers."""
    approval = approve_edition(edition, None)
    return make_world(3, approval=approval, candidates=3, prepared_at=timezone.now() - dt.timedelta(hours=2))


def action(send: Send, what: str) -> str:
    return reverse("wagtailsnippets_composer_edition:send_action", args=[send.edition_id, send.pk, what])


def is_asked(answer: Any) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith(CONFIRM)


def test_send_to_the_rest(desk: Client, world: World) -> None:
    Batch.objects.update(status=Batch.Status.FAILED)
    Send.objects.update(status=Send.Status.SENT)

    asked = desk.post(action(world.send, "rest"))

    assert is_asked(asked)
    assert Send.objects.count() == 1
    desk.post(asked["Location"], {"password": "correct horse", "next": action(world.send, "rest")})
    assert Send.objects.exclude(pk=world.send.pk).get().rest_of == world.send


def test_resume(desk: Client, world: World, settings: Any) -> None:
    Batch.objects.update(status=Batch.Status.PENDING)
    Send.objects.update(status=Send.Status.PAUSED)

    assert is_asked(desk.post(action(world.send, "resume")))
    # Cancelling mails nobody, and fewer readers are nobody's worry.
    settings.LOGIN = LoginEnvironment(reauthenticate_readers=4)
    assert not is_asked(desk.post(action(world.send, "resume")))
    assert Send.objects.get().status == Send.Status.SENDING
    settings.LOGIN = LoginEnvironment(reauthenticate_readers=1)
    assert not is_asked(desk.post(action(world.send, "cancel")))
    assert Send.objects.get().status == Send.Status.CANCELLED


def test_send_again(desk: Client, world: World) -> None:
    Attempt.objects.update(outcome=Attempt.Outcome.UNKNOWN)
    Batch.objects.update(status=Batch.Status.UNKNOWN)
    decide = "wagtailsnippets_composer_edition:decide_batch"
    resend, leave = (
        reverse(decide, args=[world.send.edition_id, world.send.pk, world.batch.pk, decision])
        for decision in ("resend", "leave")
    )

    assert is_asked(desk.post(resend))
    assert Batch.objects.get().status == Batch.Status.UNKNOWN
    assert not is_asked(desk.post(leave))


def test_approving_what_a_weekly_slot_sends(
    desk: Client, edition: Edition, publication: Publication, form: Callable[..., Any]
) -> None:
    readers = make_list(publication)
    for _ in range(3):
        make_subscriber(readers)
    url = reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])
    approving = {**form(edition), "action-approve": "Approve"}
    publication.cadence_weekday, publication.cadence_time = 4, dt.time(8)
    publication.save()
    recur(publication, lists=[readers])

    asked = desk.post(url, approving)
    assert is_asked(asked)
    assert not Approval.objects.exists()
    assert not is_asked(desk.post(url, form(edition))), "saving mails nobody"
    desk.post(asked["Location"], {"password": "correct horse", "next": url})
    assert Approval.objects.standing().exists()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_files_of_lists(desk: Client, edition: Edition, kind: str) -> None:
    lists = ("editions", "stories", "sources", "publications", "team", "reports/site-history")

    def files() -> list[str]:
        answers = {name: desk.get(f"/desk/{name}/?export={kind}") for name in lists}
        assert {answer.status_code for answer in answers.values()} <= {200, 302}
        return [name for name, answer in answers.items() if "attachment" in answer.get("Content-Disposition", "")]

    assert files() == []
    assert is_asked(desk.get(f"/desk/reports/site-history/?export={kind}"))
    logged_in_just_now(desk)
    assert files() == ["reports/site-history"]
