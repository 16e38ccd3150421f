"""HTML's character references as text."""

import html
import re

#: A number that Python refuses to read above 4300 digits. No character has as many as ten, zeros in front aside.
_LONG_NUMBER = re.compile(r"&#0*(?P<digits>\d*)(?P<end>;?)")
_MOST_DIGITS = 9


def unescape(text: str) -> str:
    """As `html.unescape`, whatever stands behind an ampersand: a number that no character has becomes U+FFFD, however long it is."""
    return html.unescape(_LONG_NUMBER.sub(_within_limits, text) if "&#" in text else text)


def _within_limits(match: re.Match[str]) -> str:
    digits = match["digits"]
    if len(match[0]) <= _MOST_DIGITS:
        return match[0]
    return "\ufffd" if len(digits) > _MOST_DIGITS else f"&#{digits or 0}{match['end']}"
