"""One environment variable after the other, typed: whatever is wrong is told with the variable's name."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from newsdesk.core.errors import InputError


class EnvironmentVariableError(InputError):
    """A variable has a value that cannot be used. The message begins with the variable's name."""


#: Digits of a number; more are a slip of the keyboard, and thousands Python reads as no number at all.
_MOST_DIGITS = 18


class Variables:
    """The variables of a mapping. Every method raises EnvironmentVariableError where a value cannot be used."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self._mapping = mapping

    def text(self, name: str) -> str:
        """What is set, or stands in the file that <NAME>_FILE names; "" where neither is."""
        path = self._mapping.get(f"{name}_FILE", "")
        if not path:
            return self._mapping.get(name, "").strip()
        if self._mapping.get(name):
            raise EnvironmentVariableError(f"{name}: set it or {name}_FILE, not both.")
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentVariableError(f"{name}_FILE: cannot read {path}: {error}.") from error

    def url(self, name: str, schemes: tuple[str, ...]) -> str:
        """A URL of one of these schemes, an HTTP one without a slash at its end; "" where it is not set."""
        value = self.text(name)
        if not value:
            return ""
        try:
            parts = urlsplit(value)
        except ValueError as error:
            raise EnvironmentVariableError(f"{name}: {without_password(value)!r} is not a URL: {error}.") from error
        if parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/")):
            raise EnvironmentVariableError(f"{name}: {without_password(value)!r} is not a {' or '.join(schemes)} URL.")
        return value.rstrip("/") if parts.scheme.startswith("http") else value

    def words(self, name: str) -> tuple[str, ...]:
        """Words with commas or spaces between them."""
        return tuple(word for word in self.text(name).replace(",", " ").split() if word)

    def seconds(self, name: str, default: int) -> int:
        """A number of whole seconds."""
        value = self.text(name)
        if not value:
            return default
        if not _is_whole(value):
            raise EnvironmentVariableError(f"{name}: {value!r} is not a number of seconds.")
        return int(value)

    def whole(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """A whole number within these bounds, ends included."""
        value = self.text(name)
        if not value:
            return default
        if not _is_whole(value) or int(value) < least or (most is not None and int(value) > most):
            fits = f"from {least} to {most}" if most is not None else f"of at least {least}"
            raise EnvironmentVariableError(f"{name}: {value!r} is not a whole number {fits}.")
        return int(value)

    def percent(self, name: str, default: float) -> float:
        """From 0 to 100."""
        value = self.text(name)
        if not value:
            return default
        if not value.replace(".", "", 1).isdecimal() or float(value) > 100:
            raise EnvironmentVariableError(f"{name}: {value!r} is not a number of percent from 0 to 100, such as 2.5.")
        return float(value)

    def flag(self, name: str) -> bool:
        """Either yes or no; no where it is not set."""
        value = self.text(name).lower()
        if value not in {"", "yes", "no"}:
            raise EnvironmentVariableError(f"{name}: {value!r} is not yes or no.")
        return value == "yes"

    def path(self, name: str) -> Path | None:
        """An absolute path; ~ is the user's home. None where it is not set."""
        value = self.text(name)
        try:
            return Path(value).expanduser().resolve() if value else None
        except (RuntimeError, OSError, ValueError) as error:
            raise EnvironmentVariableError(f"{name}: {value!r} is not a path: {error}.") from error


def _is_whole(text: str) -> bool:
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    before, at, after = url.rpartition("@")
    return f"…@{after}" if at else before + after
