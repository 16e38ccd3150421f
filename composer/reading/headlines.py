"""Which blocks are the stories' headlines: the form that dominates the whole document, counted from 1.

A headline is a number in one of many forms (“1.”, “2)”, “#3”, “四、”, “Story 5:”, a keycap), else a heading, else a line in bold, else a
short line without a full stop. What would be a headline in another form is reported, and what breaks the count refused.
"""

import re
from collections.abc import Mapping, Sequence

from composer.reading import labels, phrases
from composer.reading.counting import MAX_HEADLINE, Counter, Headlines, headline_of, read_as_text
from composer.reading.decisions import NO_DECISIONS, Decisions
from composer.reading.document import Block, Doubt, Heading, ListItem, Paragraph
from composer.reading.errors import DigestError
from composer.reading.numbers import (
    ANY_NUMBER,
    Candidate,
    candidate_in,
    dominant,
    looks_like_a_heading,
    undecorated,
    value_of,
)
from composer.reading.section_headings import without_frame

#: A topic in front of a headline: “[CULTURE] Opera opens”.
_BRACKETED = re.compile(r"^\[[^\[\]]{1,30}\]\s+")
_ESCAPED = re.compile(r"^(\d{1,3})\\([.)])")


def unescaped(text: str) -> str:
    """The text without the backslash that keeps a number at its start from making it a headline."""
    return _ESCAPED.sub(r"\1\2", text)


def find_headlines(blocks: Sequence[Block], decisions: Decisions = NO_DECISIONS) -> Headlines:
    """Raises DigestError where the count is broken or nothing could be a headline.

    What a person decided about a line comes before all rules.
    """
    decided = [index for index, block in enumerate(blocks) if decisions.get(block.line) == "headline"]
    # The rules look at what is left to them.
    open_blocks = [Paragraph(line=block.line, text="") if block.line in decisions else block for block in blocks]
    found = _by_rules(open_blocks, {index: blocks[index] for index in decided})
    missing = [index for index in decided if index not in found.indices]
    both = sorted(
        [*zip(found.indices, found.texts, strict=True), *((index, headline_of(blocks[index])) for index in missing)]
    )
    return Headlines(
        indices=[index for index, _ in both],
        texts=[text for _, text in both],
        doubts=found.doubts,
        level=found.level,
        is_numbered=found.is_numbered,
    )


def _by_rules(blocks: Sequence[Block], decided: Mapping[int, Block]) -> Headlines:
    """`decided`: blocks that are headlines, by index; those that are numbered count among the others."""
    candidates = [candidate for index, block in enumerate(blocks) if (candidate := candidate_in(index, block))]
    form, length = dominant(candidates)
    by_look = _by_look(blocks)
    if by_look is not None and len(by_look.indices) > max(length, 1):
        _report_numbers(blocks, candidates, by_look)
        return by_look
    plain = by_look or (_short_lines(blocks, is_confirmed=bool(decided)) if length < 2 else None)
    if length < 2 and (labels := _by_label(blocks, at_least=len(plain.indices) if plain else 2)):
        return labels
    if not candidates:
        _refuse_bare_numbers(blocks)
        if plain is None and decided:
            return Headlines()
        if plain is None:
            raise DigestError(blocks[0].line, "no stories found; number each headline, as in “1. Headline”")
        return plain
    found = Counter(blocks, candidates, form, decided).headlines()
    _report_unknown_forms(blocks, found)
    found.is_numbered = True
    return found


def _by_label(blocks: Sequence[Block], *, at_least: int) -> Headlines | None:
    """Lines with text below them whose labels count, in a form of their own; reported unless it is plainly a number's."""
    group = labels.labelled([block.text if type(block) is Paragraph else "" for block in blocks])
    starts = {index for index, _ in group}
    group = [
        (index, reading) for index, reading in group if index and index + 1 not in starts and index + 1 < len(blocks)
    ]
    reached = labels.reach(group)
    sure = all(reading.is_sure for _, reading in group)
    if reached < max(at_least, 2 if sure else 3):
        return None
    candidates = labels.candidates_of(group)
    found = Counter(blocks, candidates, candidates[0].form, {}).headlines()
    found.is_numbered = True
    if not sure:
        first = blocks[found.indices[0]]
        message = f"this and {reached - 1} more lines that count like it were read as headlines; number the headlines “1.” to be sure"
        found.doubts.append(Doubt(line=first.line, text=first.text, message=message))
    return found


def _refuse_bare_numbers(blocks: Sequence[Block]) -> None:
    bare = [block for block in blocks if block.text.isdecimal() and len(block.text) < 4]
    if [int(block.text) for block in bare[:2]] == [1, 2]:
        raise DigestError(bare[0].line, f"number {bare[0].text} has no headline; write it on the same line")


def _by_look(blocks: Sequence[Block]) -> Headlines | None:
    """Headings of the level that most have, else whole lines in bold; at least two, the title not counted."""
    levels: dict[int, list[int]] = {}
    for index, block in enumerate(blocks):
        # The very first is the title, if it is a title's: “# …” or the only one of its level.
        if isinstance(block, Heading) and (index or block.level > 1):
            levels.setdefault(block.level, []).append(index)
    usable = {level: found for level, found in levels.items() if len(found) > 1}
    if usable:
        level = max(usable, key=lambda one: (len(usable[one]), -one))
        indices = _without_closing(blocks, usable[level])
        return _headlines(blocks, indices, level=level)
    bold = [
        index
        for index, block in enumerate(blocks)
        if index and isinstance(block, Paragraph) and block.bold and len(block.text) <= MAX_HEADLINE
    ]
    bold = _without_closing(blocks, bold)
    return _headlines(blocks, bold) if len(bold) > 1 else None


def _headlines(blocks: Sequence[Block], indices: list[int], *, level: int = 0) -> Headlines:
    texts = [blocks[index].text for index in indices]
    unlabelled = labels.without_labels(texts)
    return Headlines(indices=indices, texts=unlabelled or texts, level=level)


def _short_lines(blocks: Sequence[Block], *, is_confirmed: bool) -> Headlines | None:
    """Unnumbered lines that look like headings, each with text below it; reported unless somebody has confirmed one.

    Where there are none, those with a sign that makes them stand out: “→ Headline”, “— Headline —”, “• Headline”.
    """
    plain = ["" if isinstance(block, ListItem) else block.text for block in blocks]
    indices = _without_closing(blocks, _above_text(blocks, plain))
    texts = [plain[index] for index in indices]
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
    return Headlines(indices=indices, texts=texts, doubts=[doubt])


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


def _report_numbers(blocks: Sequence[Block], candidates: Sequence[Candidate], chosen: Headlines) -> None:
    for candidate in candidates:
        if candidate.index not in chosen.indices and not isinstance(blocks[candidate.index], ListItem):
            chosen.doubts.append(read_as_text(blocks, candidate))


def _report_unknown_forms(blocks: Sequence[Block], chosen: Headlines) -> None:
    """A line behind the last story that counts on, in a form that is none of ours."""
    following = len(chosen.indices) + 1
    for block in blocks[chosen.indices[-1] + 1 :] if chosen.indices else ():
        match = ANY_NUMBER.fullmatch(block.text) if len(block.text) < 200 else None
        if match and value_of(match["number"]) == following and looks_like_a_heading(match["rest"]):
            message = f"may be the headline of story {following}, but its number is written like no other; it was read as text"
            chosen.doubts.append(Doubt(line=block.line, text=block.text, message=message))
            following += 1
