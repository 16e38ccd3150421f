"""One JSON object a line, as rows of cells: the keys of the first lines are the heading."""

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from subscribers.importing.presets import recognised
from subscribers.importing.presets.preset import folded
from subscribers.importing.records import Record
from subscribers.interchange import WORDS, defused, on_one_line

#: How many lines are asked for their keys: services leave out what is empty.
_SAMPLE = 1000


def is_json(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n").startswith("{")


def records(lines: Iterable[str]) -> Iterator[Record]:
    """The heading first; a line that is no object, or has a key that the first lines lack, has its problem."""
    numbered = ((at, line) for at, line in enumerate(lines, start=1) if line.strip())
    ahead = list(itertools.islice(numbered, _SAMPLE))
    heading = list(dict.fromkeys(key for _, line in ahead for key in _object(line) or ()))
    if not ahead or not heading:
        return
    yield Record(ahead[0][0], heading)
    # Our own export: cells as its CSV has them.
    exact = recognised([folded(key) for key in heading]).exact
    known = set(heading)
    for at, line in itertools.chain(ahead, numbered):
        found = _object(line)
        if found is None:
            yield Record(at, [line.strip()[:200]], "no JSON object on one line")
        elif extra := set(found) - known:
            yield Record(at, [], f"the key {min(extra)!r} is in none of the first {_SAMPLE} lines")
        else:
            yield Record(at, [_cell(key, found.get(key), exact=exact) for key in heading])


def _object(line: str) -> dict[str, Any] | None:
    try:
        # Python's own: it keeps whole numbers of any length.
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _cell(key: str, value: object, *, exact: bool) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if exact and key not in {"tags", "attributes"}:
        return defused(on_one_line(text) if key.startswith(WORDS) else text)
    return text
