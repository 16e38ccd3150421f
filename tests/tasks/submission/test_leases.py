"""A worker whose process nobody here can see is gone once its database session is (issue 13, points 8 and 16)."""

import threading
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from newsdesk.core import advisory_locks
from tasks.database import leases
from tasks.database.statements import run
from tasks.models import Attempt, Batch, Send
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import silence
from tasks.submission import recovery
from tasks.submission.building import build
from tasks.submission.claiming import claim_batch
from tasks.submission.fencing import fence
from tests.factories import make_prepared_send
from tests.waiting import eventually

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def old_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "POSTS_FOR", -1.0)


class Container:
    """A worker with a session of its own and a process that nobody sees from here."""

    def __init__(self) -> None:
        self._over, self._ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        assert self._ready.wait(60)

    def _work(self) -> None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(leases, "_Lease", type("_Lease", (), {"number": 0, "pid": 0, "session": None}))
            patched.setattr(leases.process_identity, "current_process", lambda: "another/boot/0/1/1")
            self.name = leases.holder()
        self._ready.set()
        self._over.wait(60)
        connection.close()

    def kill(self) -> None:
        self._over.set()
        self._thread.join(60)
        # PostgreSQL notices a moment after the socket is closed.
        assert eventually(lambda: (self._number(),) not in run(leases._HELD, [advisory_locks.LEASES]))

    def _number(self) -> int:
        return int(self.name.partition(" ")[0].removeprefix("lease="))


def claimed_by(container: Container, transport: SendGridTransport, *, fenced: bool = False) -> Send:
    send = make_prepared_send(2)
    claim = claim_batch(Batch.objects.get(send=send).pk, attempt=uuid4(), transport=transport.name)
    assert claim is not None
    if fenced:
        assert fence(claim, build(claim), transport=transport.name)
    Batch.objects.filter(send=send).update(claimed_by=container.name)
    return send


def test_what_a_killed_container_was_building_is_pending_at_once(transport: SendGridTransport) -> None:
    container = Container()
    send = claimed_by(container, transport)

    recovery.release_abandoned()
    assert Batch.objects.get(send=send).status == "building", "it lives"
    container.kill()
    recovery.release_abandoned()

    assert Batch.objects.get(send=send).status == "pending"


def test_what_it_may_have_begun_is_unknown_and_its_silence_waits_until_it_cannot_post(
    transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = Container()
    send = claimed_by(container, transport, fenced=True)
    container.kill()

    recovery.release_abandoned()

    assert Batch.objects.get(send=send).status == "unknown"
    assert Attempt.objects.get().evidence[0]["why"] == "its worker's database session is gone"
    monkeypatch.setattr(leases, "POSTS_FOR", 90.0)
    (doubt,) = silence.doubts_of(transport.name, grace=10)
    assert -90 <= doubt.age < -60, "it may be posting still"


def test_just_after_the_databases_start_a_session_that_is_gone_says_nothing(
    transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "POSTS_FOR", 1e9)
    container = Container()
    send = claimed_by(container, transport)
    container.kill()

    recovery.release_abandoned()

    assert Batch.objects.get(send=send).status == "building"


def test_a_claim_without_a_lease_waits_as_before(transport: SendGridTransport) -> None:
    """As one that an earlier version has made."""
    container = Container()
    send = claimed_by(container, transport)
    container.kill()
    Batch.objects.update(claimed_by="another/boot/0/1/1", claimed_at=timezone.now())

    recovery.release_abandoned()

    assert Batch.objects.get(send=send).status == "building"


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_connects_anew_keeps_its_claims() -> None:
    name = leases.holder()
    connection.close()
    connection.ensure_connection()

    assert leases.lost({name}) == set()
    assert leases.holder() == name
