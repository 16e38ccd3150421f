"""Reports about mail of another installation or application on the same account: ignored, and counted."""

import json
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core import management

from sandbox.server import Sandbox
from subscribers.models import Subscription
from tasks.database import high_water
from tasks.models import Attempt, Batch, Send, WebhookState
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.submission import posting
from tests.factories import make_prepared_send
from tests.reports import deliver, make_world, suppressions

pytestmark = pytest.mark.django_db


def _statuses() -> set[str]:
    return set(Subscription.objects.values_list("status", flat=True))


def _without_ids(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if not name.startswith("nd_")}


def test_each_request_names_the_installation(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_prepared_send(2)

    posting.submit_batch(Batch.objects.get(send=send).pk, transport=transport)

    (message, *_) = sandbox.ledger.messages(category=f"send-{send.pk}")
    assert message.request.mail["custom_args"]["nd_installation"] == high_water.installation()


def test_what_another_installation_sent_does_nothing_and_is_counted() -> None:
    """Even with our reader's address and our ids, which a copy of our database has."""
    world = make_world()
    theirs = {"nd_installation": str(uuid4())}

    applied = deliver(world.report(0, "unsubscribe", **theirs), world.report(0, "delivered", **theirs))
    deliver(world.report(0, "delivered", **theirs))

    assert (applied.new, world.counts(), _statuses()) == (0, {}, {"active"})
    assert Send.objects.get().status != Send.Status.PAUSED
    assert WebhookState.objects.get().foreign_events == 3
    out = StringIO()
    management.call_command("status", "--json", stdout=out)
    assert json.loads(out.getvalue())["foreign_events"] == 3


def test_our_own_do() -> None:
    world = make_world()

    deliver(world.report(0, "delivered", nd_installation=high_water.installation()))

    assert world.counts() == {"delivered": 1}
    assert not WebhookState.objects.exclude(foreign_events=0).exists()


def test_who_leaves_through_a_request_that_is_not_ours_stays_with_us() -> None:
    world = make_world()

    deliver(_without_ids(world.report(0, "unsubscribe")))

    assert _statuses() == {"active"}
    assert WebhookState.objects.get().foreign_events == 1


def test_who_leaves_through_a_request_of_ours_leaves_though_no_id_is_told() -> None:
    world = make_world()
    Attempt.objects.update(provider_id="LRzXl_NHStOGhQ4kofSm_A")

    deliver(_without_ids(world.report(0, "unsubscribe")))

    assert _statuses() == {"unsubscribed"}


def test_who_leaves_by_a_delivery_of_ours_leaves_though_no_request_is_told() -> None:
    world = make_world()

    deliver(world.report(0, "unsubscribe", nd_attempt=""))

    assert _statuses() == {"unsubscribed"}


def test_an_address_that_bounced_for_others_on_the_account_is_mailed_no_more() -> None:
    world = make_world()

    deliver(_without_ids(world.report(0, "bounce", type="bounce")))

    assert suppressions() == {(world.readers[0].email, "hard_bounce", None)}


def test_an_address_that_bounced_is_mailed_no_more_though_its_record_is_gone() -> None:
    world = make_world()

    deliver(world.report(0, "bounce", type="bounce", nd_delivery="1.999999", nd_attempt=""))

    assert suppressions() == {(world.readers[0].email, "hard_bounce", None)}


def test_a_strangers_report_casts_no_doubt_on_those_that_came_with_it() -> None:
    """One of a request that we know may name an address which its reader no longer has."""
    world = make_world(2)

    deliver(
        world.report(0, "delivered", nd_attempt=str(uuid4()), email="stranger@example.org"),
        world.report(1, "bounce", type="bounce", email="old@example.com"),
    )

    assert suppressions() == {("old@example.com", "hard_bounce", None)}
