"""How long one edition of twelve stories takes to render, and where the time goes.

    python benchmarks/rendering.py [--rounds N]

Median milliseconds after a warm-up, for each theme: the whole of `render`, its stages, and the checks beside it. It is the
thread's own time, so that other programs on the machine do not count (nothing here waits for anything).
Results of note are kept in RESULTS.md.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsdesk.settings")

from composer import digest as digests
from composer.checks import check
from composer.content import EditionContent, Image, PublicationContent, StoryBlock
from composer.rendering import pipeline, render, theme_names
from newsdesk.core.paths import samples_dir

#: Name of the stage → the function of the pipeline that is it.
STAGES = {"Jinja": "_mjml", "mjml": "_compiled", "premailer": "inlined", "text": "plain_text"}
WARM_UP = 5


def edition() -> EditionContent:
    """The twelve stories of a sample digest, each with a lead image."""
    publication = PublicationContent(
        slug="sample", title="The Sample", from_email="sample@example.com", postal_address="1 Main Street\n10000 Sample"
    )
    content = digests.content(
        digests.parse((samples_dir() / "technology-week.txt").read_bytes()), publication, number=1
    )
    assert len(content.stories) == 12
    picture = Image(url="https://img.example.com/a.jpg", alt="What the story tells of", width=1200, height=630)
    blocks = tuple(
        replace(block, image=picture) if isinstance(block, StoryBlock) else block for block in content.blocks
    )
    return replace(content, blocks=blocks)


@contextmanager
def timed(spent: dict[str, list[float]]) -> Iterator[None]:
    """Note how long each stage takes inside the `render` that runs within."""

    def watched(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent[stage].append((time.thread_time() - began) * 1000)

        return run

    patches = [patch.object(pipeline, name, watched(stage, getattr(pipeline, name))) for stage, name in STAGES.items()]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def measured(theme: str, rounds: int) -> dict[str, float]:
    """Median milliseconds by stage, and the kilobytes of HTML."""
    content = edition()
    for _ in range(WARM_UP):
        rendering = render(content, theme=theme)
        check(content, rendering)
    spent: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        began = time.thread_time()
        rendering = render(content, theme=theme)
        spent["render"].append((time.thread_time() - began) * 1000)
        began = time.thread_time()
        check(content, rendering)
        spent["checks"].append((time.thread_time() - began) * 1000)
    with timed(spent):
        for _ in range(rounds):
            render(content, theme=theme)
    medians = {stage: statistics.median(times) for stage, times in spent.items()}
    return {**medians, "KB": len(rendering.html.encode()) / 1000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    columns = ["render", *STAGES, "checks", "KB"]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, median of {rounds} rounds, milliseconds")
    print(f"{'theme':12}" + "".join(f"{column:>11}" for column in columns))
    for theme in theme_names():
        figures = measured(theme, rounds)
        print(f"{theme:12}" + "".join(f"{figures[column]:11.2f}" for column in columns))


if __name__ == "__main__":
    main()
