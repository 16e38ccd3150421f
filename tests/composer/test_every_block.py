"""What a kind of block must have before it may be used. A new one fails here, with the name of what is missing."""

from dataclasses import fields

import pytest

from composer import content, conversion, specimen
from composer.blocks import ContentBlock
from composer.content import Block
from composer.rendering import render, theme_names
from composer.rendering.plain_text import edition as plain_text
from composer.rendering.view import _KINDS
from tests.composer.editions import every_block, make_edition

KINDS = {kind: block for block, kind in _KINDS.items()}


def _blocks_of(module_content: content.EditionContent) -> set[type[Block]]:
    return {type(block) for block in module_content.blocks}


def _all_blocks() -> set[type[Block]]:
    return {thing for thing in vars(content).values() if isinstance(thing, type) and issubclass(thing, Block)} - {Block}


def test_every_block_of_the_desk_has_content_and_a_conversion() -> None:
    offered = set(ContentBlock().child_blocks)

    assert offered == set(conversion._BLOCKS), "composer/conversion.py: _BLOCKS turns the desk's block into content"
    assert offered == set(KINDS), "composer/rendering/view.py: _KINDS names the block for themes"
    assert set(KINDS.values()) == _all_blocks(), "composer/content.py: each dataclass of a block is one the desk offers"


def test_every_block_can_be_for_an_audience() -> None:
    for name, block in ContentBlock().child_blocks.items():
        assert "audience" in block.child_blocks, f"composer/blocks.py: {name} has no audience"


def test_every_block_is_in_the_examples() -> None:
    assert _blocks_of(every_block()) == _all_blocks(), (
        "tests/composer/editions.py: every_block lacks one (golden mails)"
    )
    assert _blocks_of(specimen.specimen()) == _all_blocks(), "composer/specimen.py: themes are tried with every block"


@pytest.mark.parametrize("theme", theme_names())
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_theme_shows_every_block(kind: str, theme: str) -> None:
    """What distinguishes the block is in the HTML, and what it says is in the plain text."""
    block = next(one for one in every_block().blocks if type(one) is KINDS[kind])
    story = next(one for one in every_block().blocks if isinstance(one, content.StoryBlock))
    without, shown = render(make_edition(story), theme=theme), render(make_edition(block, story), theme=theme)

    assert len(shown.html) > len(without.html), f"templates/email/{theme}: nothing of a {kind} is in the mail"
    assert shown.text != without.text, f"{plain_text.__name__}: nothing of a {kind} is in the plain text"
    for name in ("headline", "heading", "label", "name"):
        if name in {field.name for field in fields(block)}:
            assert getattr(block, name) in shown.html
            assert getattr(block, name).casefold() in " ".join(shown.text.split()).casefold()
