"""Readers of one request at whom the server hung up, or fell silent, without a word.

Each request of their batch would end there, and nobody behind them would ever be mailed. So they come after the others, and are put
off where the connection ends at them again. With many in a row it is not about them.
"""

#: Readers in a row at whom the connection ended without a word, with nothing accepted between them: it is not about them.
IN_A_ROW = 3


class HangUps:
    """At whom the connection ended, by their position in the request."""

    def __init__(self) -> None:
        #: Whose envelope is being answered: the server may hang up, or say nothing, because of this very reader.
        self.asking: int | None = None
        #: Who comes after the others, with why.
        self.passed_over: dict[int, str] = {}
        #: Everyone at whom it ended, and how often it did in all.
        self.positions: set[int] = set()
        self.count = 0
        self._in_a_row: list[int] = []

    def accept(self, position: int) -> None:
        """The server took this reader's message."""
        self.passed_over.pop(position, None)
        self._in_a_row.clear()

    def note(self, position: int, why: str) -> bool:
        """The connection ended at this reader: whether it had before, so that they are passed over no more."""
        self.count += 1
        if self.passed_over.pop(position, None) is not None:
            return True
        self.positions.add(position)
        self.passed_over[position] = why
        self._in_a_row.append(position)
        return False

    @property
    def is_last_doubt(self) -> bool:
        """Whether one more in a row is taken for the server's doing."""
        return len(self._in_a_row) == IN_A_ROW - 1

    @property
    def are_many(self) -> bool:
        return len(self._in_a_row) >= IN_A_ROW

    def acquit(self) -> None:
        """Those in a row were not the reason."""
        for position in self._in_a_row:
            self.passed_over.pop(position, None)
