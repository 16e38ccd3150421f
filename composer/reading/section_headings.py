"""Which line above a headline opens a section: a heading, a line in capitals or in a frame, or one that several are like."""

from composer.reading import phrases
from composer.reading.document import Block, Heading, Paragraph
from composer.reading.inline import hrefs
from composer.reading.numbers import BRACKETS, looks_like_a_heading, undecorated


def is_section(block: Block, level: int) -> bool:
    """Whether it is one by itself. `level` is that of the headlines, where these are headings; 0 where they are not."""
    if isinstance(block, Heading):
        return not level or block.level < level
    text = without_frame(block.text)
    if type(block) is not Paragraph or not looks_like_a_heading(text):
        return False
    in_brackets = block.text[0] in BRACKETS
    is_framed = text != block.text.rstrip(" :：") and not in_brackets
    return block.bold or is_framed or (text.isupper() and len(text) > 2)


def could_be_section(block: Block) -> bool:
    """Whether it is one if others are like it: a few words that are no sentence, no link and no request."""
    text = undecorated(block.text)
    # “Photo: Jane Doe” names something about the story above.
    short = type(block) is Paragraph and looks_like_a_heading(text) and len(text.split()) <= 4 and ": " not in text
    return short and not hrefs(block.html) and not phrases.ASKS.match(text)


def is_decorated(block: Block) -> bool:
    """Whether an emoji, a frame or a colon makes it stand out."""
    return undecorated(block.text) != block.text


def without_frame(text: str) -> str:
    """A heading without the signs on both sides and the colon behind; an emoji stays."""
    bare = undecorated(text)
    return bare if text.startswith(bare) or not text.endswith(bare) else text
