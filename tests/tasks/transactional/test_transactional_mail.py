"""Single messages: out at most once, before the batches, and never mistaken for part of a send."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from newsdesk.core.environment import SmtpServer
from sandbox.server import Sandbox
from tasks.database import high_water
from tasks.models import Alarm, TransactionalMail
from tasks.providers.file.transport import FileTransport
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.providers.smtp.journal import Fate, Journal
from tasks.providers.smtp.transport import SmtpTransport
from tasks.sends.counts import counts
from tasks.submission import recovery
from tasks.transactional import recovery as mail_recovery
from tasks.transactional import submitting
from tasks.transactional.submitting import AT_ONCE, MAX_TRIES
from tests.factories import make_transactional_mail
from tests.reports import deliver, make_world, suppressions
from tests.tasks.conftest import FakeQueue
from tests.waiting import LONG

pytestmark = pytest.mark.django_db

URL = "https://news.example.com/u/token"


def submit(mail: TransactionalMail, transport: Any) -> TransactionalMail:
    submitting.submit_mail(mail.pk, transport=transport)
    mail.refresh_from_db()
    return mail


def due_again(mail: TransactionalMail) -> None:
    TransactionalMail.objects.filter(pk=mail.pk).update(not_before=timezone.now() - timedelta(seconds=1))


def dead_process() -> str:
    code = "from newsdesk.core import process_identity; print(process_identity.current_process())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_mail_goes_out_as_the_real_mail_does_and_names_no_send(
    sandbox: Sandbox, transport: SendGridTransport
) -> None:
    mail = make_transactional_mail(
        substitutions={"-ndName-": "Ada", "-ndNameHtml-": "Ada", "-ndUnsubscribeUrl-": URL},
        unsubscribe_url=URL,
        headers={"List-Id": "<weekly.example.com>"},
    )

    assert submit(mail, transport).status == TransactionalMail.Status.SUBMITTED

    (message,) = sandbox.ledger.messages()
    posted = message.request.mail
    (recipient,) = posted["personalizations"]
    assert recipient["to"] == [{"email": "editor@example.com"}]
    assert recipient["headers"] == {
        "List-Unsubscribe": f"<{URL}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert recipient["substitutions"]["-ndName-"] == "Ada"
    assert posted["headers"] == {"List-Id": "<weekly.example.com>"}
    assert posted["categories"] == ["newsdesk-test"]
    assert posted["custom_args"] == {"nd_attempt": str(mail.attempt), "nd_installation": high_water.installation()}
    assert (message.recipient.delivery, mail.provider_id) == (None, message.request.message_id)
    assert mail.finished_at is not None


def test_what_is_out_is_not_sent_again(sandbox: Sandbox, transport: SendGridTransport) -> None:
    mail = make_transactional_mail()
    submit(mail, transport)

    assert not submitting.submit_mail(mail.pk, transport=transport)
    assert submitting.submit_waiting(transport=transport) == 0
    assert sandbox.ledger.counts()["requests"] == 1


@pytest.mark.parametrize("kind", ["accept-then-close", "reject-then-close", "accept-then-error", "bad-gateway"])
def test_what_nobody_knows_is_never_sent_again_by_itself(
    kind: str, sandbox: Sandbox, transport: SendGridTransport, fault: Any
) -> None:
    fault(kind, times=1)
    mail = make_transactional_mail()

    assert submit(mail, transport).status == TransactionalMail.Status.UNKNOWN
    TransactionalMail.objects.update(
        not_before=timezone.now() - timedelta(days=1), claimed_at=timezone.now() - timedelta(days=1)
    )
    recovery.recover(wake_all=True)
    assert submitting.submit_waiting(transport=transport) == 0

    assert submit(mail, transport).status == TransactionalMail.Status.UNKNOWN
    assert sandbox.ledger.counts()["requests"] <= 1


def test_too_fast_waits_as_long_as_asked(sandbox: Sandbox, transport: SendGridTransport, fault: Any) -> None:
    fault("rate-limit", retry_after=30, times=1)
    before = timezone.now()
    mail = submit(make_transactional_mail(), transport)

    assert (mail.status, mail.attempts, mail.finished_at) == (TransactionalMail.Status.PENDING, 1, None)
    assert before <= mail.not_before - timedelta(seconds=30) <= timezone.now()
    assert not submitting.submit_mail(mail.pk, transport=transport)

    due_again(mail)
    assert submit(mail, transport).status == TransactionalMail.Status.SUBMITTED
    assert sandbox.ledger.counts()["requests"] == 1


def test_a_server_that_is_away_is_tried_eight_times(tmp_path: Path) -> None:
    away = SendGridTransport(api_key="SG.test", host="http://127.0.0.1:1", deadline=LONG)
    mail = make_transactional_mail()
    shortest, longest = [], []
    for _ in range(MAX_TRIES - 1):
        before = timezone.now()
        assert submit(mail, away).status == TransactionalMail.Status.PENDING
        longest.append(mail.not_before - before)
        shortest.append(mail.not_before - timezone.now())
        due_again(mail)

    # Each wait begins somewhere between the two moments.
    assert all(later >= earlier for earlier, later in zip(shortest, longest[1:], strict=False))
    assert longest[-1] > 2 * shortest[0]
    assert submit(mail, away).status == TransactionalMail.Status.FAILED
    assert (mail.attempts, bool(mail.said), bool(mail.finished_at)) == (MAX_TRIES, True, True)


@pytest.mark.parametrize("kind", ["credits-exceeded", "bad-recipient"])
def test_a_refusal_that_waiting_does_not_mend_fails_it(kind: str, transport: SendGridTransport, fault: Any) -> None:
    fault(kind, **({"personalizations": [0]} if kind == "bad-recipient" else {}))

    mail = submit(make_transactional_mail(), transport)

    assert mail.status == TransactionalMail.Status.FAILED
    assert "HTTP 40" in mail.said


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"to_email": "no@two@example.com"}, "not an address"), ({"from_email": "nobody"}, "cannot be written as a mail")],
)
def test_what_cannot_be_written_as_a_mail_fails(fields: dict[str, str], said: str, tmp_path: Path) -> None:
    mail = submit(make_transactional_mail(**fields), FileTransport(tmp_path / "mail"))

    assert mail.status == TransactionalMail.Status.FAILED
    assert said in mail.said
    assert not list((tmp_path / "mail").glob("new/*"))


def test_into_a_folder_each_mail_is_a_file_of_its_own(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path / "mail")

    statuses = {submit(make_transactional_mail(), transport).status for _ in range(2)}

    assert statuses == {TransactionalMail.Status.SUBMITTED}
    assert len(list((tmp_path / "mail").glob("new/*"))) == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_with_one_mail_one_sends_it(sandbox: Sandbox, transport: SendGridTransport, fault: Any) -> None:
    fault("latency", seconds=0.2)
    mail = make_transactional_mail()
    start = threading.Barrier(6)

    def work(_: int) -> bool:
        try:
            start.wait(LONG)
            return submitting.submit_mail(mail.pk, transport=transport)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(work, range(6)))

    assert sorted(done) == [False] * 5 + [True]
    assert sandbox.ledger.counts()["requests"] == 1
    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == (TransactionalMail.Status.SUBMITTED, 1)


_WORKER = """
import sys
import django
django.setup()
from tasks.transactional import submitting
from tasks.providers.sendgrid.transport import SendGridTransport
transport = SendGridTransport(api_key="SG.test", host=sys.argv[1], deadline=120.0)
print("ready", flush=True)
sys.stdin.readline()
print(submitting.submit_waiting(transport=transport))
"""


@pytest.mark.integration
def test_two_processes_race_for_the_waiting_mails(
    database_url: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        make_transactional_mail(f"editor{number}@example.com")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "newsdesk.settings")
    command = [sys.executable, "-c", _WORKER, sandbox.url]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    sent = [int(worker.communicate("go\n", timeout=LONG)[0]) for worker in workers]

    assert sum(sent) == 5
    assert sandbox.ledger.counts() == {"requests": 5, "accepted": 5, "distinct": 5, "duplicates": 0}
    assert set(TransactionalMail.objects.values_list("status", "attempts")) == {("submitted", 1)}


@pytest.mark.parametrize("how", ["dead", "stale"])
def test_a_mail_of_a_lost_worker_is_unknown_and_stays_so(
    how: str, sandbox: Sandbox, transport: SendGridTransport
) -> None:
    mail = make_transactional_mail()
    abandoned = (
        {"claimed_by": dead_process()} if how == "dead" else {"claimed_at": timezone.now() - timedelta(seconds=301)}
    )
    TransactionalMail.objects.update(
        **{"status": "submitting", "attempt": uuid4(), "claimed_at": timezone.now(), **abandoned}
    )

    recovery.recover()

    mail.refresh_from_db()
    assert mail.status == TransactionalMail.Status.UNKNOWN
    assert mail.finished_at is not None
    assert not submitting.submit_mail(mail.pk, transport=transport)
    assert sandbox.ledger.counts()["requests"] == 0


def test_a_living_worker_keeps_its_mail(transport: SendGridTransport) -> None:
    make_transactional_mail()
    TransactionalMail.objects.update(status="submitting", attempt=uuid4(), claimed_at=timezone.now())

    recovery.recover()

    assert TransactionalMail.objects.get().status == TransactionalMail.Status.SUBMITTING


@pytest.mark.parametrize(("fate", "status"), [(Fate.ACCEPTED, "submitted"), (Fate.NOT_SENT, "pending")])
def test_the_journal_of_a_dead_worker_settles_its_mail(fate: Fate, status: str, tmp_path: Path) -> None:
    attempt = uuid4()
    _leave_journal(tmp_path, attempt, fate)
    make_transactional_mail()
    TransactionalMail.objects.update(
        status="submitting", attempt=attempt, attempts=1, claimed_at=timezone.now(), claimed_by=dead_process()
    )
    server = SmtpServer(host="127.0.0.1", port=1, security="plain")

    mail_recovery.recover(transport=SmtpTransport(server, journal=tmp_path))

    assert TransactionalMail.objects.get().status == status
    assert not list(tmp_path.iterdir())


def _leave_journal(folder: Path, attempt: UUID, fate: Fate) -> None:
    Journal(folder).open(attempt, [""])[0] = fate
    file = folder / str(attempt)
    head, _, cells = file.read_bytes().partition(b"\n")
    file.write_bytes(json.dumps({**json.loads(head), "process": dead_process()}).encode() + b"\n" + cells)


@pytest.mark.parametrize(("age", "waiting", "enqueued"), [(11, 0, 1), (-60, 0, 0), (11, 1, 0), (11, None, 0)])
def test_a_mail_whose_message_was_lost_is_enqueued_again(
    age: int,
    waiting: int | None,
    enqueued: int,
    transport: SendGridTransport,
    fake_queue: FakeQueue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_transactional_mail()
    TransactionalMail.objects.update(not_before=timezone.now() - timedelta(seconds=age))
    fake_queue.waiting_mails = waiting

    recovery.recover()

    assert len(fake_queue.mails) == enqueued


@pytest.mark.django_db(transaction=True)
def test_writing_enqueues_once_it_is_stored_and_a_wait_enqueues_again(
    transport: SendGridTransport, fake_queue: FakeQueue, fault: Any
) -> None:
    mail = make_transactional_mail()
    assert fake_queue.mails == [mail.pk]
    fault("rate-limit", retry_after=30, times=1)

    submit(mail, transport)

    assert fake_queue.mails == [mail.pk, mail.pk]


def test_what_waits_is_sent_the_oldest_first_and_not_all_at_once(
    sandbox: Sandbox, transport: SendGridTransport
) -> None:
    for number in range(AT_ONCE + 1):
        make_transactional_mail(f"editor{number:02}@example.com")
    TransactionalMail.objects.filter(to_email="editor05@example.com").update(
        not_before=F("not_before") - timedelta(hours=1)
    )
    TransactionalMail.objects.filter(to_email="editor00@example.com").update(
        not_before=F("not_before") + timedelta(hours=1)
    )

    assert submitting.submit_waiting(transport=transport) == AT_ONCE

    messages = sandbox.ledger.messages()
    assert messages[-1].recipient.address == "editor05@example.com"
    assert TransactionalMail.objects.get(status="pending").to_email == "editor00@example.com"


def test_looking_for_mails_is_one_question_to_the_index(
    transport: SendGridTransport, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1) as asked:
        assert submitting.submit_waiting(transport=transport) == 0

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + asked[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "tasks_letter_open" in plan


def test_what_is_reported_of_a_mail_counts_for_no_send() -> None:
    world = make_world(1)
    mail = make_transactional_mail(world.readers[0].email)
    TransactionalMail.objects.update(status="submitted", attempt=uuid4())
    mail.refresh_from_db()
    report = {**world.late(0, "bounce", type="bounce"), "nd_attempt": str(mail.attempt)}

    deliver(report, {**report, "event": "delivered"}, {**report, "event": "unsubscribe"})

    assert world.counts() == {}
    assert counts(world.send).status == "sending"
    assert not Alarm.objects.exists()
    assert suppressions() == {(world.readers[0].email, "hard_bounce", None)}
