"""An address that refuses edition after edition is mailed no more; what is the fault of others or ours counts for nobody."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from composer.models import Publication
from subscribers.lifting import lift
from subscribers.models import Subscriber, Suppression
from tasks.feedback import soft_bounces
from tasks.models import Delivery, Event, Send
from tests.factories import (
    make_approval,
    make_batch,
    make_edition,
    make_list,
    make_publication,
    make_send,
    make_subscriber,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_in_ten_weeks(settings: Any) -> None:
    settings.SOFT_BOUNCE_EDITIONS, settings.SOFT_BOUNCE_WEEKS = 3, 10


@pytest.fixture
def weekly() -> Publication:
    return make_publication()


def readers(weekly: Publication, count: int, domain: str = "busy.example") -> list[Subscriber]:
    return [make_subscriber(make_list(weekly), email=f"r{at}@{domain}") for at in range(count)]


def sent(
    weekly: Publication, refused: Sequence[Subscriber], taken: Sequence[Subscriber] = (), *, weeks_ago: float = 1
) -> Send:
    """An edition that some refused softly."""
    send = make_send(approval=make_approval(make_edition(weekly)), lists=[make_list(weekly)], status="sent")
    batch = make_batch(send, size=len(refused) + len(taken), status="submitted")
    Delivery.objects.bulk_create(
        Delivery(send_id=send.pk, subscriber_id=one.pk, batch_id=batch.pk) for one in (*refused, *taken)
    )
    bounced(send, refused, weeks_ago=weeks_ago)
    return send


def bounced(send: Send, refused: Sequence[Subscriber], *, weeks_ago: float = 1) -> None:
    at, before = timezone.now() - timedelta(weeks=weeks_ago), Event.objects.count()
    Event.objects.bulk_create(
        Event(key=(before + n).to_bytes(16, "big"), send_id=send.pk, subscriber_id=one.pk, kind="soft_bounce", at=at)
        for n, one in enumerate(refused)
    )


def suppressed() -> list[str]:
    return sorted(Suppression.objects.filter(reason="soft_bounce").values_list("address", flat=True))


def test_who_refused_three_editions_is_suppressed_everywhere(weekly: Publication) -> None:
    often, twice = readers(weekly, 2)
    for weeks_ago in (9, 5, 1):
        sent(weekly, [often], weeks_ago=weeks_ago)
    sent(weekly, [twice], weeks_ago=11)
    for _ in range(2):
        bounced(sent(weekly, [twice], weeks_ago=2), [twice])

    assert soft_bounces.suppress() == 1
    assert soft_bounces.suppress() == 0

    row = Suppression.objects.get()
    assert (row.address, row.publication, row.detail) == ("r0@busy.example", None, "3 editions within 10 weeks")


def test_a_mail_provider_that_refuses_everybody_counts_for_nobody(weekly: Publication) -> None:
    """Of four such editions two were refused by most at the domain: the other two are not enough."""
    many, others = readers(weekly, 9), readers(weekly, 60, "elsewhere.example")
    for blocked in (True, True, False, False):
        sent(weekly, many[:5] if blocked else many[:1], [*many[5 if blocked else 1 :], *others])

    assert soft_bounces.suppress() == 0
    sent(weekly, many[:4], [*many[4:], *others])
    assert soft_bounces.suppress() == 1


def test_an_edition_that_a_tenth_of_all_refused_counts_for_nobody(weekly: Publication) -> None:
    """Many small domains at one provider, which has blocked us."""
    alone = [reader for at in range(20) for reader in readers(weekly, 1, f"firm{at}.example")]
    others = readers(weekly, 179)
    for _ in range(3):
        sent(weekly, alone, others)
    assert soft_bounces.suppress() == 0

    for _ in range(3):
        sent(weekly, alone[:19], [alone[19], *others])
    assert soft_bounces.suppress() == 19


def test_what_was_before_a_person_lifted_it_counts_no_more(weekly: Publication) -> None:
    [reader] = readers(weekly, 1)
    for _ in range(3):
        sent(weekly, [reader])
    soft_bounces.suppress()
    lift("R0@busy.example", why="She emptied her mailbox")

    assert soft_bounces.suppress() == 0

    for _ in range(2):
        sent(weekly, [reader], weeks_ago=-0.001)
    assert soft_bounces.suppress() == 0
    sent(weekly, [reader], weeks_ago=-0.001)
    assert soft_bounces.suppress() == 1
    assert suppressed() == ["r0@busy.example"]


def test_no_number_of_editions_suppresses_nobody(weekly: Publication, settings: Any) -> None:
    settings.SOFT_BOUNCE_EDITIONS = 0
    [reader] = readers(weekly, 1)
    for _ in range(4):
        sent(weekly, [reader])

    assert soft_bounces.suppress() == 0
