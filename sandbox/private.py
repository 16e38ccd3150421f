"""Files that other users of this machine cannot read: mail of real readers, and keys."""

import os
import secrets
from pathlib import Path


def private_folder(folder: Path) -> None:
    """Make it, for its owner alone. One that is there already and ours is closed to others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        # An earlier version may have made it readable.
        os.fchmod(descriptor, 0o600)
        file.write(content)


def kept_secret(path: Path) -> tuple[str, bool]:
    """A random word that stays the same in this home, and whether it was made just now."""
    try:
        return path.read_text(encoding="ascii").strip(), False
    except FileNotFoundError:
        word = secrets.token_urlsafe(24)
        write_private(path, f"{word}\n".encode())
        return word, True
