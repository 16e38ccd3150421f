"""What can keep an edition from being rendered."""

from dataclasses import dataclass

from newsdesk.core.errors import InputError, NewsdeskError


class RenderingError(NewsdeskError, RuntimeError):
    """The theme and this content do not make a valid mail: a fault of the theme, with line and context."""


class UnknownThemeError(InputError, ValueError):
    """The named theme does not exist; the message names those that do."""


@dataclass(frozen=True, kw_only=True, order=True)
class Fault:
    """Something wrong in a theme's folder."""

    file: str
    #: From 1; 0 where it is about the file as a whole.
    line: int = 0
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}"


class FaultyThemeError(RenderingError):
    """A theme is not used as long as it has faults; the message has the first ones, `faults` has all."""

    def __init__(self, name: str, faults: tuple[Fault, ...]) -> None:
        self.faults = tuple(sorted(faults))
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
        super().__init__(f"the theme “{name}” cannot be used: {'; '.join(map(str, self.faults[:3]))}{more}")
