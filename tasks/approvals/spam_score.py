"""SpamAssassin's opinion of an edition, where its daemon runs on this machine (`spamd`, asked through `spamc`)."""

import re
import shutil
import subprocess
from functools import lru_cache

from composer.checks import SpamReport
from composer.content import EditionContent
from composer.rendering import Rendering, eml

#: Seconds; the daemon needs half of one.
TIMEOUT = 5
_SCORE = re.compile(r"(-?\d+(?:\.\d+)?)/(-?\d+(?:\.\d+)?)")
_RULE = re.compile(r"^\s*(-?\d+\.\d+)\s+([A-Z][A-Z0-9_]+)", re.MULTILINE)


class _NotAtHandError(Exception):
    pass


def score(content: EditionContent, rendering: Rendering) -> SpamReport | None:
    """The score and what adds to it; None where nobody can be asked."""
    try:
        return _scored(content, rendering)
    except _NotAtHandError:
        return None


@lru_cache(maxsize=32)
def _scored(content: EditionContent, rendering: Rendering) -> SpamReport:
    spamc = shutil.which("spamc")
    if spamc is None:
        raise _NotAtHandError
    command = [spamc, "-R", "-t", str(TIMEOUT), "--connect-retries=1", "-d", "127.0.0.1"]
    message = eml(rendering, content.publication)
    try:
        answer = subprocess.run(command, input=message, capture_output=True, timeout=TIMEOUT + 1, check=False)  # noqa: S603 - fixed arguments
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _NotAtHandError from error
    return parsed(answer.stdout.decode(errors="replace"))


def parsed(answer: str) -> SpamReport:
    """Read what `spamc -R` prints: "0.0/5.0" and a table of rules. "0/0" means that no daemon was reached."""
    first, _, table = answer.partition("\n")
    found = _SCORE.fullmatch(first.strip())
    if not found or float(found[2]) == 0:
        raise _NotAtHandError
    rules = tuple((name, float(points)) for points, name in _RULE.findall(table) if float(points) > 0)
    return SpamReport(score=float(found[1]), rules=rules)
