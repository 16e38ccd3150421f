"""The mails as they were when somebody last looked at them. `NEWSDESK_GOLDEN=1 pytest tests/golden` rewrites the files:
read the diff, and look at the pages, before committing.
"""

import os
from pathlib import Path

import pytest

from composer import digest as digests
from composer.content import EditionContent
from composer.rendering import render, theme_names
from newsdesk.core.paths import samples_dir
from tests.composer.editions import PUBLICATION, every_block

FOLDER = Path(__file__).parent
REWRITE = bool(os.environ.get("NEWSDESK_GOLDEN"))


def sample(name: str) -> EditionContent:
    return digests.content(digests.parse((samples_dir() / f"{name}.txt").read_bytes()), PUBLICATION, number=118)


EDITIONS = {
    "city-week": lambda: sample("city-week"),
    "technology-week": lambda: sample("technology-week"),
    "science-week": lambda: sample("science-week"),
    "every-block": every_block,
    "every-block-rtl": lambda: every_block(language="ar", direction="rtl"),
}


#: Every theme with every kind of block, both ways, and with twelve stories; the plain text is the same in all of them.
MAILS = [(theme, name) for theme in theme_names() for name in ("every-block", "every-block-rtl", "technology-week")]


@pytest.mark.parametrize("name", EDITIONS)
def test_the_text_reads_as_it_did(name: str) -> None:
    compare(FOLDER / f"{name}.txt", render(EDITIONS[name]()).text)


@pytest.mark.parametrize(("theme", "name"), MAILS)
def test_the_mail_looks_as_it_did(theme: str, name: str) -> None:
    rendering = render(EDITIONS[name](), theme=theme)

    # One long line is no diff that anybody reads.
    compare(FOLDER / theme / f"{name}.html", rendering.html.replace("><", ">\n<"))
    if name != "technology-week":
        compare(FOLDER / theme / f"{name}.mjml", rendering.mjml)


def compare(path: Path, shown: str) -> None:
    if REWRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown)
    assert shown == path.read_text(), f"{path.relative_to(FOLDER)} differs; NEWSDESK_GOLDEN=1 rewrites it"
