"""A young sender domain writes to engaged readers first, by editions or by days."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from composer.models import Publication
from sandbox.server import Sandbox
from subscribers.models import Subscriber
from tasks.audience.freezing import sort_candidates
from tasks.models import Batch, Delivery, Exclusion, Send
from tasks.preparation import preparing
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control
from tasks.submission import posting
from tasks.submission.claiming import Claim, claim_next
from tasks.throttling import warm_up
from tests.factories import make_approval, make_edition, make_list, make_publication, make_send, make_subscriber

pytestmark = pytest.mark.django_db

NEW = "new.example.com"
Seen = Delivery.Seen


@pytest.fixture
def publication() -> Publication:
    return make_publication()


@pytest.fixture
def readers(publication: Publication) -> list[Subscriber]:
    return [make_subscriber(make_list(publication)) for _ in range(10)]


def prepare(publication: Publication, *, domain: str = NEW, **fields: Any) -> Send:
    """An edition of the publication to all its readers."""
    approval = fields.pop("approval", None) or make_approval(make_edition(publication))
    send = make_send(approval=approval, lists=[make_list(publication)], sender_domain=domain, **fields)
    assert preparing.prepare(send.pk) is not None
    send.refresh_from_db()
    return send


def reached(send: Send) -> set[int]:
    return set(Delivery.objects.filter(send_id=send.pk).values_list("subscriber_id", flat=True))


def do(send: Send, what: Seen, *readers: Subscriber) -> None:
    ids = [reader.pk for reader in readers]
    Delivery.objects.filter(send_id=send.pk, subscriber_id__in=ids).update(seen=what.value)


def by_editions(*numbers: int, ago: timedelta = timedelta(0)) -> None:
    warm_up.change(NEW, starts_on=(timezone.now() - ago).date(), ceilings=(), editions=numbers)


def test_each_edition_goes_to_more_and_whoever_is_left_out_is_stated(
    publication: Publication, readers: list[Subscriber]
) -> None:
    by_editions(2, 5)

    sizes = [len(reached(prepare(publication))) for _ in range(3)]

    assert sizes == [2, 5, 10]
    assert list(Exclusion.objects.filter(reason="warm_up").values_list("kind", flat=True).distinct()) == ["excluded"]
    assert [send.excluded for send in Send.objects.order_by("pk")] == [{"warm_up": 8}, {"warm_up": 5}, {}]
    assert all(send.candidates == 10 for send in Send.objects.all())


def test_who_clicked_last_comes_first_then_who_opened_then_who_was_added_last(
    publication: Publication, readers: list[Subscriber]
) -> None:
    older, newer = prepare(publication, domain="old.example.com"), prepare(publication, domain="old.example.com")
    do(older, Seen.CLICKED, readers[0])
    do(newer, Seen.OPENED, readers[1])
    do(newer, Seen.CLICKED, readers[2])
    do(newer, Seen.DELIVERED, readers[3])
    by_editions(1, 2, 3, 4)

    first, second, third, fourth = (reached(prepare(publication)) for _ in range(4))

    assert first == {readers[2].pk}
    assert second - first == {readers[1].pk}
    assert third - second == {readers[0].pk}
    assert fourth - third == {readers[-1].pk}


def test_another_send_of_the_same_edition_takes_what_the_first_has_left(
    publication: Publication, readers: list[Subscriber]
) -> None:
    by_editions(4, 6)
    first = prepare(publication)
    again = prepare(publication, approval=first.approval)
    assert (len(reached(first)), len(reached(again))) == (4, 0)
    assert again.excluded == {"already_received": 4, "warm_up": 6}

    warm_up.change(NEW, starts_on=None, ceilings=())
    rest = prepare(publication, approval=first.approval)

    assert reached(rest) == {reader.pk for reader in readers} - reached(first)


def test_what_was_cancelled_before_anything_went_out_and_other_domains_count_for_nothing(
    publication: Publication, readers: list[Subscriber]
) -> None:
    by_editions(2, 5)
    control.cancel(prepare(publication).pk)
    prepare(publication, domain="other.example.com")

    assert len(reached(prepare(publication))) == 2
    assert len(reached(prepare(publication))) == 5


def test_editions_before_it_began_are_none_of_it(publication: Publication, readers: list[Subscriber]) -> None:
    before = prepare(publication)
    Send.objects.filter(pk=before.pk).update(prepared_at=timezone.now() - timedelta(days=3))
    by_editions(2)

    assert len(reached(prepare(publication))) == 2


def test_what_is_expected_says_so_too(publication: Publication, readers: list[Subscriber]) -> None:
    by_editions(3)
    send = make_send(
        approval=make_approval(make_edition(publication)), lists=[make_list(publication)], sender_domain=NEW
    )
    with transaction.atomic(), connection.cursor() as cursor:
        assert sort_candidates(cursor, send) == (3, {"warm_up": 7})


def test_by_days_engaged_readers_are_in_the_first_batches_and_these_are_claimed_first(
    publication: Publication, readers: list[Subscriber], transport: SendGridTransport, sandbox: Sandbox, settings: Any
) -> None:
    settings.CANARY = 0
    before = prepare(publication, domain="old.example.com")
    control.cancel(before.pk)
    do(before, Seen.CLICKED, readers[3], readers[7])
    # A tenth of the first ceiling, which holds before its day, too, is a batch.
    warm_up.change(NEW, starts_on=timezone.now().date() + timedelta(days=1), ceilings=(20, 1000))
    send = prepare(publication)
    assert set(Batch.objects.filter(send=send).values_list("size", flat=True)) == {2}

    claim = claim_next(attempt=uuid4(), transport=transport.name)

    assert isinstance(claim, Claim)
    members = Delivery.objects.filter(batch_id=claim.batch_id).values_list("subscriber_id", flat=True)
    assert set(members) == {readers[3].pk, readers[7].pk}
    order = []
    while isinstance(begun := posting.begin(transport), posting.Request):
        order.append(begun.claim.batch_id)
        posting.settle(begun, posting.post(begun, transport), transport)
    assert order == sorted(order)
    assert reached(send) == {reader.pk for reader in readers}
