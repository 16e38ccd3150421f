"""POST /v3/recipients/erasejob: forgetting addresses, here at once and in the whole ledger.

What was accepted still counts: a message stays, with an address that leads to nobody.
"""

import uuid
import zlib
from typing import Any

import orjson

from sandbox.state import State
from sandbox.suppressions import KINDS
from sandbox.wire import Request, Response, error, json_response

MOST = 5000
_PERSONAL = ("substitutions", "subject", "headers", "dynamic_template_data")


def erase_job(state: State, request: Request) -> Response:
    try:
        body = orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError:
        return error(400, "Bad Request")
    asked = body.get("email_addresses") if isinstance(body, dict) else None
    if not isinstance(asked, list) or not all(isinstance(one, str) and "@" in one for one in asked):
        return error(400, "email_addresses must be an array of email addresses", field="email_addresses")
    if not 1 <= len(asked) <= MOST:
        return error(400, f"between 1 and {MOST} email addresses are allowed", field="email_addresses")
    erase(state, {one.lower() for one in asked})
    return json_response({"job_id": str(uuid.uuid4())}, status=202)


def erase(state: State, addresses: set[str]) -> None:
    """Take the addresses out of messages, requests, events, suppressions and the outbox."""
    for kind in KINDS:
        state.suppressions.remove(kind, addresses)
    numbers: list[int] = []
    for address in addresses:
        found = state.ledger.rows("SELECT id, request_id, position FROM message WHERE address = ?", (address,))
        numbers += [number for number, _request, _position in found]
        for number, request_id, position in found:
            _erase_message(state, number, request_id, position)
    _erase_events(state, addresses)
    for folder in ("new", "cur", "tmp"):
        for number in numbers:
            for file in (state.options.home / "outbox" / folder).glob(f"*.M{number}.sandbox*"):
                file.unlink(missing_ok=True)
    state.ledger.forget()


def _erase_message(state: State, number: int, request_id: int, position: int) -> None:
    nobody = f"erased-{number}@erased.invalid"
    with state.ledger.writing() as connection:
        ((address, body),) = connection.execute(
            "SELECT m.address, r.body FROM message m JOIN request r ON r.id = m.request_id WHERE m.id = ?", (number,)
        ).fetchall()
        mail = orjson.loads(zlib.decompress(body))
        _without(mail["personalizations"][position], address, nobody)
        connection.execute(
            "UPDATE request SET body = ? WHERE id = ?", (zlib.compress(orjson.dumps(mail), 1), request_id)
        )
        connection.execute("UPDATE message SET address = ? WHERE id = ?", (nobody, number))
        connection.execute("DELETE FROM act WHERE request_id = ? AND position = ?", (request_id, position))


def _without(personalization: dict[str, Any], address: str, nobody: str) -> None:
    for kind in ("to", "cc", "bcc"):
        for person in personalization.get(kind) or ():
            if str(person.get("email")).lower() == address:
                person.clear()
                person["email"] = nobody
    for name in _PERSONAL:
        personalization.pop(name, None)


def _erase_events(state: State, addresses: set[str]) -> None:
    """What was to be reported of them is not."""
    with state.ledger.writing() as connection:
        for number, event in connection.execute("SELECT id, event FROM later").fetchall():
            if str(orjson.loads(event).get("email")).lower() in addresses:
                connection.execute("DELETE FROM later WHERE id = ?", (number,))
        for number, packed in connection.execute("SELECT id, body FROM post").fetchall():
            events = orjson.loads(zlib.decompress(packed))
            left = [event for event in events if str(event.get("email")).lower() not in addresses]
            if len(left) < len(events):
                body = zlib.compress(orjson.dumps(left), 1)
                connection.execute("UPDATE post SET events = ?, body = ? WHERE id = ?", (len(left), body, number))
        connection.execute("DELETE FROM post WHERE events = 0")
