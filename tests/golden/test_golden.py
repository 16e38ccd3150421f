"""The mails as they were when somebody last looked at them. `NEWSDESK_GOLDEN=1 pytest tests/golden` rewrites the files:
read the diff, and look at the pages, before committing.
"""

import os
from pathlib import Path

import pytest

from composer import digest as digests
from composer.content import EditionContent
from composer.rendering import render
from newsdesk.paths import samples_dir
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


@pytest.mark.parametrize("name", EDITIONS)
def test_it_looks_as_it_did(name: str) -> None:
    rendering = render(EDITIONS[name]())

    for kind, text in (("mjml", rendering.mjml), ("html", rendering.html), ("txt", rendering.text)):
        path = FOLDER / f"{name}.{kind}"
        # One long line is no diff that anybody reads.
        shown = text.replace("><", ">\n<") if kind == "html" else text
        if REWRITE:
            path.write_text(shown)
        assert shown == path.read_text(), f"{path.name} differs; NEWSDESK_GOLDEN=1 rewrites it"
