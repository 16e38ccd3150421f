"""What the commands about sends share: finding them, and telling where they stand."""

import getpass
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from newsdesk.core.errors import InputError

if TYPE_CHECKING:
    from tasks.models import Send

#: Lines of a send's history that people are shown.
HISTORY_SHOWN = 10


def at_the_command_line() -> str:
    """Who is at work, in the words of a send's history."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # In containers a user often has a number only.
        name = str(os.getuid())
    return f"command line ({name})"


def send_numbered(number: int) -> "Send":
    """The send with this id. Raises InputError naming the newest ones."""
    from tasks.models import Send

    send = Send.objects.select_related("edition").filter(pk=number).first()
    if send is None:
        newest = ", ".join(str(pk) for pk in Send.objects.values_list("pk", flat=True)[:5])
        raise InputError(
            f"SEND: there is no send {number}; {f'the newest are {newest}' if newest else 'none was made'}"
        )
    return send


def report_of(send: "Send") -> dict[str, Any]:
    """The JSON of one send: its counts, and what was done to it."""
    from tasks.sends.audit_trail import history

    return {**standings([send])[0], "history": history(send.pk)}


def standings(sends: "Iterable[Send]") -> list[dict[str, Any]]:
    """The counts of each send, and as `in_doubt` why it waits for a decision about unknown batches."""
    from tasks.reconciliation import doubt_alarms
    from tasks.sends.counts import as_json

    doubts = doubt_alarms.in_doubt()
    return [{**as_json(send), **({"in_doubt": doubts[send.pk]} if send.pk in doubts else {})} for send in sends]


def as_text(report: dict[str, Any]) -> str:
    """One send's counts for people, a line for each number that is not zero, and its latest history if it is told."""
    lines = [f"send {report['send']}: {report['status']}"]
    if report.get("reason"):
        lines.append(f"  because: {report['reason']}")
    if report.get("archived"):
        lines.append(f"  its deliveries are archived: ledgers/{report['archived']} in NEWSDESK_HOME")
    if report.get("held"):
        lines.append(f"  waits: {report['held']}")
    if report.get("in_doubt"):
        lines.append(f"  waits for you: {report['in_doubt']}")
    lines.append(f"  {report['candidates']:>9,}  candidates")
    lines += [f"  {number:>9,}  excluded: {reason}" for reason, number in sorted(report["excluded"].items())]
    for name in ("pending", "submitting", "submitted", "unknown", "failed"):
        if report[name] or name == "submitted":
            lines.append(f"  {report[name]:>9,}  {name}")
    reported = ("delivered", "bounced", "complained", "unsubscribed", "opened", "clicked")
    lines += [f"  {report[name]:>9,}    {name}{_of_whom(name, report)}" for name in reported if report[name]]
    lines += [_line(entry) for entry in report.get("history", [])[-HISTORY_SHOWN:]]
    return "\n".join(lines)


def _of_whom(name: str, report: dict[str, Any]) -> str:
    if name not in {"opened", "clicked"}:
        return ""
    return f" (of {report['tracked']:,} tracked {'reader' if report['tracked'] == 1 else 'readers'})"


def _line(entry: dict[str, Any]) -> str:
    at = entry["at"].replace("T", " ").replace("+00:00", " UTC")
    return f"  {at}  {entry['what']} by {entry['who']}{': ' if entry['why'] else ''}{entry['why']}"
