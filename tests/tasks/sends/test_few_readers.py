"""A send that reaches nobody, or far fewer than the last one, is `sent` all the same: somebody is told."""

from typing import Any

import pytest

from subscribers.models import List, Subscription
from tasks.models import Alarm, Batch, Send, WarmUp
from tasks.preparation import preparing
from tasks.sends import few_readers, resend_to_missed
from tasks.submission import recovery
from tests.factories import make_approval, make_edition, make_list, make_segment, make_send, make_subscriber
from tests.subscribers.importing import loader
from tests.tasks.submission.batches import submit

pytestmark = pytest.mark.django_db


def told(send: Send) -> str:
    return Alarm.objects.get(code="few_readers", send=send).message


@pytest.fixture
def last() -> Send:
    """The last edition went to forty readers of the list."""
    send = make_send(40)
    assert preparing.prepare(send.pk) is not None
    Batch.objects.filter(send=send).update(status="submitted")
    Send.objects.filter(pk=send.pk).update(status="sent")
    return send


def next_send(last: Send, **fields: Any) -> Send:
    """The next edition to the same lists, prepared."""
    approval = make_approval(make_edition(last.edition.publication))
    send = make_send(approval=approval, lists=list(last.lists.all()), **fields)
    assert preparing.prepare(send.pk) is not None
    send.refresh_from_db()
    return send


def test_a_list_without_readers() -> None:
    send = make_send(0)

    assert preparing.prepare(send.pk) is not None

    assert Send.objects.get(pk=send.pk).status == "sent"
    assert "goes to nobody: nobody is on its lists" in told(send)


def test_candidates_who_are_all_left_out_and_why() -> None:
    send = make_send(0)
    for status in ("unsubscribed", "unsubscribed", "pending"):
        make_subscriber(send.lists.get(), status=status)

    assert preparing.prepare(send.pk) is not None

    assert "of 3 candidates 2 are left out as unsubscribed and 1 are left out as unconfirmed" in told(send)


@pytest.mark.parametrize(("stay", "is_told"), [(20, False), (19, True)])
def test_fewer_than_half_of_the_last_time(last: Send, stay: int, is_told: bool) -> None:
    gone = Subscription.objects.order_by("pk")[stay:].values_list("pk", flat=True)
    Subscription.objects.filter(pk__in=list(gone)).update(status="unsubscribed")

    send = next_send(last)

    assert Alarm.objects.filter(code="few_readers").exists() is is_told
    if is_told:
        assert f"goes to 19 readers; the last to the same lists, send {last.pk}, went to 40" in told(send)
    assert send.status == "sending", "it can still be paused, or taken back"


def test_a_file_that_was_cut_off_and_mirrored(last: Send) -> None:
    """Nobody has left, so nobody counts as unsubscribed: they are just no candidates any more."""
    address = Subscription.objects.order_by("pk")[0].subscriber.email
    Subscription.objects.exclude(subscriber__email=address).delete()
    loader(last.edition.publication)(f"email\n{address}\n")

    assert "goes to 1 readers" in told(next_send(last))


@pytest.mark.usefixtures("last")
def test_another_audience_is_not_compared(last: Send) -> None:
    other = make_list(last.edition.publication, "other")
    make_subscriber(other)
    segment = make_segment(last.edition.publication, {"field": "name", "op": "eq", "value": "Bo"})
    make_subscriber(last.lists.get(), name="Bo")

    for fields in ({"lists": [other]}, {"lists": list(last.lists.all()), "segment": segment}):
        send = make_send(approval=make_approval(make_edition(last.edition.publication)), **fields)
        assert preparing.prepare(send.pk) is not None

    assert not Alarm.objects.exists()


def test_who_only_waits_for_a_warm_up_is_there(last: Send) -> None:
    WarmUp.objects.create(domain="news.example", starts_on="2020-01-01", ceilings=[], editions=[5, 5])

    send = next_send(last, sender_domain="news.example")

    assert send.excluded == {"warm_up": 35}
    assert not Alarm.objects.exists()


def test_nobody_is_missed_by_a_send_to_the_rest_or_to_who_has_it(last: Send) -> None:
    assert preparing.prepare(resend_to_missed.resend_to_missed(last.pk).send.pk) is not None
    again = make_send(approval=last.approval, lists=list(last.lists.all()))
    assert preparing.prepare(again.pk) is not None

    assert Send.objects.get(pk=again.pk).excluded == {"already_received": 40}
    assert not Alarm.objects.exists()


def test_all_who_were_to_get_it_drop_out(transport: Any) -> None:
    send = make_send(3)
    assert preparing.prepare(send.pk) is not None
    assert not Alarm.objects.exists()
    Subscription.objects.filter(list=List.objects.get()).update(status="unsubscribed")

    submit(send, transport)

    assert Send.objects.get(pk=send.pk).status == "sent"
    assert "goes to nobody: of 3 candidates all have dropped out since" in told(send)


@pytest.mark.usefixtures("transport")
def test_an_alarm_that_was_lost_with_its_process_is_raised_by_recovery_once(monkeypatch: pytest.MonkeyPatch) -> None:
    send = make_send(0)
    with monkeypatch.context() as dying:
        dying.setattr(few_readers, "look", lambda _send: False)
        assert preparing.prepare(send.pk) is not None
    assert not Alarm.objects.exists()

    recovery.recover()
    Alarm.objects.update(cleared_at="2020-01-01T00:00:00Z")
    recovery.recover()

    assert Alarm.objects.count() == 1
