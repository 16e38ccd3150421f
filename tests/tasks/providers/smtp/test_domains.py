"""A domain whose readers are put off is told from a server that puts off everybody, and from one mailbox."""

import pytest

from tasks.providers.base import Partial, Reason, Refused
from tasks.providers.smtp.domains import DOMAIN_IN_A_ROW
from tasks.providers.smtp.transport import SmtpTransport
from tests.smtp_server import SmtpSink
from tests.tasks.providers.messages import encode, make_recipient

pytestmark = pytest.mark.integration

LATER = "450 4.7.0 too many from you"


def post(transport: SmtpTransport, *domains: str) -> Partial:
    recipients = [make_recipient(number, email=f"reader{number}@{domain}") for number, domain in enumerate(domains)]
    outcome = transport.post(encode(transport, recipients))
    assert isinstance(outcome, Partial), outcome
    return outcome


def asked(sink: SmtpSink, domain: str) -> int:
    return sum(command.endswith(f"@{domain}>") for command in sink.commands)


def test_several_domains_at_once_are_no_trouble_of_the_servers(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """Hotmail, Outlook and Live are one provider: ten noes in a row come of it where readers are sorted by domain."""
    slow = ("a.example", "b.example", "c.example", "d.example")
    sink.script = lambda stage, _n, whom: LATER if stage == "rcpt" and whom.endswith(slow) else ""

    outcome = post(smtp, *[domain for domain in slow for _ in range(6)], *["example.com"] * 5)

    assert outcome.accepted == set(range(24, 29))
    assert set(outcome.put_off_domains) == set(slow)
    assert sorted(at for one in outcome.put_off_domains.values() for at in one.members) == list(range(24))
    assert outcome.reason is None
    assert sum(asked(sink, domain) for domain in slow) <= 4 * (DOMAIN_IN_A_ROW + 2)


def test_one_that_takes_some_in_between_is_asked_on(sink: SmtpSink, smtp: SmtpTransport) -> None:
    no = {f"reader{number}@slow.example" for number in (0, 1, 3, 4, 6, 7)}
    sink.script = lambda stage, _n, whom: LATER if stage == "rcpt" and whom in no else ""

    outcome = post(smtp, *["slow.example"] * 9, "example.com")

    assert outcome.accepted == {2, 5, 8, 9}
    assert outcome.put_off.keys() == {0, 1, 3, 4, 6, 7}
    assert not outcome.put_off_domains


def test_a_request_to_one_domain_alone_goes_further_the_more_were_taken(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """It may greylist without saying so: whoever was put off before is taken now, and the next have to be asked for."""
    sink.script = lambda stage, accepted, _w: "451 4.7.1 not now" if stage == "rcpt" and accepted >= 10 else ""

    outcome = post(smtp, *["slow.example"] * 100)

    (one,) = outcome.put_off_domains.values()
    assert (len(outcome.accepted), len(one.members), one.some_accepted) == (10, 90, True)
    assert 20 <= len(outcome.put_off) <= 22, "two envelopes were on their way"


def test_421_to_the_same_reader_twice_is_about_them_and_once_about_the_connection(
    sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = lambda stage, _n, whom: "421 4.4.5 busy" if stage == "rcpt" and whom.startswith("reader2@") else ""

    outcome = post(smtp, *["example.com"] * 5)

    assert outcome.accepted == {0, 1, 3, 4}
    assert outcome.put_off == {2: "421 4.4.5 busy"}
    assert sink.connections == 3


def test_a_server_that_says_421_to_everybody_is_not_knocked_at_for_each(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = lambda stage, _n, _w: "421 4.3.2 shutting down" if stage == "rcpt" else ""
    recipients = [make_recipient(number, email=f"reader@example{number}.com") for number in range(100)]

    outcome = smtp.post(encode(smtp, recipients))

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_SENT
    assert sink.connections <= 10


@pytest.mark.parametrize(
    "answer",
    ["451 4.7.1 Greylisting in action, please come back in 00:05:00", "450 4.2.1 user busy", "451 wait for 60 seconds"],
)
def test_greylisting_asks_for_every_reader(answer: str, sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = lambda stage, _n, whom: answer if stage == "rcpt" and whom.endswith("slow.example") else ""

    outcome = post(smtp, *["slow.example"] * 10, "example.com")

    assert len(outcome.put_off) == 10
    assert not outcome.put_off_domains
