"""Delivery reports in the forms that mail servers write them, and in forms that nobody writes."""

import base64
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.providers.smtp.delivery_status import DeliveryReport, RecipientStatus, content_type, parse
from tests.delivery_reports import FORMS, NAMING, report

ID = "A" * 36 + "-_" * 18
ANN = "ann@example.net"


def read(mail: bytes) -> DeliveryReport:
    found = parse(mail)
    assert found is not None
    return found


@pytest.mark.parametrize("form", FORMS)
def test_a_report_names_the_mail_and_says_what_became_of_it(form: str) -> None:
    found = read(report(ID, ANN, form=form, status="5.1.10" if form == "exchange" else "5.1.1"))

    assert found.envelope_ids == (ID,)
    (recipient,) = found.recipients
    assert (recipient.action, recipient.address) == ("failed", ANN)
    assert recipient.status == ("5.1.10" if form == "exchange" else "5.1.1")
    assert recipient.said.startswith("550")
    assert "\n" not in recipient.said


@pytest.mark.parametrize("form", NAMING)
def test_the_id_of_the_envelope_comes_before_that_of_the_header(form: str) -> None:
    assert read(report(ID, ANN, form=form, header_id="B" * 72)).envelope_ids == (ID, "B" * 72)
    assert read(report("", ANN, form=form)).envelope_ids == ()


def test_a_mail_is_a_report_by_its_type_alone() -> None:
    plain = report(ID, ANN).replace(b"multipart/report", b"multipart/mixed")
    read_receipt = report(ID, ANN).replace(b"report-type=delivery-status", b"report-type=disposition-notification")
    untyped = report(ID, ANN).replace(b" report-type=delivery-status;", b"")
    without_part = report(ID, ANN).replace(b"message/delivery-status", b"text/plain")

    assert parse(plain) is parse(read_receipt) is parse(without_part) is parse(b"") is None
    assert read(untyped).envelope_ids == (ID,)


@pytest.mark.parametrize(
    ("status", "diagnostic", "told"),
    [
        ("5.1.1", "smtp; 550 5.7.1 no", "5.1.1"),
        ("5.0.0", "smtp; 550 5.1.1 no such user", "5.1.1"),
        ("5.0.0", "smtp; 550-5.1.1 no", "5.1.1"),
        ("5.0.0", "smtp; 550 no such user", "5.0.0"),
        ("5.1.1 (bad destination mailbox address)", "smtp; 550", "5.1.1"),
        ("", "X-Postfix; 452 4.2.2 full", "4.2.2"),
        ("rubbish", "5.1.1", ""),
        ("15.1.1", "", ""),
    ],
)
def test_the_code_is_the_best_that_stands_there(status: str, diagnostic: str, told: str) -> None:
    mail = report(ID, ANN, form="gmail").decode()
    before, _, rest = mail.partition("Status: ")
    after = rest.partition("Last-Attempt-Date")[2]
    mail = f"{before}Status: {status}\r\nDiagnostic-Code: {diagnostic}\r\nLast-Attempt-Date{after}"

    assert read(mail.encode()).recipients[0].status == told


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("rfc822; <ann@example.net>", ANN),
        ("RFC822;ann@example.net", ANN),
        ("ann@example.net", ANN),
        ("utf-8; s\\x{F8}ren@example.net", "søren@example.net"),
        ("utf-8; søren@example.net", "søren@example.net"),
        ("utf-8; \\x{D800}\\x{FFFFFF}@x", "\ufffd\ufffd@x"),
        ("utf-8; \\x{D7FF}\\x{DFFF}\\x{E000}@x", "\ud7ff\ufffd\ue000@x"),
        ("utf-8; \\x{10FFFF}\\x{110000}@x", "\U0010ffff\ufffd@x"),
        ("rfc822; s\\x{F8}ren@example.net", "s\\x{F8}ren@example.net"),
    ],
)
def test_addresses_are_read_in_every_form(written: str, address: str) -> None:
    mail = report(ID, ANN, form="exim", changed=lambda text: text.replace(f"rfc822;{ANN}", written))

    assert read(mail).recipients[0].address == address


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
def test_an_internationalised_report_may_be_encoded(encoding: str) -> None:
    status = f"Reporting-MTA: dns; a\nOriginal-Envelope-Id: {ID}\n\nAction: delayed\nStatus: 4.4.1\nFinal-Recipient: utf-8; ø@example.net\n"
    if encoding == "base64":
        status = base64.encodebytes(status.encode()).decode()
    elif encoding == "quoted-printable":
        status = status.replace("ø", "=C3=B8")
    mail = (
        'Content-Type: multipart/report; report-type="delivery-status"; boundary="b"\n\n--b\n'
        f"Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: {encoding}\n\n{status}\n--b--\n"
    )

    assert read(mail.encode()) == DeliveryReport(
        (ID,), (RecipientStatus(action="delayed", status="4.4.1", address="ø@example.net", said=""),)
    )


def test_several_recipients_are_told_apart_and_what_is_cut_off_is_read_as_far_as_it_goes() -> None:
    def two(text: str) -> str:
        other = "Final-Recipient: rfc822; bo@example.net\nAction: relayed\nStatus: 2.1.9\n\n"
        return text.replace("--4T1yZb0000z8.1748844001/mail.example.com\nContent-Description: Undelivered", f"{other}--4T1yZb0000z8.1748844001/mail.example.com\nContent-Description: Undelivered")  # fmt: skip

    mail = report(ID, ANN, changed=two)

    assert [(one.address, one.action) for one in read(mail).recipients] == [
        (ANN, "failed"),
        ("bo@example.net", "relayed"),
    ]
    cut = mail[: mail.index(b"Remote-MTA")]
    assert [(one.address, one.status) for one in read(cut).recipients] == [(ANN, "5.1.1")]


def test_whatever_comes_is_read_in_bounds() -> None:
    head = b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
    huge = (
        head
        + b"X: y\r\n z\r\n" * 400_000
        + b"\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n"
    )
    many = head + b"\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" + b"Action: failed\r\n\r\n" * 10_000
    tracemalloc.start()
    try:
        assert parse(huge) is None
        assert len(read(many).recipients) == 50
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_header_without_end_is_cut() -> None:
    def behind(fields: int) -> str:
        return content_type(b"".join(b"X%d: y\r\n" % number for number in range(fields)) + b"Content-Type: z\r\n")

    assert (behind(199), behind(200)) == ("z", "")
    assert content_type(b"Content-Type:" + b"x" * 3000) == "x" * 2000
    assert content_type(b"Content-Type: x\r\n" + b" y\r\n" * 300) == "x" + " y" * 199


_LINE = st.sampled_from(
    [
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        b"Content-Type: message/delivery-status",
        b"Content-Type: message/rfc822",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: quoted-printable",
        b"X-Newsdesk-Envelope: " + ID.encode(),
        b"Original-Envelope-Id: x",
        b"Final-Recipient: utf-8; \\x{110000}",
        b"Action: failed",
        b"Action:",
        b"Status: 5.1.1",
        b"--b",
        b"--b--",
        b"",
        b" folded",
        b"=",
        b"\xff\xfe\0",
        b":",
    ]
) | st.binary(max_size=40)


@given(st.lists(_LINE, max_size=40), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_no_mail_makes_it_fail(lines: list[bytes], ending: bytes) -> None:
    found: Any = parse(b"Content-Type: multipart/report; boundary=b\n\n" + ending.join(lines))

    if found is not None:
        assert all(len(field) <= 2000 for one in found.recipients for field in one)
        assert all("\0" not in field for one in found.recipients for field in (*one, *found.envelope_ids))
