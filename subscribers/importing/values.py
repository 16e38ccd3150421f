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
