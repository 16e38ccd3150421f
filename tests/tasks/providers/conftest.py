"""The three ways out, each with a real other end."""

import email
import email.policy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from newsdesk.core.environment import SmtpServer
from sandbox.messages import eml
from sandbox.server import Sandbox
from tasks.mime.envelope_ids import EnvelopeIds
from tasks.providers.base import Transport
from tasks.providers.file.transport import FileTransport
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.providers.smtp.transport import SmtpTransport
from tests.smtp_server import HANG, SmtpSink, running
from tests.tasks.conftest import API_KEY
from tests.waiting import LONG


@dataclass
class Way:
    """A transport and what arrives at its other end."""

    transport: Transport
    raw: Callable[[], list[bytes]]
    #: The same transport with nobody at the other end.
    broken: Transport
    #: Makes the same transport, with a deadline in seconds, before somebody who takes the request and never answers; None =
    #: there is nobody to wait for.
    silent: Callable[[float], Transport] | None = None
    #: How many such requests were taken.
    silences: Callable[[], int] = lambda: 0

    def received(self) -> list[EmailMessage]:
        messages = [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.raw()]
        return [message for message in messages if isinstance(message, EmailMessage)]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with running(SmtpSink()) as one:
        yield one


@pytest.fixture
def smtp(sink: SmtpSink, tmp_path: Path) -> Iterator[SmtpTransport]:
    transport = SmtpTransport(server_of(sink), journal=tmp_path / "journal", deadline=LONG)
    yield transport
    transport.close()


def server_of(sink: SmtpSink, **fields: Any) -> SmtpServer:
    return SmtpServer(**{"host": "127.0.0.1", "port": sink.port, "security": "plain", **fields})


@pytest.fixture(params=["sendgrid", "smtp", "smtp step by step", "smtp with reports", "file"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    if request.param == "sendgrid":
        sandbox: Sandbox = request.getfixturevalue("sandbox")
        yield _sendgrid(sandbox, request.getfixturevalue("fault"))
    elif request.param == "file":
        mailbox = tmp_path / "mail"
        (tmp_path / "occupied").write_text("no folder")
        yield Way(
            transport=FileTransport(mailbox),
            raw=lambda: [path.read_bytes() for path in (mailbox / "new").iterdir()],
            broken=FileTransport(tmp_path / "occupied"),
        )
    else:
        reports = request.param == "smtp with reports"
        with running(SmtpSink(pipelining=request.param != "smtp step by step", dsn=reports)) as sink:
            yield from _smtp(sink, tmp_path, EnvelopeIds("k" * 40) if reports else None)


def _sendgrid(sandbox: Sandbox, fault: Any) -> Way:
    def silent(deadline: float) -> SendGridTransport:
        fault("accept-then-hang")
        return SendGridTransport(api_key=API_KEY, host=sandbox.url, deadline=deadline)

    return Way(
        transport=SendGridTransport(api_key=API_KEY, host=sandbox.url, deadline=LONG),
        raw=lambda: [eml(message) for message in sandbox.ledger.messages(limit=2000)],
        broken=SendGridTransport(api_key=API_KEY, host="http://127.0.0.1:9"),
        silent=silent,
        silences=lambda: sum(fault["struck"] for fault in sandbox.faults.as_json()),
    )


def _smtp(sink: SmtpSink, folder: Path, ids: EnvelopeIds | None) -> Iterator[Way]:
    def silent(deadline: float) -> SmtpTransport:
        sink.script = lambda stage, _number, _recipient: HANG if stage == "text" else ""
        return SmtpTransport(server_of(sink), deadline=deadline)

    transport = SmtpTransport(server_of(sink), journal=folder / "journal", deadline=LONG, envelope_ids=ids)
    yield Way(
        transport=transport,
        raw=lambda: [kept.message for kept in sink.kept],
        broken=SmtpTransport(SmtpServer(host="127.0.0.1", port=9, security="plain")),
        silent=silent,
        silences=lambda: sink.hangs,
    )
    transport.close()
