"""Run by Cosmic Ray's Python: for each [module, operator, occurrence] of a JSON list on stdin, the mutated text in one on stdout."""

import json
import sys
from pathlib import Path

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

json.dump(
    [
        mutate_code(Path(module).read_text(encoding="utf-8"), get_operator(operator)(), occurrence)
        for module, operator, occurrence in json.load(sys.stdin)
    ],
    sys.stdout,
)
