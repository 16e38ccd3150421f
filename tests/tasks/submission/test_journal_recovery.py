"""A worker killed in the middle of a request over SMTP: what its journal knows is recorded, what it does not is in doubt."""

import json
import pickle
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from newsdesk.core import process_identity
from tasks.attempts.moving import MembersMissingError
from tasks.models import Batch, Delivery
from tasks.providers.smtp.transport import SmtpTransport
from tasks.submission import building, fencing, recovery
from tasks.submission.claiming import claim_batch
from tests.factories import make_prepared_send
from tests.smtp_server import CLOSE, SmtpSink
from tests.tasks.conftest import FakeQueue
from tests.tasks.submission.smtp_sends import check, gone, no_wait, submit_all
from tests.waiting import LONG

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


_CHILD = """
import pickle
import sys
from pathlib import Path
from newsdesk.core.environment import SmtpServer
from tasks.providers import registry
from tasks.providers.smtp.transport import SmtpTransport
port, journal, request = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
transport = SmtpTransport(SmtpServer(host="127.0.0.1", port=port, security="plain"), journal=journal)
message, recipients, attempt = pickle.loads(request.read_bytes())
transport.post(transport.encode(message, recipients, attempt=attempt))
"""


def _holder_of(journal: Path) -> str:
    return str(json.loads(journal.read_bytes().partition(b"\n")[0])["process"])


def test_members_who_are_not_there_stop_the_record(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = gone("text", 1, CLOSE)
    send = make_prepared_send(4)
    original = smtp.post

    def post_and_lose(body: Any) -> Any:
        outcome = original(body)
        Delivery.objects.filter(send_id=send.pk).last().delete()  # type: ignore[union-attr]
        return outcome

    smtp.post = post_and_lose  # type: ignore[method-assign]
    with pytest.raises(MembersMissingError):
        submit_all(send, smtp)
    assert Batch.objects.get(send=send).status == Batch.Status.SUBMITTING


@pytest.mark.parametrize(
    ("after", "stage", "expected"),
    [(3, "text", {"submitted": 3, "unknown": 1, "pending": 4}), (3, "mail", {"submitted": 3, "pending": 5}),
     (0, "text", {"unknown": 1, "pending": 7}), (0, "greeting", {"pending": 8})],
)  # fmt: skip
def test_a_worker_killed_in_the_middle_leaves_one_doubt(
    after: int, stage: str, expected: dict[str, int], sink: SmtpSink, smtp: SmtpTransport, tmp_path: Path
) -> None:
    """The process that holds the batch is another one; it is killed while the server keeps it waiting."""
    # Whoever waits for each reply has read the last one before it goes on.
    sink.pipelining = stage != "mail"
    send = make_prepared_send(8)
    batch = Batch.objects.get(send=send)
    held = claim_batch(batch.pk, attempt=uuid4(), transport=smtp.name)
    assert held is not None
    built = building.build(held)
    assert fencing.fence(held, built, transport=smtp.name)
    request = tmp_path / "request"
    request.write_bytes(pickle.dumps((built.message, built.recipients, held.attempt)))
    children: list[subprocess.Popen[bytes]] = []

    def kill(where: str, accepted: int, _recipient: str) -> str:
        if where == stage and accepted == after and children and children[0].poll() is None:
            children[0].send_signal(signal.SIGKILL)
            children[0].wait()
            return CLOSE
        return ""

    sink.script = kill
    arguments = [sys.executable, "-c", _CHILD, str(sink.port), str(tmp_path / "journal"), str(request)]
    children.append(subprocess.Popen(arguments, cwd=Path(__file__).parents[3]))
    assert children[0].wait(LONG) == -signal.SIGKILL
    Batch.objects.filter(pk=batch.pk).update(claimed_by=_holder_of(tmp_path / "journal" / str(held.attempt)))

    recovery.release_abandoned()
    recovery.release_abandoned()
    check(send, **expected)

    sink.script = lambda *_: ""
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=8 - expected.get("unknown", 0), unknown=expected.get("unknown", 0))
    assert max(Counter(sink.addresses()).values()) == 1


def test_without_a_journal_everybody_is_in_doubt(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(3)
    held = claim_batch(Batch.objects.get(send=send).pk, attempt=uuid4(), transport=smtp.name)
    assert held is not None
    assert fencing.fence(held, building.build(held), transport=smtp.name)
    machine = process_identity.current_process().rpartition("/")[0]
    Batch.objects.filter(send=send).update(claimed_by=f"{machine}/1")

    recovery.release_abandoned()

    check(send, unknown=3)


def test_a_journal_of_other_members_is_not_believed(sink: SmtpSink, smtp: SmtpTransport, tmp_path: Path) -> None:
    send = make_prepared_send(3)
    held = claim_batch(Batch.objects.get(send=send).pk, attempt=uuid4(), transport=smtp.name)
    assert held is not None
    assert fencing.fence(held, building.build(held), transport=smtp.name)
    dead = f"{process_identity.current_process().rpartition('/')[0]}/1"
    folder = tmp_path / "journal"
    folder.mkdir(exist_ok=True)
    (folder / str(held.attempt)).write_bytes(
        b'{"process": "%s", "deliveries": ["1.1", "1.2", "1.3"]}\n\2\2\2' % dead.encode()
    )
    Batch.objects.filter(send=send).update(claimed_by=dead)

    recovery.release_abandoned()

    check(send, unknown=3)


def test_those_not_tried_are_enqueued(
    sink: SmtpSink, smtp: SmtpTransport, fake_queue: FakeQueue, django_capture_on_commit_callbacks: Any
) -> None:
    sink.script = gone("text", 1, CLOSE)
    send = make_prepared_send(4)
    with django_capture_on_commit_callbacks(execute=True):
        submit_all(send, smtp)
    pending = Batch.objects.get(send=send, status="pending")
    assert pending.pk in fake_queue.batches
