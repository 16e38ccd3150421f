"""Tries a backup: it is restored into a home of its own, whose reports are replayed and counts added up, and which is removed.

Nothing can be sent from there: it has the transport `file`, and no worker.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from django.conf import settings

from newsdesk.core.errors import OperationFailedError
from newsdesk.core.home import Home
from newsdesk.local_stack import restoring
from tasks.database import high_water, mark_file

#: What must not lead the drill to the real database, broker or provider.
_NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "SENDGRID_API_KEY", "SMTP_URL", "NEWSDESK_TRANSPORT", "NEWSDESK_MAILDIR")


def drill(dump: Path) -> dict[str, Any]:
    """What `newsdesk restore --json` said in a home of its own, with `seconds` and `ok`.

    Raises InputError where the file is no dump, OperationFailedError where it was not restored.
    """
    restoring.refuse_unreadable(dump)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="newsdesk-drill-"))
    # The account of the embedded database must be able to enter it.
    folder.chmod(0o711)
    home = Home(folder)
    try:
        _take_mark_along(home)
        report = _restored(dump.resolve(), home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(home.sockets, ignore_errors=True)
    # There is no database but the restored one.
    for name in ("kept_as", "opt_outs", "opt_outs_unknown"):
        report.pop(name)
    return {**report, "seconds": round(time.monotonic() - began, 1), "ok": not report["unbalanced"]}


def in_words(report: dict[str, Any]) -> str:
    """What a person wants to know of it."""
    lines = [f"restored in {report['seconds']:g} s: {report['sends']} sends, {report['replayed']} reports replayed"]
    if report["unbalanced"]:
        lines.append(f"the numbers of these sends do not add up: {', '.join(map(str, report['unbalanced']))}")
    else:
        lines.append("the numbers of every send add up")
    if report["forgotten"]:
        lines.append(
            f"{report['forgotten']} requests went out after the dump; they would not be sent again by themselves"
        )
    if report["held"]:
        lines.append(
            f"sends that would wait for you if the database as it is were lost: {', '.join(map(str, report['held']))}"
        )
    return "\n".join(lines)


def _take_mark_along(home: Home) -> None:
    """The drill knows what this installation has sent, as a real restore would: of a copied home nothing is known."""
    of = high_water.installation()
    mark = high_water.read(of)
    if mark is not None and not mark.from_copy:
        mark_file.write(home.marks / of, mark)


def _restored(dump: Path, home: Home) -> dict[str, Any]:
    variables = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in _NOT_INHERITED}
    variables |= {
        "NEWSDESK_HOME": str(home.path),
        "NEWSDESK_TRANSPORT": "file",
        "NEWSDESK_POSTGRES_BIN": settings.ENVIRONMENT.postgres_bin,
    }
    command = [sys.executable, "-m", "newsdesk", "restore", str(dump), "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)  # noqa: S603 - our own program
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OperationFailedError(f"the backup cannot be restored: {reason.removeprefix('newsdesk: ')}")
    report: dict[str, Any] = json.loads(answer.stdout)
    return report
