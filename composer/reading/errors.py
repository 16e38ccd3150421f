from newsdesk.core.errors import InputError


class DigestError(InputError, ValueError):
    """A digest that cannot be read without guessing: where (a line, counted from 1), and what to do about it."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


#: Lines with something on them, or paragraphs of a page: a hundred stories have some three thousand.
MOST_LINES = 20_000


def too_long(line: int) -> DigestError:
    return DigestError(
        line, f"the digest is too long: at most {MOST_LINES:,} lines are read; take the rest out from here on"
    )
