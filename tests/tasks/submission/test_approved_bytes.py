"""What leaves is what was approved, whatever the database was restored to, and in the manner that was approved."""

from typing import Any

import pytest
from django.db import connection

from composer.approval import content_hash
from composer.models import Approval, Variant
from sandbox.server import Sandbox
from subscribers import suppression
from tasks.models import Alarm, Batch, Exclusion, Send
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends.counts import counts
from tasks.submission.building import NotAsApprovedError
from tests.factories import (
    make_approval,
    make_edition,
    make_list,
    make_prepared_send,
    make_publication,
    make_subscriber,
)
from tests.tasks.submission.batches import submit

pytestmark = pytest.mark.django_db


def restore(variant: Variant, *, approval: Approval | None = None, **fields: Any) -> None:
    """Write rows as a restore does: no trigger asks whether they were frozen."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Variant.objects.filter(pk=variant.pk).update(**fields)
        if approval is not None:
            approval.save()
        cursor.execute("SET session_replication_role = DEFAULT")


def sent_html(sandbox: Sandbox, send: Send) -> str:
    (message,) = sandbox.ledger.messages(category=f"send-{send.pk}")
    return str(message.request.mail["content"][1]["value"])


def test_bytes_that_are_not_those_approved_pause_the_send(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_prepared_send(1)
    restore(send.approval.variants.get(), html="<p>something else -ndUnsubscribeUrl-</p>")

    with pytest.raises(NotAsApprovedError):
        submit(send, transport)

    send.refresh_from_db()
    assert (send.status, counts(send).pending) == (Send.Status.PAUSED, 1)
    assert "not those that were approved" in send.pause_reason
    assert Alarm.objects.get(send=send).message == send.pause_reason
    assert sandbox.ledger.counts()["requests"] == 0


def test_an_id_that_was_given_away_again_brings_the_new_bytes(sandbox: Sandbox, transport: SendGridTransport) -> None:
    """A worker that lived through a restore remembers the old edition's bytes under the same ids."""
    first = make_prepared_send(1)
    submit(first, transport)
    approval, variant = first.approval, first.approval.variants.get()
    variant.html = "<p>the new edition -ndUnsubscribeUrl-</p>"
    approval.content_hash = content_hash(approval, [variant])
    restore(variant, approval=approval, html=variant.html)
    readers = make_list(first.edition.publication, "others")
    make_subscriber(readers)
    second = make_prepared_send(0, approval=approval, lists=[readers])

    assert submit(second, transport).status == Batch.Status.SUBMITTED

    assert "the new edition" in sent_html(sandbox, second)


def test_tracking_and_category_are_those_of_the_approval(sandbox: Sandbox, transport: SendGridTransport) -> None:
    publication = make_publication(tracking=False)
    readers = make_list(publication)
    make_subscriber(readers, tracking="granted")
    approval = make_approval(make_edition(publication), request={"tracking": True, "category": "as-it-was"})
    send = make_prepared_send(0, approval=approval, lists=[readers])

    submit(send, transport)

    (message,) = sandbox.ledger.messages(category="as-it-was")
    assert message.request.mail["tracking_settings"]["open_tracking"]["enable"] is True


def test_an_id_that_was_given_away_again_with_the_same_bytes_obeys_its_own_publication(
    sandbox: Sandbox, transport: SendGridTransport
) -> None:
    """Suppressions and links are those of the publication that sends now, whatever a worker remembers of the id."""
    first = make_prepared_send(1)
    submit(first, transport)
    other = make_publication()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        first.edition.publication = other
        first.edition.save()
        cursor.execute("SET session_replication_role = DEFAULT")
    readers = make_list(other, "others")
    make_subscriber(readers)
    second = make_prepared_send(0, approval=first.approval, lists=[readers])

    suppression.suppress("@example.com", "manual", publication_id=other.pk)
    submit(second, transport)

    assert Exclusion.objects.get(send_id=second.pk).reason == "manual"
    assert sandbox.ledger.messages(category=f"send-{second.pk}") == []
