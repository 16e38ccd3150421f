"""Delivery reports are asked for where the server offers them (RFC 3461), and the mail says which it is wherever it goes."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tasks.mime.envelope_ids import EnvelopeIds, address_digest
from tasks.providers.base import Accepted, Partial
from tasks.providers.smtp.transport import SmtpTransport
from tests.smtp_server import SmtpSink, running
from tests.tasks.providers.conftest import server_of
from tests.tasks.providers.messages import encode, make_recipient, make_recipients
from tests.waiting import LONG

pytestmark = pytest.mark.integration

IDS = EnvelopeIds("k" * 40)
HEADER = re.compile(rb"^X-Newsdesk-Envelope: (\S+)\r\n", re.MULTILINE)


@pytest.fixture(params=[True, False], ids=["pipelined", "step by step"])
def offering(request: pytest.FixtureRequest) -> Iterator[SmtpSink]:
    with running(SmtpSink(dsn=True, pipelining=request.param)) as one:
        yield one


def transport_to(sink: SmtpSink, *, success_reports: bool = False) -> SmtpTransport:
    return SmtpTransport(server_of(sink), deadline=LONG, envelope_ids=IDS, success_reports=success_reports)


def test_each_envelope_names_its_own_mail(offering: SmtpSink) -> None:
    transport, attempt = transport_to(offering), uuid4()
    recipients = [*make_recipients(3), make_recipient(4, email="a+b=c@bücher.example")]

    outcome = transport.post(encode(transport, recipients, attempt=attempt, installation="us"))
    transport.close()

    assert isinstance(outcome, Accepted)
    for kept, recipient in zip(offering.kept, recipients, strict=True):
        assert kept.parameters.keys() == {"RET", "ENVID", "NOTIFY", "ORCPT"}
        assert (kept.parameters["RET"], kept.parameters["NOTIFY"]) == ("HDRS", "FAILURE,DELAY")
        envelope = IDS.open(kept.parameters["ENVID"], installation="us")
        assert envelope is not None
        assert f"{envelope.send_id}.{envelope.subscriber_id}" == recipient.delivery
        assert (envelope.attempt, envelope.address) == (attempt, address_digest(recipient.email))
        assert HEADER.findall(kept.message) == [kept.parameters["ENVID"].encode()]
    assert offering.kept[3].parameters["ORCPT"] == "rfc822;a+2Bb+3Dc@xn--bcher-kva.example"


def test_arrivals_are_asked_for_only_when_somebody_wants_them(offering: SmtpSink) -> None:
    transport = transport_to(offering, success_reports=True)
    transport.post(encode(transport, make_recipients(1)))
    transport.close()

    assert offering.kept[0].parameters["NOTIFY"] == "SUCCESS,FAILURE,DELAY"


def test_a_server_that_does_not_offer_them_is_asked_for_nothing(sink: SmtpSink) -> None:
    transport = transport_to(sink)
    assert isinstance(transport.post(encode(transport, make_recipients(2))), Accepted)
    transport.close()

    assert [kept.parameters for kept in sink.kept] == [{}, {}]
    # Its reports show the headers of the mail all the same.
    assert all(len(HEADER.findall(kept.message)) == 1 for kept in sink.kept)


def test_a_mail_outside_any_send_has_no_id(offering: SmtpSink) -> None:
    transport = transport_to(offering)
    transport.post(encode(transport, [make_recipient(1)._replace(delivery="")]))
    transport.close()

    assert offering.kept[0].parameters == {}
    assert HEADER.findall(offering.kept[0].message) == []


def test_a_recipient_who_is_refused_takes_no_other_along(offering: SmtpSink) -> None:
    offering.script = lambda stage, _n, who: "550 5.1.1 no" if (stage, who[:7]) == ("rcpt", "reader2") else ""
    transport = transport_to(offering)
    outcome = transport.post(encode(transport, make_recipients(3)))
    transport.close()

    assert isinstance(outcome, Partial)
    assert outcome.no_mailbox == {1}
    assert [kept.recipient[:7] for kept in offering.kept] == ["reader1", "reader3"]


def test_no_message_may_bring_the_header_along() -> None:
    transport = SmtpTransport(server_of(SmtpSink(port=9)))
    with pytest.raises(ValueError, match="not a header a message may bring along"):
        encode(transport, make_recipients(1), headers={"X-Newsdesk-Envelope": "forged"})
