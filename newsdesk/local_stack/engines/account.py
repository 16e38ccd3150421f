"""Whom the engines run as. PostgreSQL refuses root, so root hands them to an account without rights."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from newsdesk.core.errors import OperationFailedError

#: Accounts that exist on common systems and own nothing of value; the first one found is taken.
UNPRIVILEGED = ("postgres", "nobody", "daemon")


@dataclass(frozen=True, kw_only=True)
class Account:
    name: str
    uid: int
    gid: int

    @property
    def ids(self) -> tuple[int, int] | None:
        """What to become before starting an engine; None when this process is that account already."""
        return None if self.uid == os.geteuid() else (self.uid, self.gid)

    def can_reach(self, path: Path) -> bool:
        """Whether the account may enter this folder, or run this file: asked of the system, not computed."""
        if self.ids is None:
            return os.access(path, os.X_OK)
        answer = subprocess.run(  # noqa: S603 - a constant program
            ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
            capture_output=True,
        )
        return answer.returncode == 0

    def close(self, home: Path) -> None:
        """Let nobody else into a home of ours: 0700, or 0710 for root, whose engines pass through it to their data."""
        if home.stat().st_uid != os.geteuid():
            return
        if self.ids is None:
            home.chmod(0o700)
        elif self.gid != 0:
            os.chown(home, -1, self.gid)
            home.chmod(0o710)

    def own(self, path: Path) -> None:
        """Make a folder private to the account."""
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.ids is not None:
            os.chown(path, self.uid, self.gid)
        path.chmod(0o700)


def choose(home: Path) -> Account:
    """The account for the engines of a home: oneself; for root the home's owner, or an unprivileged account."""
    if os.geteuid() != 0:
        uid = os.geteuid()
        return Account(name=str(uid), uid=uid, gid=os.getegid())
    owner = home.stat().st_uid
    for key in (owner, *UNPRIVILEGED):
        try:
            entry = pwd.getpwuid(key) if isinstance(key, int) else pwd.getpwnam(key)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise OperationFailedError(
        f"PostgreSQL does not run as root, and none of the accounts {', '.join(UNPRIVILEGED)} exists. "
        "Add one, run as another user, or set DATABASE_URL."
    )
