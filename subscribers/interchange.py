"""The file that Newsdesk writes of its readers and reads again without a change: its columns, and how a cell is written.

A spreadsheet runs a cell that begins with = + - @ or a tab as a formula, so such cells, and those in which only apostrophes
stand before one of these, get one more apostrophe in front; reading takes exactly one away.
"""

import re

#: `since`: on the list since; `tracking`: what the reader answered last, and its proof; `lists`: of an export of several lists, what the reader is on each.
COLUMNS = (
    "email",
    "name",
    "language",
    "timezone",
    "tags",
    "attributes",
    "status",
    "since",
    "left_at",
    "consent_at",
    "consent_source",
    "consent_wording",
    "tracking",
    "tracking_at",
    "tracking_source",
    "tracking_wording",
)
#: Left this list and stays on the publication's others; all other words are those of `State`.
LEFT_LIST = "left_list"
#: Columns of words, which may hold line breaks, begin so: their cells are written on one line.
WORDS = ("consent_", "tracking_")
#: As PostgreSQL and Python both read it.
FORMULA = r"^'*[=+@\t\r-]"
_FORMULA = re.compile(FORMULA)
_ESCAPED = re.compile(r"\\([\\nr])")
_PLAIN = {"\\": "\\", "n": "\n", "r": "\r"}


def defused(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def restored(cell: str) -> str:
    """What `defused` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def on_one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def with_line_ends(text: str) -> str:
    """What `on_one_line` was given."""
    return _ESCAPED.sub(lambda found: _PLAIN[found[1]], text)
