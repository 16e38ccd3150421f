"""What every proof is made over: each theme × the sample editions and one with every block × both reading directions."""

from dataclasses import replace
from functools import cache

from composer import digest as digests
from composer.content import EditionContent, Image, StoryBlock
from composer.rendering import Rendering, render, theme_names
from newsdesk.core.paths import samples_dir
from tests.composer.editions import PUBLICATION, every_block

SAMPLES = ("city-week", "science-week", "technology-week")
DIRECTIONS = {"ltr": "en", "rtl": "ar"}
#: Theme, edition, direction.
Case = tuple[str, str, str]
CASES: list[Case] = [
    (theme, edition, direction)
    for theme in theme_names()
    for edition in (*SAMPLES, "every-block")
    for direction in DIRECTIONS
]


def named(case: Case) -> str:
    return "-".join(case)


@cache
def edition(name: str, direction: str = "ltr") -> EditionContent:
    if name == "every-block":
        return every_block(language=DIRECTIONS[direction], direction=direction)
    publication = replace(PUBLICATION, language=DIRECTIONS[direction], direction=direction)  # type: ignore[arg-type]
    parsed = digests.parse((samples_dir() / f"{name}.txt").read_bytes())
    return digests.content(parsed, publication, number=118)


@cache
def rendering(theme: str, name: str, direction: str = "ltr") -> Rendering:
    return render(edition(name, direction), theme=theme)


def with_images(content: EditionContent) -> EditionContent:
    """The same edition with a lead image over every story."""
    return replace(content, blocks=tuple(_illustrated(block, number) for number, block in enumerate(content.blocks)))


def _illustrated(block: object, number: int) -> object:
    if not isinstance(block, StoryBlock):
        return block
    image = Image(
        url=f"https://img.example.com/{number}.jpg", alt="A quay at dusk, seen from the water", width=1200, height=630
    )
    return replace(block, image=image)
