"""All readers in doubt of a send are decided about at once: a restored database leaves a thousand batches."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer.models import Edition
from tasks.approvals.approving import approve_edition
from tasks.models import Batch, Send
from tasks.reconciliation import decisions
from tests.factories import make_batch, make_send
from tests.web.desk.conftest import Make

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.queue._enqueue", lambda *_args, **_options: True)


@pytest.fixture
def send(edition: Edition) -> Send:
    """With three batches of two readers in doubt."""
    made = make_send(approval=approve_edition(edition, None), status=Send.Status.PAUSED)
    for _ in range(3):
        doubt(made)
    return made


def doubt(send: Send) -> Batch:
    return make_batch(send, size=2, status=Batch.Status.UNKNOWN, attempts=1)


def address(send: Send, decision: str) -> str:
    return reverse("wagtailsnippets_composer_edition:decide_batches", args=[send.edition_id, send.pk, decision])


def asked(desk: Client, send: Send, decision: str) -> tuple[str, dict[str, str]]:
    """The page, and what its form posts."""
    html = desk.get(address(send, decision)).content.decode()
    field = re.search(r'name="batches" value="([0-9,]*)"', html)
    assert field is not None
    return html, {"batches": field[1]}


def statuses(send: Send) -> list[str]:
    return list(Batch.objects.filter(send=send).order_by("pk").values_list("status", flat=True))


def test_all_are_sent_again_but_those_that_nobody_was_asked_about(desk: Client, ada: Any, send: Send) -> None:
    page = desk.get(reverse("wagtailsnippets_composer_edition:edit", args=[send.edition_id])).content.decode()
    assert "All 6 readers, in 3 batches:" in page
    html, form = asked(desk, send, "resend")
    assert "6 readers get" in html
    assert "once the send goes on" in html
    assert statuses(send) == ["unknown"] * 3
    assert decisions.leave(Batch.objects.filter(send=send).order_by("pk")[0].pk, who="bob")
    doubt(send)

    answer = desk.post(address(send, "resend"), form, follow=True)

    assert "They get it again." in " ".join(map(str, answer.context["messages"]))
    assert statuses(send) == ["unknown", "pending", "pending", "unknown"]
    assert list(send.actions.filter(what="settled", by=ada).values_list("what", flat=True)) == ["settled"] * 2


def test_all_are_left_and_nothing_is_asked_twice(desk: Client, send: Send) -> None:
    html, form = asked(desk, send, "leave")
    assert "Nobody is mailed: 6 readers stay as they are" in html

    desk.post(address(send, "leave"), form)

    assert decisions.undecided(send.pk) == []
    for answer in (desk.get(address(send, "leave"), follow=True), desk.post(address(send, "leave"), form, follow=True)):
        assert "It was settled meanwhile" in " ".join(map(str, answer.context["messages"]))


@pytest.mark.parametrize("form", [{}, {"batches": ""}, {"batches": "all"}, {"batches": "9999999999999999999999,-1"}])
def test_without_a_question_nothing_is_decided(desk: Client, send: Send, form: dict[str, str]) -> None:
    desk.post(address(send, "resend"), form)

    assert statuses(send) == ["unknown"] * 3


def test_whoever_may_not_send_decides_nothing(client: Client, make_user: Make, send: Send) -> None:
    client.force_login(make_user("wim", role="writer"))

    assert client.post(address(send, "leave"), {"batches": "1"}).status_code in {302, 403}
    assert statuses(send) == ["unknown"] * 3
