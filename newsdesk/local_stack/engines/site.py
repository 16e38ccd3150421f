"""Where the engines of a home keep their data, sockets and logs."""

import json
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from newsdesk.core.errors import OperationFailedError
from newsdesk.core.home import Home
from newsdesk.local_stack.engines import account as accounts
from newsdesk.local_stack.engines.account import Account

#: For root, when the account of the engines may not enter the home (below a 0700 /root, say).
ELSEWHERE = Path("/var/lib/newsdesk")
MEMORY_FILESYSTEMS = {"tmpfs", "ramfs"}
SMALL_SHM = 256 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Site:
    account: Account
    data: Path
    sockets: Path
    logs: Path

    @property
    def owner_lock(self) -> Path:
        """Locked by the one process that runs engines on this data."""
        return self.data / "owner.lock"


def prepare(home: Home) -> Site:
    """Make the folders. Raises OperationFailedError when a folder belongs to somebody else or cannot be made."""
    try:
        home.make()
        account = accounts.choose(home.path)
        account.close(home.path)
        data = _data_folder(home, account)
        account.own(data)
        home.logs.mkdir(exist_ok=True)
    except OSError as error:
        raise OperationFailedError(
            f"The home {home.path} cannot be used: {error.strerror}: {error.filename}."
        ) from error
    return Site(account=account, data=data, sockets=home.sockets, logs=home.logs)


def _data_folder(home: Home, account: Account) -> Path:
    """The engines' folder: in the home, or where the account can reach it; then the home remembers where."""
    remembered = home.path / "engines.json"
    try:
        return Path(json.loads(remembered.read_text(encoding="utf-8"))["data"])
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError) as error:
        raise OperationFailedError(
            f"{remembered} is damaged; it should name the folder of the database as data."
        ) from error
    inside = home.path / "engines"
    if account.can_reach(home.path):
        return inside
    if inside.exists():
        raise OperationFailedError(
            f"The account {account.name} can no longer reach {inside}; open the folders above it (chmod o+x)."
        )
    elsewhere = ELSEWHERE / home.digest
    ELSEWHERE.mkdir(parents=True, exist_ok=True)
    if not account.can_reach(ELSEWHERE):
        raise OperationFailedError(
            f"The account {account.name} can reach neither {home.path} nor {ELSEWHERE}; set NEWSDESK_HOME."
        )
    draft = remembered.with_name(f".engines.json.{os.getpid()}")
    draft.write_text(json.dumps({"data": str(elsewhere)}) + "\n", encoding="utf-8")
    draft.replace(remembered)
    return elsewhere


def own_sockets(folder: Path, account: Account) -> None:
    """Make the folder private: whoever reaches the database's socket is let in without a password.

    Only the owner of the engines calls it: the earlier owner may have taken the folder away until then.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise OperationFailedError(f"The folder for sockets {folder} cannot be used: {error.strerror}.") from error
    try:
        # Anybody may make a folder of this name in a shared place before us.
        if os.fstat(descriptor).st_uid not in {os.geteuid(), account.uid}:
            raise OperationFailedError(f"The folder for sockets {folder} belongs to another user; remove it.")
        if account.ids is not None:
            os.fchown(descriptor, account.uid, account.gid)
        os.fchmod(descriptor, stat.S_IRWXU)
    finally:
        os.close(descriptor)


def remove_sockets(folder: Path, account: Account) -> None:
    """Take the folder away when it is ours and the engines left it empty."""
    with suppress(OSError):
        if folder.lstat().st_uid == account.uid:
            folder.rmdir()


def in_memory(path: Path, mounts: Iterable[str] | None = None) -> bool:
    """Whether a folder is on a filesystem that a reboot empties; False where the system does not say."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
    best, kind = -1, ""
    for line in mounts:
        _, point, filesystem, *_ = line.split(" ")
        folder = Path(point.replace("\\040", " "))
        if (path == folder or folder in path.parents) and len(folder.parts) >= best:
            best, kind = len(folder.parts), filesystem
    return kind in MEMORY_FILESYSTEMS


def small_shared_memory(folder: Path = Path("/dev/shm")) -> bool:  # noqa: S108 - asked, not used
    """Whether parallel queries would run out of shared memory (containers get 64 MB by default)."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return True
    return status.f_frsize * status.f_blocks < SMALL_SHM
