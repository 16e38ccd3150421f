"""Headlines that no number marks: headings, whole lines in bold, and short lines without a full stop."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from composer.reading import labels, phrases
from composer.reading.counting import MAX_HEADLINE, Headlines
from composer.reading.document import Block, Doubt, Heading, ListItem, Paragraph
from composer.reading.numbers import looks_like_a_heading, undecorated
from composer.reading.section_headings import without_frame

#: A topic in front of a headline: “[CULTURE] Opera opens”.
_BRACKETED = re.compile(r"^\[[^\[\]]{1,30}\]\s+")


def by_look(blocks: Sequence[Block]) -> Headlines | None:
    """Headings of the level that most have, else whole lines in bold; at least two, the title not counted."""
    levels: dict[int, list[int]] = {}
    for index, block in enumerate(blocks):
        # The very first is the title, if it is a title's: “# …” or the only one of its level.
        if isinstance(block, Heading) and (index or block.level > 1):
            levels.setdefault(block.level, []).append(index)
    usable = {level: found for level, found in levels.items() if len(found) > 1}
    if usable:
        level, doubts = _level(blocks, usable)
        indices = _without_subtitle(blocks, _without_closing(blocks, usable[level]))
        headings = _headlines(blocks, indices, level=level)
        headings.doubts += doubts
        return headings
    bold = [
        index
        for index, block in enumerate(blocks)
        if index and isinstance(block, Paragraph) and block.bold and len(block.text) <= MAX_HEADLINE
    ]
    bold = _without_closing(blocks, bold)
    return _reporting_sentences(blocks, _headlines(blocks, bold)) if len(bold) > 1 else None


def only_heading(blocks: Sequence[Block]) -> Headlines | None:
    """The one heading below the title, with text below it: a digest of one story; reported."""
    found = [index for index, block in enumerate(blocks) if index and isinstance(block, Heading)]
    if len(found) != 1 or not isinstance(blocks[0], Heading) or found[0] + 1 >= len(blocks):
        return None
    block = blocks[found[0]]
    assert isinstance(block, Heading)
    message = "the only heading below the title was read as the headline of the only story"
    doubt = Doubt(line=block.line, text=block.text, message=message)
    return Headlines(indices=found, texts=[block.text], doubts=[doubt], level=block.level)


def _level(blocks: Sequence[Block], levels: Mapping[int, list[int]]) -> tuple[int, list[Doubt]]:
    """The level of the headlines: that which most headings have, unless these are the subheadings of the level above; reported."""
    level = max(levels, key=lambda one: (len(levels[one]), -one))
    upper = max((one for one in levels if one < level), default=0)
    if upper and _are_subheadings(blocks, levels[upper], levels[level]):
        return upper, [_of_two_levels(blocks[levels[upper][0]], "the headings below them as their subheadings")]
    parts = _without_closing(blocks, levels.get(upper, []))
    if any(not isinstance(block, Heading) for index in parts for block in blocks[index + 1 : index + 2]):
        return level, [_of_two_levels(blocks[levels[level][0]], "the headings above them as none")]
    lower = [blocks[index + 1] for index in levels[level] if index + 1 < len(blocks)]
    pairs = [block.level for block in lower if isinstance(block, Heading) and block.level > level]
    if len(set(pairs)) != 1 or len(pairs) != len(levels[level]) or len(levels.get(pairs[0], ())) != len(pairs):
        return level, []
    # As many of either level, in pairs: single words are sections, whole lines have a second line below them.
    if _are_words(blocks, levels[level]):
        return pairs[0], [_of_two_levels(lower[0], "the headings above them as sections")]
    return level, [_of_two_levels(blocks[levels[level][0]], "the headings below them as their subheadings")]


def _are_subheadings(blocks: Sequence[Block], upper: Sequence[int], lower: Sequence[int]) -> bool:
    """Whether headings say the same again and again, or stand in each part of the level above, below some text of it."""
    if 2 * len({blocks[index].text.casefold() for index in lower}) <= len(lower):
        return True
    if _are_words(blocks, upper):
        return False
    ends = [*upper[1:], len(blocks)]
    in_each = all(bisect_left(lower, begin) < bisect_left(lower, end) for begin, end in zip(upper, ends, strict=True))
    return in_each and lower[0] > upper[0] and set(lower).isdisjoint(index + 1 for index in upper)


def _are_words(blocks: Sequence[Block], indices: Sequence[int]) -> bool:
    """Whether headings are one word or two, as sections are called."""
    return all(len(blocks[index].text.split()) <= 2 and len(blocks[index].text) <= 20 for index in indices)


def _of_two_levels(first: Block, others: str) -> Doubt:
    message = f"this and the headings of the same level were read as headlines, {others}; write the others as text if that is wrong"
    return Doubt(line=first.line, text=first.text, message=message)


def _without_subtitle(blocks: Sequence[Block], indices: list[int]) -> list[int]:
    """Without a heading right below the title, above a date or byline that no other has: the digest's own subtitle."""
    dated = [
        any(phrases.above_the_text(block.text) for block in blocks[index + 1 : index + 3] if type(block) is Paragraph)
        for index in indices
    ]
    if len(indices) > 2 and indices[0] == 1 and dated[0] and not any(dated[1:]):
        return indices[1:]
    return indices


def _reporting_sentences(blocks: Sequence[Block], found: Headlines) -> Headlines:
    """Bold lines that end as sentences among others that do not may be emphasis."""
    sentences = [index for index in found.indices if blocks[index].text.endswith((".", "。"))]
    if 2 * len(sentences) <= len(found.indices):
        for index in sentences:
            message = "a sentence in bold was read as a headline, like the other lines in bold; take the bold away if it is text"
            found.doubts.append(Doubt(line=blocks[index].line, text=blocks[index].text, message=message))
    return found


def _headlines(blocks: Sequence[Block], indices: list[int], *, level: int = 0) -> Headlines:
    texts = [blocks[index].text for index in indices]
    unlabelled = labels.without_labels(texts)
    found = Headlines(indices=indices, texts=unlabelled or texts, level=level)
    if unlabelled and texts[0] == f"1 {unlabelled[0]}":
        message = "the numbers in front of the headlines were read as no part of them; write them as words if they are"
        found.doubts.append(Doubt(line=blocks[indices[0]].line, text=texts[0], message=message))
    return found


def short_lines(blocks: Sequence[Block], *, is_confirmed: bool) -> Headlines | None:
    """Unnumbered lines that look like headings, each with text below it; reported unless somebody has confirmed one.

    Where there are none, those with a sign that makes them stand out: “→ Headline”, “— Headline —”, “• Headline”.
    """
    plain = ["" if isinstance(block, ListItem) else block.text for block in blocks]
    indices = _without_closing(blocks, _above_text(blocks, plain))
    texts = [plain[index] for index in indices]
    loose = _without_closing(blocks, _above_text(blocks, [_without_marks(text) for text in plain]))
    if len(indices) < 2 <= len(loose):
        indices, texts = loose, [plain[index] for index in loose]
    if len(indices) < 2:
        bare = [undecorated(block.text) for block in blocks]
        decorated = _without_closing(blocks, _above_text(blocks, bare))
        if len(decorated) > 1:
            indices, texts = decorated, [without_frame(blocks[index].text).lstrip("→»> ") for index in decorated]
    if len(indices) < 2 and not (indices and is_confirmed):
        return None
    if is_confirmed:
        return Headlines(indices=indices, texts=texts)
    first = blocks[indices[0]]
    doubt = Doubt(
        line=first.line,
        text=first.text,
        message=f"no headline has a number: this and {len(indices) - 1} more short lines without a full stop were read as headlines; "
        "number the headlines to be sure",
    )
    # A line right below a headline is its lede.
    taken = {*indices, *(index + 1 for index in indices)}
    message = "a short line that was read as text; number it, and the other headlines, if it is one"
    others = [
        Doubt(line=blocks[index].line, text=blocks[index].text, message=message)
        for index in loose
        if index not in taken
    ]
    return Headlines(indices=indices, texts=texts, doubts=[doubt, *others])


def _without_marks(text: str) -> str:
    """A line as its headline would be without quotes, a question mark, or a number or a small letter in front (“12 boats”, “eBay”)."""
    if text.endswith((".”", '."', ".’", ".“", "。」", "。”")) or len(text) > 80:
        return text
    bare = text.strip("“”„\"'‘’«»‹›「」『』¿¡ ").rstrip("?!？！)）%")
    head = bare[:12].split(" ", 1)[0]
    if head.isdigit():
        return f"N{bare}"
    return bare[:1].upper() + bare[1:] if head != head.lower() else bare


def _above_text(blocks: Sequence[Block], texts: Sequence[str]) -> list[int]:
    return [
        index
        for index in range(1, len(blocks) - 1)
        if type(blocks[index]) in {Paragraph, ListItem}
        and looks_like_a_heading(_BRACKETED.sub("", texts[index]))
        and not looks_like_a_heading(_BRACKETED.sub("", texts[index + 1]))
        and not isinstance(blocks[index + 1], ListItem)
    ]


def _without_closing(blocks: Sequence[Block], indices: list[int]) -> list[int]:
    return [index for index in indices if not phrases.CLOSING.fullmatch(blocks[index].text)]
