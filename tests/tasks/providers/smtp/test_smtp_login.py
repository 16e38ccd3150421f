"""Encryption and login against a real server."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.providers.base import Accepted, Reason, Refused
from tasks.providers.smtp.transport import SmtpTransport
from tests.certificates import certificate_in
from tests.smtp_server import SmtpSink, running
from tests.tasks.providers.conftest import server_of
from tests.tasks.providers.messages import encode, make_recipients
from tests.waiting import LONG

USERS = {"news": "päss wörd"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def sink(certificate: Path) -> Iterator[SmtpSink]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with running(SmtpSink(tls=context, users=USERS)) as one:
        yield one


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def post(sink: SmtpSink, context: ssl.SSLContext | None, **server: str) -> object:
    transport = SmtpTransport(server_of(sink, **server), deadline=LONG, context=context)
    outcome = transport.post(encode(transport, make_recipients(3)))
    transport.close()
    return outcome


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
def test_login_and_mail_go_through_an_encrypted_connection(
    implicit: bool, sink: SmtpSink, trusting: ssl.SSLContext
) -> None:
    sink.implicit_tls = implicit
    security = "tls" if implicit else "starttls"

    outcome = post(sink, trusting, security=security, username="news", password=USERS["news"])

    assert isinstance(outcome, Accepted), outcome
    assert len(sink.kept) == 3
    assert any(command.startswith("AUTH") for command in sink.commands)
    assert ("STARTTLS" in sink.commands) is not implicit


def test_auth_login_is_spoken_where_plain_is_not_offered(sink: SmtpSink, trusting: ssl.SSLContext) -> None:
    sink.script = lambda stage, _n, _r: "250-sink\r\n250-STARTTLS\r\n250 AUTH LOGIN" if stage == "helo" else ""

    outcome = post(sink, trusting, security="starttls", username="news", password=USERS["news"])

    assert isinstance(outcome, Accepted), outcome
    assert any(command.startswith("AUTH LOGIN") for command in sink.commands)


def test_a_server_that_knows_no_login_of_ours_needs_a_person(sink: SmtpSink, trusting: ssl.SSLContext) -> None:
    sink.script = lambda stage, _n, _r: "250-sink\r\n250-STARTTLS\r\n250 AUTH NTLM" if stage == "helo" else ""

    outcome = post(sink, trusting, security="starttls", username="news", password=USERS["news"])

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_ALLOWED


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_gets_no_password_and_no_mail(security: str, sink: SmtpSink) -> None:
    sink.implicit_tls = security == "tls"

    outcome = post(sink, None, security=security, username="news", password=USERS["news"])

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_SENT
    assert "certificate" in outcome.message.lower()
    assert not any(command.startswith(("AUTH", "MAIL")) for command in sink.commands)


def test_a_wrong_password_needs_a_person(sink: SmtpSink, trusting: ssl.SSLContext) -> None:
    outcome = post(sink, trusting, security="starttls", username="news", password="wrong")

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_ALLOWED
    assert "535 5.7.8 wrong password" in outcome.message


def test_a_server_without_starttls_gets_no_mail(sink: SmtpSink) -> None:
    sink.tls = None

    outcome = post(sink, None, security="starttls")

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_ALLOWED
    assert "STARTTLS" in outcome.message
    assert sink.kept == []
