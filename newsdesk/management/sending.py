"""What the commands about sends share: finding them, and telling where they stand."""

from typing import TYPE_CHECKING, Any

from newsdesk.errors import InputError

if TYPE_CHECKING:
    from tasks.models import Send


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


def as_text(report: dict[str, Any]) -> str:
    """One send's counts for people: a line for each number that is not zero."""
    lines = [f"send {report['send']}: {report['status']}"]
    if report.get("reason"):
        lines.append(f"  because: {report['reason']}")
    if report.get("held"):
        lines.append(f"  waits: {report['held']}")
    lines.append(f"  {report['candidates']:>9,}  candidates")
    lines += [f"  {number:>9,}  excluded: {reason}" for reason, number in sorted(report["excluded"].items())]
    for name in ("pending", "submitting", "submitted", "unknown", "failed"):
        if report[name] or name == "submitted":
            lines.append(f"  {report[name]:>9,}  {name}")
    reported = ("delivered", "bounced", "complained", "unsubscribed", "opened", "clicked")
    lines += [f"  {report[name]:>9,}    {name}" for name in reported if report[name]]
    return "\n".join(lines)
