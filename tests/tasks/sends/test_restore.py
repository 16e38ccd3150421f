"""`newsdesk restore` and `newsdesk drill`: a dump takes the database's place, and nothing is sent again by itself."""

import json
import os
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import management
from django.db import connection, connections
from django.utils import timezone

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.local_stack import restoring
from newsdesk.local_stack.engines import binaries
from sandbox.server import Sandbox
from tasks.database import high_water
from tasks.models import Alarm, Batch, Send
from tasks.preparation import preparing
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission import posting, recovery
from tests.factories import make_prepared_send, make_send

pytestmark = pytest.mark.integration


@pytest.fixture
def dump(tmp_path: Path, database_url: str) -> Any:
    def write() -> Path:
        file = tmp_path / "newsdesk.dump"
        program = binaries.postgres() / "pg_dump"
        subprocess.run([program, "--format=custom", f"--file={file}", database_url], check=True)
        return file

    return write


@pytest.fixture(autouse=True)
def kept_databases_go(database_url: str) -> Iterator[None]:
    yield
    connections.close_all()
    given = connection.settings_dict
    with psycopg.connect(
        dbname="postgres", host=given["HOST"], port=5432, user=given["USER"], autocommit=True
    ) as server:
        names = server.execute("SELECT datname FROM pg_database WHERE datname LIKE '%\\_before\\_%'").fetchall()
        for (name,) in names:
            server.execute(psycopg.sql.SQL("DROP DATABASE {}").format(psycopg.sql.Identifier(name)))


def _submit(send: Send, transport: SendGridTransport) -> None:
    posting.submit_batch(Batch.objects.get(send=send).pk, transport=transport)


def _restore(file: Path) -> dict[str, Any]:
    out = StringIO()
    management.call_command("restore", str(file), "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_what_went_out_after_the_dump_is_named_and_not_sent_again(
    dump: Any, sandbox: Sandbox, transport: SendGridTransport
) -> None:
    early = make_prepared_send(2)
    _submit(early, transport)
    running = make_prepared_send(3)
    waiting = make_send(1, scheduled_at=timezone.now())
    file = dump()
    _submit(running, transport)
    assert preparing.prepare_due() == 1
    _submit(waiting, transport)
    later = make_prepared_send(4)
    _submit(later, transport)
    title = later.edition.title

    report = _restore(file)

    assert [(line["send"], line["readers"]) for line in report["sent_after"]] == [
        (running.pk, 3), (waiting.pk, 1), (later.pk, 4)
    ]  # fmt: skip
    assert (report["forgotten"], report["held"], report["unbalanced"]) == (3, [running.pk, waiting.pk], [])
    assert counts(running).unknown == 3
    assert Alarm.objects.filter(message__contains=f"“{title}” went out to 4 readers").exists()
    recovery.recover()
    assert preparing.prepare_due() == 0
    assert posting.begin(transport) is None
    assert sandbox.ledger.counts()["accepted"] == 10
    assert not control.resume(waiting.pk)


def test_the_newest_dump_holds_nothing(dump: Any, sandbox: Sandbox, transport: SendGridTransport) -> None:
    _submit(make_prepared_send(2), transport)
    waiting = make_prepared_send(3)
    report = _restore(dump())

    assert (report["sent_after"], report["held"], report["forgotten"]) == ([], [], 0)
    _submit(waiting, transport)
    assert sandbox.ledger.counts()["accepted"] == 5


def test_nothing_is_restored_while_something_runs(
    dump: Any, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "UNTIL_GONE", 1.0)
    file = dump()
    with psycopg.connect(database_url), pytest.raises(OperationFailedError, match="1 other connection to the database"):
        restoring.restore(file)


def test_who_is_about_to_leave_is_waited_for(dump: Any, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    send = make_prepared_send(2)
    file = dump()
    leaving = psycopg.connect(database_url)
    monkeypatch.setattr(restoring.time, "sleep", lambda seconds: leaving.close())

    restoring.restore(file)

    assert counts(send).pending == 2


def test_a_file_that_is_no_dump_changes_nothing(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear reader")

    with pytest.raises(InputError, match="is not a dump of pg_dump --format=custom"):
        restoring.restore(file)
    with pytest.raises(InputError, match="there is no"):
        restoring.restore(tmp_path / "nothing")


def test_a_dump_that_breaks_off_leaves_all_as_before(dump: Any) -> None:
    send = make_prepared_send(2)
    file = dump()
    os.truncate(file, file.stat().st_size - 2000)

    with pytest.raises(OperationFailedError, match="all is as before"):
        restoring.restore(file)

    assert counts(send).pending == 2


def test_a_drill_restores_elsewhere_and_changes_nothing(dump: Any, transport: SendGridTransport) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    file = dump()
    _submit(second, transport)
    mark = high_water.read(high_water.installation())
    out = StringIO()

    management.call_command("drill", str(file), "--json", stdout=out)

    report = json.loads(out.getvalue())
    assert (report["ok"], report["sends"], report["forgotten"], report["held"]) == (True, 2, 1, [second.pk])
    assert high_water.read(high_water.installation()) == mark
    assert counts(second).status == "sent"


def test_a_drill_says_why_a_backup_is_no_use(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "broken.dump"
    file.write_bytes(b"PGDMP and then nothing")

    with pytest.raises(InputError, match="is not a dump of pg_dump"):
        management.call_command("drill", str(file))
