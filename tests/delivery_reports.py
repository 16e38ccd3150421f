"""Delivery reports as mail servers write them: the form of each, with what differs from one report to the next filled in."""

from collections.abc import Callable

_RETURNED = (
    "Return-Path: <news@example.com>\nReceived: from news.example.com (news.example.com [192.0.2.1])\n"
    "From: The Weekly <news@example.com>\nTo: {address}\nSubject: The week\nMessage-ID: <1.2.abc@example.com>\n"
    "List-Unsubscribe: <https://news.example.com/u/abc>\n{header}MIME-Version: 1.0\n"
    'Content-Type: multipart/alternative; boundary="=_nd-1"\n\n'
)

_POSTFIX = """Return-Path: <>
Received: by mail.example.com (Postfix)
	id 4T1yZb0000z9; Mon,  2 Jun 2025 08:00:01 +0200 (CEST)
Date: Mon,  2 Jun 2025 08:00:01 +0200 (CEST)
From: MAILER-DAEMON@mail.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: news@example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="4T1yZb0000z8.1748844001/mail.example.com"
Message-Id: <20250602060001.4T1yZb0000z9@mail.example.com>

This is a MIME-encapsulated message.

--4T1yZb0000z8.1748844001/mail.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mail.example.com.

I'm sorry to have to inform you that your message could not be delivered to one or more recipients.

--4T1yZb0000z8.1748844001/mail.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com
{envid}X-Postfix-Queue-ID: 4T1yZb0000z8
X-Postfix-Sender: rfc822; news@example.com
Arrival-Date: Mon,  2 Jun 2025 08:00:00 +0200 (CEST)

Final-Recipient: rfc822; {address}
Original-Recipient: rfc822;{address}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550 {status} <{address}>: Recipient address
    rejected: User unknown in virtual mailbox table

--4T1yZb0000z8.1748844001/mail.example.com
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

{returned}--4T1yZb0000z8.1748844001/mail.example.com--
"""

_EXIM = """Return-path: <>
Envelope-to: news@example.com
Received: from Debian-exim by mx.example.net with local (Exim 4.96)
	id 1xXi6J-0008EC-1Z
	for news@example.com;
	Mon, 02 Jun 2025 08:00:01 +0200
X-Failed-Recipients: {address}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.net>
To: news@example.com
References: <1.2.abc@example.com>
Content-Type: multipart/report; report-type=delivery-status;
 boundary=1748844001-eximdsn-804289383
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--1748844001-eximdsn-804289383
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

  {address}
    host mx.example.net [198.51.100.7]
    SMTP error from remote mail server after RCPT TO:<{address}>:
    550 {status} no such user

--1748844001-eximdsn-804289383
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example.net
{envid}
Action: {action}
Final-Recipient: rfc822;{address}
Status: 5.0.0
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550 {status} no such user

--1748844001-eximdsn-804289383
Content-type: message/rfc822

{returned}--=_nd-1
Content-Type: text/plain; charset=utf-8

Hello.

--1748844001-eximdsn-804289383--
"""

_EXCHANGE = """From: <postmaster@example.net>
To: <news@example.com>
Date: Mon, 2 Jun 2025 06:00:01 +0000
Content-Type: multipart/report; report-type=delivery-status;
	boundary="_000_7d3b1f0e8f4c4d0a9a7f_"
Content-Language: en-US
Message-ID: <7d3b1f0e@DB9PR01.eurprd01.prod.outlook.com>
In-Reply-To: <1.2.abc@example.com>
Subject: Undeliverable: The week
Auto-Submitted: auto-replied
MIME-Version: 1.0

--_000_7d3b1f0e8f4c4d0a9a7f_
Content-Type: multipart/alternative; differences=Content-Type;
	boundary="_001_7d3b1f0e8f4c4d0a9a7f_"

--_001_7d3b1f0e8f4c4d0a9a7f_
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message to {address} couldn't be delivered.=20

--_001_7d3b1f0e8f4c4d0a9a7f_
Content-Type: text/html; charset="us-ascii"

<html><body>Your message couldn't be delivered.</body></html>

--_001_7d3b1f0e8f4c4d0a9a7f_--

--_000_7d3b1f0e8f4c4d0a9a7f_
Content-Type: message/delivery-status

Reporting-MTA: dns;DB9PR01.eurprd01.prod.outlook.com
Received-From-MTA: dns;mail.example.com
Arrival-Date: Mon, 2 Jun 2025 06:00:00 +0000

Original-Recipient: rfc822;{address}
Final-Recipient: rfc822;{address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp;550 {status} RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup

--_000_7d3b1f0e8f4c4d0a9a7f_
Content-Type: message/rfc822

{returned}
--_000_7d3b1f0e8f4c4d0a9a7f_--
"""

_GMAIL = """Received: by 2002:a05:6214:4a8d:b0:6f2 with SMTP id x
Content-Type: multipart/report; boundary="000000000000a1b2c3062f0d9c11"; report-type=delivery-status
To: news@example.com
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
References: <1.2.abc@example.com>
In-Reply-To: <1.2.abc@example.com>
X-Failed-Recipients: {address}
Message-ID: <683d3e21.050a0220.1.GMR@mx.google.com>
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>

--000000000000a1b2c3062f0d9c11
Content-Type: multipart/related; boundary="000000000000a1b2c5062f0d9c13"

--000000000000a1b2c5062f0d9c13
Content-Type: text/plain; charset="UTF-8"

** Address not found **

--000000000000a1b2c5062f0d9c13
Content-Type: image/png; name="icon.png"
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--000000000000a1b2c5062f0d9c13--

--000000000000a1b2c3062f0d9c11
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Arrival-Date: Sun, 01 Jun 2025 23:00:00 -0700 (PDT)
X-Original-Message-ID: <1.2.abc@example.com>

Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.net. (198.51.100.7, the server for the domain example.net.)
Diagnostic-Code: smtp; 550-{status} The email account that you tried to reach does not exist.
 550-{status} Please try double-checking the recipient's email address for typos
 550 {status} or unnecessary spaces.
Last-Attempt-Date: Sun, 01 Jun 2025 23:00:01 -0700 (PDT)

--000000000000a1b2c3062f0d9c11
Content-Type: message/rfc822

{returned}
--000000000000a1b2c3062f0d9c11--
"""

_SENDMAIL = """Return-Path: <MAILER-DAEMON>
Received: from localhost (localhost)
	by mail.example.com (8.17.1/8.17.1) id 55260x;
	Mon, 2 Jun 2025 08:00:01 +0200
From: Mail Delivery Subsystem <MAILER-DAEMON@mail.example.com>
To: <news@example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="55260x.1748844001/mail.example.com"
Subject: Returned mail: see transcript for details
Auto-Submitted: auto-generated (failure)

This is a MIME-encapsulated message

--55260x.1748844001/mail.example.com

The original message was received at Mon, 2 Jun 2025 08:00:00 +0200

   ----- The following addresses had permanent fatal errors -----
<{address}>

--55260x.1748844001/mail.example.com
Content-Type: message/delivery-status

{envid}Reporting-MTA: dns; mail.example.com
Received-From-MTA: DNS; news.example.com
Arrival-Date: Mon, 2 Jun 2025 08:00:00 +0200

Original-Recipient: rfc822;{address}
Final-Recipient: RFC822; {address}
Action: {action} (bounced)
Status: {status}
Remote-MTA: DNS; mx.example.net
Diagnostic-Code: SMTP; 550 {status} <{address}>... User unknown
Last-Attempt-Date: Mon, 2 Jun 2025 08:00:01 +0200

--55260x.1748844001/mail.example.com
Content-Type: text/rfc822-headers

{returned}
--55260x.1748844001/mail.example.com--
"""

#: By the server's name: Postfix 3.7's and Exim 4.96's as they wrote them, the others' as their makers document them. Those that
#: speak RFC 3461 name the envelope's id; the others show the mail's headers.
FORMS = {"postfix": _POSTFIX, "exim": _EXIM, "exchange": _EXCHANGE, "gmail": _GMAIL, "sendmail": _SENDMAIL}
#: Those that name the envelope's id.
NAMING = ("postfix", "exim", "sendmail")


def report(
    envelope_id: str,
    address: str,
    *,
    form: str = "postfix",
    action: str = "failed",
    status: str = "5.1.1",
    header_id: str | None = None,
    changed: Callable[[str], str] = lambda text: text,
) -> bytes:
    """`header_id`: in the mail that is returned; by default where the server names no envelope. "" = nowhere."""
    shown = ("" if form in NAMING else envelope_id) if header_id is None else header_id
    header = f"X-Newsdesk-Envelope: {shown}\n" if shown else ""
    name = "ID" if form == "exim" else "Id"
    # Postfix and Exim begin a new line before what is long.
    fold = "" if form == "sendmail" else "\n "
    envid = f"Original-Envelope-{name}: {fold}{envelope_id}\n" if envelope_id and form in NAMING else ""
    returned = _RETURNED.format(address=address, header=header)
    text = FORMS[form].format(address=address, action=action, status=status, envid=envid, returned=returned)
    return changed(text).replace("\n", "\r\n").encode()
