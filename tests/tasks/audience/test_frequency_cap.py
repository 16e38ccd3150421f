from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from composer.models import Publication
from subscribers.models import Subscriber
from tasks.models import Batch, Delivery, Exclusion, Send
from tasks.preparation import preparing
from tests.factories import (
    make_approval,
    make_edition,
    make_list,
    make_prepared_send,
    make_publication,
    make_send,
    make_subscriber,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def capped() -> Publication:
    return make_publication(frequency_cap=2, frequency_days=7)


def mail(reader: Subscriber, times: int, *, days_ago: float = 1, **batch: Any) -> list[Send]:
    """The reader got so many mails, each of a publication of its own."""
    sends = []
    for _ in range(times):
        elsewhere = make_list(make_publication())
        reader.subscriptions.create(list=elsewhere, status="active")
        send = make_prepared_send(0, approval=make_approval(make_edition(elsewhere.publication)), lists=[elsewhere])
        Batch.objects.filter(send=send).update(status="submitted", **batch)
        Send.objects.filter(pk=send.pk).update(prepared_at=timezone.now() - timedelta(days=days_ago))
        sends.append(send)
    return sends


def prepare(publication: Publication) -> preparing.Prepared:
    send = make_send(approval=make_approval(make_edition(publication)), lists=[make_list(publication)])
    prepared = preparing.prepare(send.pk)
    assert prepared is not None
    return prepared


def test_whoever_had_as_many_as_allowed_is_left_out_whoever_sent_them(capped: Publication) -> None:
    readers = [make_subscriber(make_list(capped)) for _ in range(4)]
    for times, reader in enumerate(readers):
        mail(reader, times)

    prepared = prepare(capped)

    assert (prepared.deliveries, prepared.excluded) == (2, {"frequency_cap": 2})
    left_out = Exclusion.objects.filter(send_id=prepared.send_id).values_list("subscriber_id", flat=True)
    assert set(left_out) == {readers[2].pk, readers[3].pk}


def test_mails_before_those_days_do_not_count(capped: Publication) -> None:
    reader = make_subscriber(make_list(capped))
    mail(reader, 1, days_ago=6.9)
    mail(reader, 5, days_ago=7.1)

    assert prepare(capped).excluded == {}


@pytest.mark.parametrize(
    ("status", "counts"), [("unknown", True), ("pending", True), ("failed", False), ("cancelled", False)]
)
def test_what_may_have_arrived_counts(capped: Publication, status: str, counts: bool) -> None:
    reader = make_subscriber(make_list(capped))
    for send in mail(reader, 2):
        Batch.objects.filter(send=send).update(status=status)

    assert prepare(capped).excluded == ({"frequency_cap": 1} if counts else {})


def test_whoever_was_set_aside_got_nothing(capped: Publication) -> None:
    reader = make_subscriber(make_list(capped))
    send, _ = mail(reader, 2)
    Exclusion.objects.create(send_id=send.pk, subscriber_id=reader.pk, kind="failed", reason="bad", attempt=1)

    assert prepare(capped).excluded == {}


def test_the_edition_itself_weighs_more_than_the_cap_and_the_cap_more_than_no_stories(capped: Publication) -> None:
    readers = make_list(capped)
    has_it, has_enough = make_subscriber(readers), make_subscriber(readers)
    mail(has_it, 2)
    mail(has_enough, 2)
    approval = make_approval(make_edition(capped), variants=[{"audiences": [[]], "stories": 0}])
    first = make_send(approval=approval, lists=[readers], prepared_at=timezone.now(), status="sent")
    batch = Batch.objects.create(send=first, variant=approval.variants.get(), size=1, status="submitted")
    Delivery.objects.create(send_id=first.pk, subscriber_id=has_it.pk, batch_id=batch.pk)
    make_subscriber(readers)
    send = make_send(approval=approval, lists=[readers])

    prepared = preparing.prepare(send.pk)

    assert prepared is not None
    assert prepared.excluded == {"already_received": 1, "frequency_cap": 1, "no_stories": 1}


def test_nothing_is_looked_up_where_no_cap_is_set() -> None:
    publication = make_publication()
    mail(make_subscriber(make_list(publication)), 1)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert prepare(publication).deliveries == 1

    assert not [query for query in queries.captured_queries if "recent" in query["sql"]]
