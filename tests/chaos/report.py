"""`python -m tests.chaos.report FILE…`: a table of the runs that NEWSDESK_CHAOS_LOG wrote down."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def read(files: Iterable[str]) -> list[dict[str, Any]]:
    """One dict for each run, in the order of the files; a line that was cut off by a crash is passed over."""
    runs = []
    for file in files:
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            try:
                runs.append(json.loads(line))
            except ValueError:
                continue
    return runs


def table(runs: Sequence[dict[str, Any]]) -> str:
    """Markdown: the sums, what happened how often, and each failure with its seed."""
    if not runs:
        return "no runs"
    failed = [run for run in runs if run["verdict"]["faults"]]
    seconds = sorted(run["seconds"] for run in runs)
    told = [
        ("runs", len(runs)),
        ("failed", len(failed)),
        ("readers mailed twice", _sum(runs, "duplicates")),
        ("readers lost", _sum(runs, "lost")),
        ("readers between a cancelled send and another", _sum(runs, "between")),
        ("messages accepted", sum(run["accepted"] for run in runs)),
        ("sends", sum(len(run["sends"]) for run in runs)),
        ("seconds in all", round(sum(seconds))),
        ("seconds of a run: median, longest", f"{seconds[len(seconds) // 2]:g}, {seconds[-1]:g}"),
    ]
    parts = [
        _two_columns("what", "how many", told),
        _happened("fault that struck", "times", (run["struck"] for run in runs)),
        _happened("what was done", "times", (Counter(_kind(what) for _, what in run["done"]) for run in runs)),
        _happened("attempts by outcome", "attempts", (run["attempts"] for run in runs)),
        _happened("what settled them", "facts", (run["evidence"] for run in runs)),
    ]
    if failed:
        rows = [(f"seed {run['seed']}", f"{'; '.join(run['verdict']['faults'])} ({run['home']})") for run in failed]
        parts.append(_two_columns("failed", "why", rows))
    return "\n\n".join(parts)


def _sum(runs: Sequence[dict[str, Any]], name: str) -> int:
    return sum(int(run["verdict"][name]) for run in runs)


def _kind(what: str) -> str:
    """Without the numbers of one run."""
    return " ".join(word for word in what.split() if not word.strip("+-.").replace(".", "").isdigit() and word != "s")


def _happened(what: str, unit: str, counted: Iterable[dict[str, int]]) -> str:
    """How often each thing happened in all, and in how many runs."""
    times: Counter[str] = Counter()
    among: Counter[str] = Counter()
    for one in counted:
        times.update(one)
        among.update(name for name, n in one.items() if n)
    rows = [
        f"| {name} | {n} | {among[name]} |" for name, n in sorted(times.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return "\n".join([f"| {what} | {unit} | in runs |", "|---|---|---|", *rows])


def _two_columns(left: str, right: str, rows: Iterable[tuple[str, object]]) -> str:
    return "\n".join([f"| {left} | {right} |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("python -m tests.chaos.report FILE…")
    print(table(read(sys.argv[1:])))
