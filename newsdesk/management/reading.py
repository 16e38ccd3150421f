"""What the commands about one reader share: finding them, and showing what is known."""

from typing import TYPE_CHECKING, Any

from newsdesk.core.errors import InputError

if TYPE_CHECKING:
    from subscribers.models import Subscriber


def reader_named(address: str) -> "Subscriber":
    """The reader with this address. Raises InputError, which says whether it is suppressed all the same."""
    from subscribers.profile import reader_with, suppressions_of

    reader = reader_with(address)
    if reader is None:
        reasons = ", ".join(dict.fromkeys(row.get_reason_display() for row in suppressions_of(address)))
        raise InputError(
            f"ADDRESS: there is no reader {address}" + (f"; it is suppressed: {reasons}" if reasons else "")
        )
    return reader


def as_data(reader: "Subscriber") -> dict[str, Any]:
    """Everything about the reader, as `reader --json` prints it."""
    from subscribers import profile
    from tasks.models import ArchivedSend
    from tasks.sends.reader_history import history

    data = profile.as_data(reader)
    editions = [
        {"send": one.send, "edition": one.edition, "outcome": one.outcome, "at": one.at.isoformat()}
        for one in history(reader.pk)
    ]
    archived = ArchivedSend.objects.filter(dropped_at__isnull=False).count()
    return {
        **{key: value for key, value in data.items() if key != "mailable"},
        "editions": editions,
        **({"archived_sends": archived} if archived else {}),
        "mailable": data["mailable"],
    }


def as_text(data: dict[str, Any]) -> str:
    """The same for people; they are also told of an address that is no person's."""
    from subscribers.role_addresses import role

    lines = [f"{data['email']}  {data['name']}".rstrip()]
    lines += ["  an address of a role, not of a person: several may read it"] if role(data["email"]) else []
    facts = {name: data[name] for name in ("language", "timezone", "tracking") if data[name]}
    facts |= {"tags": ", ".join(data["tags"])} if data["tags"] else {}
    lines += [f"  {name}: {value}" for name, value in {**facts, **data["attributes"]}.items()]
    lines += [
        f"  on {row['publication']}/{row['list']}: {row['status']} since {row['since']}"
        for row in data["subscriptions"]
    ]
    lines += [
        f"  suppressed {'for ' + row['publication'] if row['publication'] else 'everywhere'}: "
        f"{row['reason'].replace('_', ' ')}, {row['at']}{': ' + row['detail'] if row['detail'] else ''}"
        for row in data["suppressions"]
    ]
    lines += [
        f"  consent {row['kind'].replace('_', ' ')}{' for ' + row['list'] if row['list'] else ''}: {row['at']}, {row['source']}"
        for row in data["consents"]
    ]
    lines += [
        f"  edition {row['edition']}, send {row['send']}: {row['outcome']}, {row['at']}" for row in data["editions"]
    ]
    if data.get("archived_sends"):
        lines.append(f"  {data['archived_sends']} older sends are archived: export-reader looks into them")
    lines += [f"  {slug}: {'is mailed' if yes else 'is not mailed'}" for slug, yes in data["mailable"].items()]
    return "\n".join(lines)
