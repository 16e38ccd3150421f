"""Mails as editors forward them, for tests."""

from email.message import EmailMessage


def mail(
    subject: str, text: str, *, sender: str = "Ed Ito <ed@news.example>", message_id: str = "", html: str = ""
) -> bytes:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = "stories@in.example.com"
    message["Subject"] = subject
    if message_id:
        message["Message-ID"] = message_id
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


FORWARDED = """\
Have a look at this.

---------- Forwarded message ---------
From: Harbour Authority <press@harbour.example>
Date: Mon, 23 Nov 2026 09:00
Subject: Quay Road closes
To: <ed@news.example>

Quay Road closes to cars on Monday for three weeks, the harbour authority said on Friday.

Buses go by Mill Lane meanwhile. Bicycles may pass, and the fish market stays open on all days.
"""

DIGEST = """\
The week in the harbour

1. Quay Road closes
Quay Road closes to cars on Monday for three weeks.
Buses go by Mill Lane meanwhile.

2. Trams run again
Trams run to the fish market again from Tuesday.
"""
