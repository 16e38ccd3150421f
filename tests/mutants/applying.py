"""Run by Cosmic Ray's Python: for each [module, operator, occurrence] of a JSON list on stdin, the mutated text in one on stdout.

null for what Cosmic Ray names and cannot make: `except orjson.JSONDecodeError` with another name.
"""

import json
import sys
from pathlib import Path

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator


def _mutated(module: str, operator: str, occurrence: int) -> str | None:
    try:
        return mutate_code(Path(module).read_text(encoding="utf-8"), get_operator(operator)(), occurrence)
    except AttributeError:
        return None


json.dump([_mutated(*asked) for asked in json.load(sys.stdin)], sys.stdout)
