"""The commands of one mail's envelope, and what the codes in an answer say (RFC 3461, RFC 3463)."""

import pytest

from tasks.mime.messages import MimeMessage
from tasks.providers.smtp import envelopes, status_codes

MESSAGE = MimeMessage(position=0, delivery="7", address="a+b=c@example.com", values=(), envelope_id="7.1.2")


def test_without_reports_the_envelope_has_no_parameters() -> None:
    plain = b"MAIL FROM:<desk@example.com>\r\nRCPT TO:<a+b=c@example.com>\r\nDATA\r\n"

    assert envelopes.envelope(MESSAGE, sender="desk@example.com", notify="") == plain
    nameless = MESSAGE._replace(envelope_id="")
    assert envelopes.envelope(nameless, sender="desk@example.com", notify=envelopes.NOTIFY) == plain


def test_a_report_is_asked_for_under_the_mails_id() -> None:
    assert envelopes.envelope(MESSAGE, sender="desk@example.com", notify="FAILURE,DELAY") == (
        b"MAIL FROM:<desk@example.com> RET=HDRS ENVID=7.1.2\r\n"
        b"RCPT TO:<a+b=c@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb+3Dc@example.com\r\nDATA\r\n"
    )


@pytest.mark.parametrize(
    ("text", "code", "reader", "no_mailbox"),
    [
        ("5.1.1 No such user", True, True, True),
        ("5.1.6 Moved", True, True, True),
        ("5.1.10 Null MX", True, True, True),
        ("5.1.2 Bad host", True, True, False),
        ("5.1.100 ?", True, True, False),
        ("5.2.2 Full", True, True, False),
        ("4.2.2 Full", True, True, False),
        ("4.1.8 ?", True, True, False),
        ("4.7.1 Greylisted", True, True, False),
        ("5.7.1 Not allowed", True, False, False),
        ("4.4.1 No answer", True, False, False),
        ("2.1.5 Fine", True, False, False),
        ("3.1.1 ?", False, False, False),
        ("5.1 ?", False, False, False),
        ("5.1.1111 ?", False, True, False),
        ("says 5.1.1", False, False, False),
    ],
)
def test_what_an_enhanced_code_says(text: str, code: bool, reader: bool, no_mailbox: bool) -> None:
    told = status_codes.has_code(text), status_codes.is_about_the_reader(text), status_codes.no_mailbox(text)

    assert told == (code, reader, no_mailbox)
