"""What can be wrong with a row, and how a message shows a cell."""

from newsdesk.core.errors import InputError


class RowError(InputError):
    """The row is rejected; the message says why."""


class UnknownWordError(InputError):
    """A word for somebody's state that is not understood: nobody of the file can be taken on trust."""


def shown(text: str) -> str:
    """A cell in a message: short, on one line, safe to print."""
    text = repr(text if len(text) <= 60 else text[:60] + "…")
    return text.encode("utf-8", "backslashreplace").decode()
