"""What was decided about a digest's doubtful lines, on its way from page to page.

Lines are counted in one text: when it is changed, what was decided about it is forgotten.
"""

import re
from zlib import crc32

from composer.reading.decisions import Decision, Decisions

_DECISION = re.compile(r"(?P<line>[1-9]\d{0,6})=(?P<what>headline|text)", re.ASCII)


def read(raw: bytes | str, carried: str, new: str) -> dict[int, Decision]:
    """`carried` as `written` gave it, and one `new` decision as the button says it, “12=headline”."""
    about, _, earlier = carried.partition(":")
    decisions: dict[int, Decision] = {}
    for text in [*(earlier.split(",") if about == _identity(raw) else []), new]:
        match = _DECISION.fullmatch(text)
        if match:
            decisions[int(match["line"])] = "headline" if match["what"] == "headline" else "text"
    return decisions


def written(raw: bytes | str, decisions: Decisions) -> str:
    return f"{_identity(raw)}:{','.join(f'{line}={what}' for line, what in sorted(decisions.items()))}"


def _identity(raw: bytes | str) -> str:
    """A browser ends its lines with CR LF when it posts them; they are the same lines."""
    text = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    return str(crc32(text.replace(b"\r\n", b"\n")))
