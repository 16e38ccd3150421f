"""The envelope of one message: MAIL, RCPT and DATA, with the parameters by which the server reports later (RFC 3461)."""

import re

from tasks.mime.messages import MimeMessage

#: Reports that are asked for of each mail where the server offers it. Not of those that arrive: a mail for each reader comes
#: back then (`NEWSDESK_SMTP_SUCCESS_REPORTS`).
NOTIFY, NOTIFY_OF_ALL = "FAILURE,DELAY", "SUCCESS,FAILURE,DELAY"
#: RFC 3461 §4: these and what is no graphic ASCII is written in hexadecimal.
_NOT_XCHAR = re.compile(r"[^!-*,-<>-~]")


def envelope(message: MimeMessage, *, sender: str, notify: str) -> bytes:
    """The three commands. `notify`: of what the server is asked to report under the message's id; "" where it does not offer it."""
    address = message.address
    if not (notify and message.envelope_id):
        return f"MAIL FROM:<{sender}>\r\nRCPT TO:<{address}>\r\nDATA\r\n".encode()
    # RET=HDRS: nobody needs the whole mail back, and its headers name it where the id got lost.
    return (
        f"MAIL FROM:<{sender}> RET=HDRS ENVID={message.envelope_id}\r\n"
        f"RCPT TO:<{address}> NOTIFY={notify} ORCPT=rfc822;{xtext(address)}\r\nDATA\r\n"
    ).encode()


def xtext(text: str) -> str:
    """ASCII as a parameter of MAIL or RCPT has it (RFC 3461 §4)."""
    return _NOT_XCHAR.sub(lambda match: f"+{ord(match[0]):02X}", text)
