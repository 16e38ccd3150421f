"""Short names for states of the code, to tell whether work done for an earlier state is still valid."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from django.apps import apps

from newsdesk import __version__


def of_migrations() -> str:
    """Changes with any migration of any installed app. Needs Django to be set up."""
    folders = [Path(app.path) / "migrations" for app in apps.get_app_configs()]
    files = [file for folder in folders for pattern in ("*.py", "*.sql") for file in sorted(folder.glob(pattern))]
    return _digest((f"{file.parent.parent.name}/{file.name}", file.read_bytes()) for file in files)


def of_static_files() -> str:
    """Changes with any static file of any installed app (by name, size and time)."""
    files = [
        file
        for app in apps.get_app_configs()
        for file in sorted((Path(app.path) / "static").rglob("*"))
        if file.is_file()
    ]
    marks = ((str(file), f"{file.stat().st_size} {file.stat().st_mtime_ns}".encode()) for file in files)
    return _digest([("version", __version__.encode()), *marks])


def _digest(parts: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for name, content in parts:
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
