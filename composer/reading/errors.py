from newsdesk.core.errors import InputError


class DigestError(InputError, ValueError):
    """A digest that cannot be read without guessing: where (a line, counted from 1), and what to do about it."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message
