"""Which blocks are the stories' headlines: the form that dominates the whole document, counted from 1.

A headline is a number in one of many forms (“1.”, “2)”, “#3”, “四、”, “Story 5:”, a keycap), else a heading, else a line in bold, else a
short line without a full stop. What would be a headline in another form is reported, and what breaks the count refused.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from composer.reading import labels
from composer.reading.counting import Counter, Headlines, headline_of, read_as_text
from composer.reading.decisions import NO_DECISIONS, Decisions
from composer.reading.document import Block, Doubt, Heading, ListItem, Paragraph
from composer.reading.errors import DigestError
from composer.reading.looks import by_look, only_heading, short_lines
from composer.reading.numbers import ANY_NUMBER, Candidate, candidate_in, dominant, looks_like_a_heading, value_of

_ESCAPED = re.compile(r"^(\d{1,3})\\([.)])")


def unescaped(text: str) -> str:
    """The text without the backslash that keeps a number at its start from making it a headline."""
    return _ESCAPED.sub(r"\1\2", text)


def find_headlines(blocks: Sequence[Block], decisions: Decisions = NO_DECISIONS) -> Headlines:
    """Raises DigestError where the count is broken or nothing could be a headline.

    What a person decided about a line comes before all rules.
    """
    decided = [index for index, block in enumerate(blocks) if decisions.get(block.line) == "headline"]
    # The rules look at what is left to them; a heading that is confirmed still says which level the headlines have.
    open_blocks = [
        Paragraph(line=block.line, text="")
        if block.line in decisions and not (isinstance(block, Heading) and decisions[block.line] == "headline")
        else block
        for block in blocks
    ]
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
    looked = by_look(blocks)
    # A list in a story counts on as headlines do, but none of its items has text below it.
    above_text = _above_their_text(candidates, looked, len(blocks))
    form_above, reached = dominant(above_text)
    form = form_above or form
    if looked is not None and _are_headlines(looked, candidates, above_text):
        _report_numbers(blocks, candidates, looked, above_text)
        return looked
    plain = looked or (short_lines(blocks, is_confirmed=bool(decided)) if reached < 2 else None)
    if length < 2 and (labels := _by_label(blocks, at_least=len(plain.indices) if plain else 2)):
        return labels
    if plain is not None and looked is None and not reached and candidates:
        _report_numbers(blocks, candidates, plain, above_text)
        return plain
    if not candidates:
        _refuse_bare_numbers(blocks)
        plain = plain or only_heading(blocks)
        if plain is None and decided:
            return Headlines()
        if plain is None:
            raise DigestError(blocks[0].line, "no stories found; number each headline, as in “1. Headline”")
        return plain
    found = Counter(blocks, candidates, form, decided).headlines()
    _report_unknown_forms(blocks, found)
    found.is_numbered = True
    return found


def _above_their_text(candidates: Sequence[Candidate], looked: Headlines | None, blocks: int) -> list[Candidate]:
    others = {candidate.index for candidate in candidates} | set(looked.indices if looked else ())
    return [one for one in candidates if one.index + 1 < blocks and one.index + 1 not in others]


def _are_headlines(looked: Headlines, candidates: Sequence[Candidate], above_text: Sequence[Candidate]) -> bool:
    """Whether headings, or lines in bold, are the headlines, and numbers are something inside of stories."""
    reached = dominant(above_text)[1]
    if looked.level and reached and _are_within_one(looked, candidates, above_text):
        return True
    return len(looked.indices) > max(reached, 1) and not _are_numbered(looked, candidates, above_text)


def _are_within_one(looked: Headlines, candidates: Sequence[Candidate], above_text: Sequence[Candidate]) -> bool:
    """Whether all numbers stand below one heading that has text of its own above them: a recipe."""
    places = {bisect_right(looked.indices, candidate.index) for candidate in above_text}
    if len(places) != 1 or 0 in places:
        return False
    heading = looked.indices[places.pop() - 1]
    starts = {candidate.index for candidate in candidates}
    return heading not in starts and heading + 1 not in starts


def _are_numbered(looked: Headlines, candidates: Sequence[Candidate], above_text: Sequence[Candidate]) -> bool:
    """Whether numbers stand above the headings: all but a few of these have one, or the count begins before the first of them."""
    headings = set(looked.indices)
    numbered = [candidate for candidate in candidates if candidate.index in headings]
    _, length = dominant(numbered)
    if length == len(numbered) > 1 and length < len(looked.indices) < 2 * length:
        return True
    form, reached = dominant(above_text)
    counted = [candidate.index for candidate in above_text if candidate.form == form]
    return reached > 1 and counted[0] < looked.indices[0] < counted[-1]


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


def _report_numbers(
    blocks: Sequence[Block], candidates: Sequence[Candidate], chosen: Headlines, above_text: Sequence[Candidate]
) -> None:
    """Numbers that are no headlines; items of plain lists are not worth a word."""
    taken = set(chosen.indices)
    # The last item of a list has the story's text below it.
    with_text = {one.index for one in above_text} if dominant(above_text)[1] else set()
    for candidate in candidates:
        is_item = isinstance(blocks[candidate.index], ListItem) and candidate.index not in with_text
        if candidate.index not in taken and not is_item:
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
