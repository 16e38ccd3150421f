"""Files of ours that name a person: mails that were written instead of sent, leftovers of imports, logs."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from tasks.privacy.naming import Naming

#: What the engines and the sandbox keep is theirs to change: they are asked, and their files are not touched.
_THEIRS = ("engines", "static", "sandbox")
_MAIL_FOLDERS = {"new", "cur", "tmp"}
#: In these a line is one person's row; in others (logs) it is about more than the person.
_TABLES = {".csv", ".tsv", ".jsonl", ".txt"}


def erase_from_files(naming: Naming, subscriber_id: int | None) -> int:
    """Delete mails to the person, take their rows out of tables and mask the address elsewhere; how many files changed."""
    return sum(_erase_from(file, naming, subscriber_id) for file in _files())


def _files() -> Iterator[Path]:
    roots = {settings.HOME.path.resolve(), Path(settings.NEWSDESK_MAILDIR).resolve()}
    seen: set[Path] = set()
    for root in sorted(roots):
        for folder, folders, names in os.walk(root):
            if Path(folder) == settings.HOME.path.resolve():
                folders[:] = [name for name in folders if name not in _THEIRS]
            for name in sorted(names):
                file = Path(folder, name)
                if file not in seen and file.is_file() and not file.is_symlink():
                    seen.add(file)
                    yield file


def _erase_from(file: Path, naming: Naming, subscriber_id: int | None) -> bool:
    is_mail = file.parent.name in _MAIL_FOLDERS
    if is_mail and subscriber_id is not None and file.name.split(".")[1:2] == [str(subscriber_id)]:
        # A delivery's file is called "<send>.<subscriber>.…" (`tasks.providers.file`).
        file.unlink(missing_ok=True)
        return True
    try:
        if not _is_named(file, naming):
            return False
        if is_mail:
            file.unlink(missing_ok=True)
        elif file.suffix.lower() in _TABLES:
            _drop_lines(file, naming)
        else:
            _mask(file, naming)
    except FileNotFoundError:
        # Somebody else has removed it meanwhile.
        return False
    return True


def _is_named(file: Path, naming: Naming) -> bool:
    with file.open("rb") as lines:
        return any(naming.names_in_bytes(line) for line in lines)


def _drop_lines(file: Path, naming: Naming) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with file.open("rb") as lines, draft.open("wb") as kept:
            draft.chmod(file.stat().st_mode & 0o777)
            for line in lines:
                if not naming.names_in_bytes(line):
                    kept.write(line)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _mask(file: Path, naming: Naming) -> None:
    """In place and with the same length: a running process may be writing at its end."""
    with file.open("r+b") as content:
        at = 0
        while line := content.readline():
            if naming.names_in_bytes(line):
                content.seek(at)
                content.write(naming.masked(line))
            at += len(line)
            content.seek(at)
