"""What single cells hold beside plain text: tags, JSON, addresses of machines."""

import csv
import functools
import ipaddress
import re
from typing import Any

import orjson

_TAG_SEPARATOR = re.compile(r"[;,|]")
_QUOTED_LIST = re.compile(r'\s*"(?:[^"]|"")*"(\s*[;,|]\s*"(?:[^"]|"")*")*\s*')
_DEEPEST = 5
#: NUL and half characters, and numbers beyond PostgreSQL's.
_UNSTORABLE_JSON = re.compile(r"\\u(0000|[dD][89a-fA-F])|[eE][+-]?\d{4}")


@functools.lru_cache(maxsize=10_000)
def tags(cell: str) -> tuple[str, ...]:
    """A list of JSON, a list of quoted words, or words between semicolons, commas or bars."""
    if cell.startswith("["):
        parts = _json_list(cell)
    elif _QUOTED_LIST.fullmatch(cell):
        mark = next((mark for mark in ",;|" if re.search(rf'"\s*{re.escape(mark)}\s*"', cell)), ",")
        parts = next(csv.reader([cell], delimiter=mark, skipinitialspace=True))
    else:
        parts = None
    if parts is None:
        parts = _TAG_SEPARATOR.split(cell)
    return tuple(dict.fromkeys(tag for part in parts if (tag := part.strip())))


def exact_tags(cell: str) -> tuple[str, ...] | None:
    """A JSON list of texts as they are; None where it is none."""
    try:
        found = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return None
    is_list = isinstance(found, list) and all(isinstance(one, str) and "\x00" not in one for one in found)
    return tuple(found) if is_list else None


def as_stored(cell: str) -> str:
    """A JSON object as the database wrote it, with its numbers and lists; "" where it cannot be taken as it is."""
    if _UNSTORABLE_JSON.search(cell):
        return ""
    try:
        return cell if isinstance(orjson.loads(cell), dict) else ""
    except orjson.JSONDecodeError:
        return ""


def _json_list(cell: str) -> list[str] | None:
    try:
        found = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return None
    named = [one.get("name", "") if isinstance(one, dict) else one for one in found]
    return [str(one) for one in named if isinstance(one, str | int | float)]


def unpacked(cell: str) -> dict[str, str] | None:
    """A JSON object as attributes: text throughout, inner objects with a dot; None where it is no object."""
    try:
        found = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict):
        return None
    attributes: dict[str, str] = {}
    _unpack(found, "", attributes, 0)
    return attributes


def _unpack(found: dict[str, Any], prefix: str, attributes: dict[str, str], depth: int) -> None:
    for key, value in found.items():
        name = f"{prefix}{key}"[:200]
        if isinstance(value, dict) and depth < _DEEPEST:
            _unpack(value, f"{name}.", attributes, depth + 1)
        elif value is not None and value not in ("", [], {}):
            attributes[name] = value if isinstance(value, str) else orjson.dumps(value).decode()


@functools.lru_cache(maxsize=10_000)
def shortened_ip(cell: str) -> str:
    """The network it is in: enough to prove where a consent came from, not who gave it. "" for what is no address."""
    try:
        address = ipaddress.ip_address(cell.strip())
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))
