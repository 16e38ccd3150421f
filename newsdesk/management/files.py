"""What commands write: readers' addresses, which are nobody else's to read."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from newsdesk.core.errors import InputError


@contextlib.contextmanager
def written_whole(path: Path, option: str) -> Iterator[BinaryIO]:
    """A file that appears under its name when all of it is there, or not at all. Raises InputError that names the option."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - a mode
            yield file
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{option}: {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
