"""What the mail uses that some mail clients do not know, beyond what its theme is known to use.

The data is caniemail's (composer/checks/data). A theme's own use was looked at when it was made and is recorded in
`baseline.json`; a theme without a record is held to what any of ours uses.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from composer.checks.context import CheckContext, Problem
from composer.checks.features import features_used

DATA = Path(__file__).parent / "data"
_NAMED = 4


def check(context: CheckContext) -> Iterator[Problem]:
    known = unsupported()
    for slug in sorted(features_used(context) & known.keys() - baseline(context.rendering.theme)):
        title, clients = known[slug]
        shown = ", ".join(clients[:_NAMED]) + (f" and {len(clients) - _NAMED} more" if len(clients) > _NAMED else "")
        message = f"“{title}” is not supported by {shown}; see whether the mail still reads well there, or avoid it"
        yield Problem(level="warning", code="client.support", message=message)


@cache
def unsupported() -> Mapping[str, tuple[str, list[str]]]:
    """Feature → its title, and the mail clients that lack it in their latest version tested."""
    data: dict[str, Any] = json.loads((DATA / "caniemail.json").read_text())
    clients: list[str] = data["clients"]
    return {slug: (title, [clients[one] for one in without]) for slug, (title, without) in data["features"].items()}


@cache
def baseline(theme: str) -> frozenset[str]:
    recorded: dict[str, list[str]] = json.loads((DATA / "baseline.json").read_text())
    if theme in recorded:
        return frozenset(recorded[theme])
    return frozenset(slug for slugs in recorded.values() for slug in slugs)
