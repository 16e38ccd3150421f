"""The file of the mark of what was sent (`tasks.database.high_water`), which tells a copy of itself from itself.

It holds which file it is, by what its file system calls it, and is only ever written in place. Where it says another one, the home was copied
or restored from a backup: the mark in it is one of the past, and nobody knows here what was sent after it.
"""

import fcntl
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

#: Bytes of the file: one sector of a disk, which is written wholly or not at all.
_SIZE = 256
#: Linux' FS_IOC_GETVERSION. Its argument is called a long; what is written there is an int.
_GET_GENERATION = 0x80087601


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """The last fence and the send it belonged to."""

    fence: int
    send: int
    #: It came with a copy of the home: so much was sent at least, and what was sent after the copy was made is not known.
    from_copy: bool = False


class FileIdentity(NamedTuple):
    """Which file it is. A device has no lasting name, and is left out."""

    inode: int
    #: Drawn by the file system as it makes the file, so that a number that is given away again is told apart; None where it tells none.
    generation: int | None


class CopiedError(OSError):
    """The file is a copy, and nobody has said yet what the database beside it is."""


def read(path: Path) -> Mark | None:
    """What stands there; None where there is no file, or none that can be read: then a person is asked."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return _read_open(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def write(path: Path, mark: Mark, *, adopt: bool = False) -> None:
    """Write the mark into this file, unless a higher one stands there; on disk when it returns.

    `adopt`: a copy becomes this home's own file, with the higher mark of both. Raises CopiedError where it is one without that, and OSError.
    """
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Whoever waits here for a higher number finds it on disk.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        known = _read_open(descriptor)
        if known is not None and known.from_copy and not adopt:
            raise CopiedError("the file of the mark is a copy: the home was copied, or restored from a backup")
        if known is not None and known.fence >= mark.fence:
            if not adopt:
                return
            mark = known
        fields = {"fence": mark.fence, "send": mark.send, **_identity(descriptor)._asdict()}
        os.pwrite(descriptor, (json.dumps(fields).ljust(_SIZE - 1) + "\n").encode(), 0)
        (os.fsync if is_new else _fdatasync)(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        _sync_folder(path.parent)


def _read_open(descriptor: int) -> Mark | None:
    try:
        fields = json.loads(os.pread(descriptor, _SIZE, 0))
        fence, send = int(fields["fence"]), int(fields["send"])
    except (ValueError, KeyError, TypeError):
        return None
    return Mark(fence=fence, send=send, from_copy=_is_of_another_file(fields, descriptor))


def _is_of_another_file(fields: dict[str, Any], descriptor: int) -> bool:
    """A file of a version before says nothing of itself, and is taken for what it was."""
    if "inode" not in fields:
        return False
    inode, generation_now = _identity(descriptor)
    # Another kernel, or a server's own look at what it shares, may tell it where none was told before.
    differs = None not in {fields.get("generation"), generation_now} and fields["generation"] != generation_now
    return bool(fields["inode"] != inode) or differs


def _identity(descriptor: int) -> FileIdentity:
    return FileIdentity(os.fstat(descriptor).st_ino, generation(descriptor))


def generation(descriptor: int) -> int | None:
    """The generation of an open file's inode; None where its file system tells none, as tmpfs, NFS and those of macOS."""
    try:
        answer = fcntl.ioctl(descriptor, _GET_GENERATION, bytes(8))
    except OSError:
        return None
    return int.from_bytes(answer[:4], sys.byteorder)


#: macOS has no fdatasync.
_fdatasync = getattr(os, "fdatasync", os.fsync)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
