"""What each theme uses that some mail clients lack, as somebody accepted it. `NEWSDESK_GOLDEN=1` records it anew."""

import json
import os

import pytest

from composer.checks.client_support import DATA, unsupported
from composer.checks.context import CheckContext
from composer.checks.features import features_used
from composer.rendering import theme_names
from tests.proofs.matrix import CASES, edition, rendering, with_images

PATH = DATA / "baseline.json"


def used(theme: str) -> list[str]:
    from composer.rendering import render

    found: set[str] = set()
    for name, direction in {case[1:] for case in CASES}:
        found |= features_used(CheckContext(edition(name, direction), rendering(theme, name, direction)))
    illustrated = with_images(edition("technology-week"))
    found |= features_used(CheckContext(illustrated, render(illustrated, theme=theme)))
    return sorted(found & unsupported().keys())


@pytest.mark.parametrize("theme", theme_names())
def test_a_theme_uses_what_it_is_recorded_to_use(theme: str) -> None:
    recorded = json.loads(PATH.read_text())
    found = used(theme)
    if os.environ.get("NEWSDESK_GOLDEN"):
        recorded[theme] = found
        PATH.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")
    assert found == recorded.get(theme), "look at what is new, then record it: NEWSDESK_GOLDEN=1"


def test_the_data_says_what_lacks_what() -> None:
    title, clients = unsupported()["css-display-grid"]

    assert title == "display:grid"
    assert "Outlook (Windows)" in clients
