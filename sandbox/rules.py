"""SendGrid's rules for addresses, headers and custom arguments: what mail/send refuses, and in which words.

Messages and `field` paths follow the live API; the limits are those of its published OpenAPI and documentation.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

MAX_PERSONALIZATIONS = 1000
MAX_RECIPIENTS = 1000
MAX_ADDRESS_LENGTH = 320
MAX_CUSTOM_ARGS_BYTES = 10_000
MAX_SUBSTITUTION_BYTES = 10_000
MAX_SUBSTITUTIONS = 100
MAX_CATEGORIES = 10
MAX_CATEGORY_LENGTH = 255
MAX_GROUPS_TO_DISPLAY = 25
MAX_SCHEDULE_SECONDS = 72 * 3600
MAX_REPLY_TO = 1000

RESERVED_HEADERS = frozenset(
    [
        "x-sg-id",
        "x-sg-eid",
        "received",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "to",
        "from",
        "subject",
        "reply-to",
        "cc",
        "bcc",
    ]
)

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
is_address = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}").fullmatch
_is_header_name = re.compile(r"[!-9;-~]+").fullmatch
_PERSON = frozenset({"email", "name"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One entry of an answer's `errors`."""

    message: str
    #: Where in the request; None when it is about the whole of it.
    field: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {"message": self.message, "field": self.field, "help": None}


Problems = list[Problem]


def check_person(person: Any, path: str, problems: Problems) -> str | None:
    """Check one {email, name}; returns the address in lower case when it is good."""
    if type(person) is not dict:
        problems.append(Problem(message="The email object must be an object with an email address.", field=path))
        return None
    email = person.get("email")
    if type(email) is not str or not email:
        problems.append(Problem(message="The email field is required and must be a string.", field=f"{path}.email"))
        return None
    good = len(email) <= MAX_ADDRESS_LENGTH and is_address(email)
    if not good:
        problems.append(Problem(message="Does not contain a valid address.", field=f"{path}.email"))
    if len(person) > 1:
        _check_name(person, path, problems)
    return email.lower() if good else None


def _check_name(person: dict[str, Any], path: str, problems: Problems) -> None:
    name = person.get("name")
    if name is not None and type(name) is not str:
        problems.append(Problem(message="The name must be a string.", field=f"{path}.name"))
    elif name and (";" in name or "," in name or "\n" in name or "\r" in name):
        problems.append(
            Problem(message="The name may not contain a semicolon, comma or line break.", field=f"{path}.name")
        )
    if not person.keys() <= _PERSON:
        unknown_keys(person, _PERSON, path, problems)


def unknown_keys(item: dict[str, Any], known: frozenset[str], path: str, problems: Problems) -> None:
    for name in item:
        if name not in known:
            field = f"{path}.{name}" if path else name
            problems.append(Problem(message=f"Additional property {name} is not allowed.", field=field))


def check_headers(headers: Any, path: str, problems: Problems) -> None:
    if type(headers) is not dict:
        problems.append(Problem(message="The headers must be an object of strings.", field=path))
        return
    for name, value in headers.items():
        message = _wrong_header_name(name)
        if message is None:
            if type(value) is not str:
                message = "Header values must be strings."
            elif "\n" in value or "\r" in value:
                message = "Header values may not contain line breaks."
            else:
                continue
        problems.append(Problem(message=message, field=f"{path}.{name}"))
    if len(headers) > 1 and _repeats(tuple(headers)):
        problems.append(Problem(message="Each header may be given once.", field=path))


# A request repeats the same few names a thousand times: looking them up is what keeps validation quick.
@lru_cache(maxsize=1024)
def _wrong_header_name(name: str) -> str | None:
    if not _is_header_name(name):
        return "Header names must be ASCII, without spaces and colons."
    if name.lower() in RESERVED_HEADERS:
        return f"The header {name} is reserved and may not be set."
    return None


@lru_cache(maxsize=1024)
def _repeats(names: tuple[str, ...]) -> bool:
    return len({name.lower() for name in names}) < len(names)


def check_strings(values: Any, path: str, what: str, problems: Problems, *, filled: bool) -> bool:
    """Whether `values` is an object of strings, of non-empty ones when `filled`."""
    if type(values) is not dict:
        problems.append(Problem(message=f"The {what} must be an object of strings.", field=path))
        return False
    good = True
    for name, value in values.items():
        if type(value) is not str or (filled and not value):
            message = f"The {what} must be {'non-empty ' if filled else ''}strings."
            problems.append(Problem(message=message, field=f"{path}.{name}"))
            good = False
    return good


def check_send_at(value: Any, path: str, now: float, problems: Problems) -> None:
    """Unix seconds; the past means now, more than 72 hours ahead is refused."""
    if type(value) is not int:
        problems.append(Problem(message="The send_at parameter must be an integer.", field=path))
    elif value > now + MAX_SCHEDULE_SECONDS:
        problems.append(Problem(message="The send_at parameter may not be more than 72 hours ahead.", field=path))


def json_size(value: Any) -> int:
    """Bytes of `value` as compact JSON in UTF-8."""
    return len(orjson.dumps(value))
