"""Enhanced status codes (RFC 3463) at the beginning of what a server says: of a reply, or of the status in a report."""

import re

_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_ABOUT_THE_READER = ("5.1.", "5.2.", "4.1.", "4.2.", "4.7.")
#: RFC 3463 and RFC 7505: bad mailbox, moved for good, no mailbox at all.
_NO_MAILBOX = re.compile(r"5\.1\.(1|6|10)\b")


def has_code(text: str) -> bool:
    """Whether it begins with any."""
    return _CODE.match(text) is not None


def is_about_the_reader(text: str) -> bool:
    """Whether the code is about the mailbox, or says "later" to this very reader as a greylisting server does (RFC 6647)."""
    return text.startswith(_ABOUT_THE_READER)


def no_mailbox(text: str) -> bool:
    """Whether the mailbox does not exist, and never will again."""
    return _NO_MAILBOX.match(text) is not None
