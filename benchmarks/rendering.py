"""How long an edition of twelve stories takes to render, by theme and by stage: medians after a warm-up, in milliseconds.

Processor time of this process, so that a busy machine does not count; how big the mail is stands beside it.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from composer import digest as digests
from composer.content import EditionContent, Image, PublicationContent, StoryBlock
from composer.rendering import Links, pipeline, render, theme_names, themes
from composer.rendering.inlining import inlined
from newsdesk.paths import samples_dir

ROUNDS = 60


def edition() -> EditionContent:
    publication = PublicationContent(slug="bench", title="The Plain Machine", postal_address="1 Quay Street")
    content = digests.content(
        digests.parse((samples_dir() / "technology-week.txt").read_bytes()), publication, number=1
    )
    image = Image(
        url=f"https://news.example.com/media/mail/{'0' * 64}.jpg", alt="What it shows", width=1200, height=675
    )
    blocks = (replace(block, image=image) if isinstance(block, StoryBlock) else block for block in content.blocks)
    return replace(content, blocks=tuple(blocks))


def median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS + 5):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken[5:]) * 1000


def main() -> None:
    content = edition()
    print(f"{'theme':10} {'jinja':>6} {'mjml':>6} {'inline':>6} {'text':>6} {'whole':>6} {'KB':>6}")
    for name in theme_names():
        theme = themes.theme(name, "ltr")
        mjml = pipeline._mjml(content, theme, Links())
        html = pipeline._compiled(mjml)
        stages = (
            median(lambda theme=theme: pipeline._mjml(content, theme, Links())),
            median(lambda mjml=mjml: pipeline._compiled(mjml)),
            median(lambda html=html, theme=theme: inlined(html, theme.inline_css)),
            median(lambda: pipeline.plain_text(content, Links())),
            median(lambda name=name: render(content, theme=name)),
        )
        size = len(render(content, theme=name).html.encode()) / 1000
        print(f"{name:10} {' '.join(f'{stage:6.2f}' for stage in stages)} {size:6.1f}")


if __name__ == "__main__":
    main()
