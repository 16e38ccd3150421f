"""Rules over subscribers as they are written on the command line."""

import json
from pathlib import Path

from newsdesk.core.errors import InputError

EXAMPLE = '{"field": "attributes.country", "op": "in", "value": ["SG", "MY"]}'


def read_rule(written: str) -> object:
    """JSON, or @ and the path of a file that holds it. Raises InputError."""
    where, text = "--rule", written
    if written.startswith("@"):
        where = written[1:]
        try:
            text = Path(where).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise InputError(f"{where}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: not UTF-8 at byte {error.start}") from error
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from error
    except _TwiceError as error:
        raise InputError(f"{where}: {error.args[0]!r} is written twice in one object") from error
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits
        raise InputError(f"{where}: {error}") from error


class _TwiceError(Exception):
    pass


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, value in pairs:
        if key in fields:
            raise _TwiceError(key)
        fields[key] = value
    return fields
