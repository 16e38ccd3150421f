"""Which blocks are the stories' headlines: the form that dominates the whole document, counted from 1.

A headline is a number in one of many forms (“1.”, “2)”, “#3”, “四、”, “Story 5:”, a keycap), else a heading, else a line in bold, else a
short line without a full stop. What would be a headline in another form is reported, and what breaks the count refused.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from composer.reading import phrases
from composer.reading.characters import start
from composer.reading.decisions import NO_DECISIONS, Decisions
from composer.reading.document import Block, Doubt, Heading, ListItem, Paragraph
from composer.reading.errors import DigestError
from composer.reading.numbers import (
    ANY_NUMBER,
    Candidate,
    candidate_in,
    dominant,
    looks_like_a_heading,
    value_of,
    written,
)

MAX_HEADLINE = 300
_BARE = re.compile(r"(?P<number>\d{1,3})\s*[.)]")
_ESCAPED = re.compile(r"^(\d{1,3})\\([.)])")
_AS_TEXT = "if it is text, write its number with a backslash ({number}\\.)"


@dataclass
class Headlines:
    #: Indices among the blocks, in order, and what each says without its number.
    indices: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    #: Of heading blocks; 0 where headlines are numbered.
    level: int = 0
    is_numbered: bool = False


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
        [*zip(found.indices, found.texts, strict=True), *((index, _headline(blocks[index])) for index in missing)]
    )
    return Headlines(
        indices=[index for index, _ in both],
        texts=[text for _, text in both],
        doubts=found.doubts,
        level=found.level,
        is_numbered=found.is_numbered,
    )


def _headline(block: Block) -> str:
    candidate = candidate_in(0, block)
    return candidate.headline if candidate else block.text


def _by_rules(blocks: Sequence[Block], decided: Mapping[int, Block]) -> Headlines:
    """`decided`: blocks that are headlines, by index; those that are numbered count among the others."""
    candidates = [candidate for index, block in enumerate(blocks) if (candidate := candidate_in(index, block))]
    form, length = dominant(candidates)
    by_look = _by_look(blocks)
    if by_look is not None and len(by_look.indices) > max(length, 1):
        _report_numbers(blocks, candidates, by_look)
        return by_look
    if not candidates:
        _refuse_bare_numbers(blocks)
        plain = by_look or _short_lines(blocks, is_confirmed=bool(decided))
        if plain is None and decided:
            return Headlines()
        if plain is None:
            raise DigestError(blocks[0].line, "no stories found; number each headline, as in “1. Headline”")
        return plain
    found = _Counter(blocks, candidates, form, decided).headlines()
    _report_unknown_forms(blocks, found)
    found.is_numbered = True
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
        return Headlines(indices=indices, texts=[blocks[index].text for index in indices], level=level)
    bold = [
        index
        for index, block in enumerate(blocks)
        if index and isinstance(block, Paragraph) and block.bold and len(block.text) <= MAX_HEADLINE
    ]
    bold = _without_closing(blocks, bold)
    return Headlines(indices=bold, texts=[blocks[index].text for index in bold]) if len(bold) > 1 else None


def _short_lines(blocks: Sequence[Block], *, is_confirmed: bool) -> Headlines | None:
    """Unnumbered lines that look like headings, each with text below it; reported unless somebody has confirmed one."""
    indices = [
        index
        for index in range(1, len(blocks) - 1)
        if type(blocks[index]) is Paragraph
        and looks_like_a_heading(blocks[index].text)
        and not looks_like_a_heading(blocks[index + 1].text)
    ]
    indices = _without_closing(blocks, indices)
    if len(indices) < 2 and not (indices and is_confirmed):
        return None
    texts = [blocks[index].text for index in indices]
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


def _without_closing(blocks: Sequence[Block], indices: list[int]) -> list[int]:
    return [index for index in indices if not phrases.CLOSING.fullmatch(blocks[index].text)]


def _report_numbers(blocks: Sequence[Block], candidates: Sequence[Candidate], chosen: Headlines) -> None:
    for candidate in candidates:
        if candidate.index not in chosen.indices and not isinstance(blocks[candidate.index], ListItem):
            chosen.doubts.append(_as_text(blocks, candidate))


def _report_unknown_forms(blocks: Sequence[Block], chosen: Headlines) -> None:
    """A line behind the last story that counts on, in a form that is none of ours."""
    following = len(chosen.indices) + 1
    for block in blocks[chosen.indices[-1] + 1 :] if chosen.indices else ():
        match = ANY_NUMBER.fullmatch(block.text) if len(block.text) < 200 else None
        if match and value_of(match["number"]) == following and looks_like_a_heading(match["rest"]):
            message = f"may be the headline of story {following}, but its number is written like no other; it was read as text"
            chosen.doubts.append(Doubt(line=block.line, text=block.text, message=message))
            following += 1


def _is_sentence(text: str) -> bool:
    return text.endswith((".", ".”", '."', "。")) and len(text.split()) >= 8


def _as_text(blocks: Sequence[Block], candidate: Candidate) -> Doubt:
    block = blocks[candidate.index]
    mark = candidate.form.replace("1", str(candidate.number))
    message = f"begins with “{mark}” but was read as text, not as a headline"
    return Doubt(line=block.line, text=written(block), message=message)


@dataclass
class _Counter:
    """Goes through numbered blocks in order and takes those that count on."""

    blocks: Sequence[Block]
    candidates: list[Candidate]
    form: str
    #: Headlines that a person named, by index.
    decided: Mapping[int, Block]
    found: Headlines = field(default_factory=Headlines)
    #: How many of those are not part of the count.
    uncounted: int = 0

    def headlines(self) -> Headlines:
        lists = self._lists()
        by_index = {candidate.index: candidate for candidate in self.candidates}
        for index, block in enumerate(self.blocks):
            candidate = by_index.get(index)
            if index in self.decided:
                self._take_decided(index, self.decided[index])
            elif candidate is None:
                self._refuse_bare(block)
            elif index in lists:
                if lists[index]:
                    self._doubt(
                        block,
                        f"a list that begins with {candidate.number} was read as a list inside story {len(self.found.indices)}; "
                        f"if these are headlines, count on from {self._expected}",
                    )
            else:
                self._take(candidate)
        if not self.found.indices:
            raise DigestError(self.blocks[0].line, "no stories found; number each headline, as in “1. Headline”")
        return self.found

    @property
    def _expected(self) -> int:
        return len(self.found.indices) - self.uncounted + 1

    def _take_decided(self, index: int, block: Block) -> None:
        candidate = candidate_in(index, block)
        counts = candidate is not None and candidate.number == self._expected
        if not counts or any(
            other.form == self.form and other.number == self._expected and other.index > index
            for other in self.candidates
        ):
            self.uncounted += 1
        self.found.indices.append(index)
        self.found.texts.append(_headline(block))

    def _doubt(self, block: Block, message: str) -> None:
        self.found.doubts.append(Doubt(line=block.line, text=written(block), message=message))

    def _lists(self) -> dict[int, bool]:
        """Blocks of lists inside stories: numbered items right behind each other that begin anew. True for the first."""
        lists: dict[int, bool] = {}
        run: list[Candidate] = []
        reached = 0
        for candidate in [*self.candidates, None]:
            if run and (
                candidate is None
                or candidate.index != run[-1].index + 1
                or candidate.number != run[-1].number + 1
                or candidate.form != run[-1].form
            ):
                if len(run) > 1 and run[0].number == 1 and reached:
                    lists |= {item.index: position == 0 for position, item in enumerate(run)}
                else:
                    reached = max(reached, *(item.number for item in run if item.form == self.form), 0)
                run = []
            if candidate is not None:
                run.append(candidate)
        return lists

    def _take(self, candidate: Candidate) -> None:
        block = self.blocks[candidate.index]
        if candidate.form != self.form:
            self._take_other_form(candidate)
        elif self._is_text(candidate):
            self.found.doubts.append(_as_text(self.blocks, candidate))
        elif candidate.number != self._expected:
            raise self._out_of_order(candidate)
        else:
            self._refuse_doubtful(candidate)
            if candidate.number > 1 and phrases.begins_with_month(candidate.headline):
                self._doubt(
                    block,
                    f"was read as the headline of story {candidate.number}, but may be a date; "
                    + _AS_TEXT.format(number=candidate.number),
                )
            self._add(candidate)

    def _take_other_form(self, candidate: Candidate) -> None:
        """A number in another form is a headline where the count needs it and it reads like one; it is always reported."""
        block = self.blocks[candidate.index]
        reads_like_one = not _is_sentence(candidate.headline) and len(candidate.headline) <= 120
        needed = candidate.number == self._expected and not any(
            other.form == self.form and other.number == candidate.number and other.index > candidate.index
            for other in self.candidates
        )
        if self.found.indices and needed and reads_like_one and self._has_text_below(candidate):
            mark = candidate.form.replace("1", str(candidate.number))
            self._doubt(
                block,
                f"was read as the headline of story {candidate.number}, though it begins with “{mark}” and others like “{self.form}”",
            )
            self._add(candidate)
        elif not isinstance(block, ListItem) or candidate.number == self._expected:
            self.found.doubts.append(_as_text(self.blocks, candidate))

    def _has_text_below(self, candidate: Candidate) -> bool:
        following = candidate.index + 1
        return following < len(self.blocks) and not any(other.index == following for other in self.candidates)

    def _add(self, candidate: Candidate) -> None:
        self.found.indices.append(candidate.index)
        self.found.texts.append(candidate.headline)

    def _refuse_bare(self, block: Block) -> None:
        bare = _BARE.fullmatch(block.text)
        if bare and int(bare["number"]) == self._expected:
            raise DigestError(block.line, f"number {bare['number']} has no headline; write it on the same line")

    def _is_text(self, candidate: Candidate) -> bool:
        """Whether a numbered block is plainly a sentence: it reads like one and the count goes on without it."""
        if not _is_sentence(written(self.blocks[candidate.index])) or self._expected == 1:
            return False
        return candidate.number != self._expected or any(
            later.index > candidate.index
            and later.number == candidate.number
            and not _is_sentence(written(self.blocks[later.index]))
            for later in self.candidates
        )

    def _refuse_doubtful(self, candidate: Candidate) -> None:
        block, number = self.blocks[candidate.index], self._expected
        text = written(block)
        if len(text) > MAX_HEADLINE:
            raise DigestError(
                block.line,
                f"the headline of story {number} has {len(text)} characters; "
                f"put an empty line behind the headline, or {_AS_TEXT.format(number=number)}",
            )
        sentences = any(_is_sentence(written(self.blocks[other])) for other in self.found.indices)
        if self.found.indices and _is_sentence(text) and not sentences:
            raise DigestError(
                block.line,
                f"“{start(text)}” may be a headline or a sentence: take the full stop away if it is story "
                f"{number}'s headline; {_AS_TEXT.format(number=number)}",
            )

    def _out_of_order(self, candidate: Candidate) -> DigestError:
        block, expected, number = self.blocks[candidate.index], self._expected, candidate.number
        as_text = _AS_TEXT.format(number=number)
        indices = self.found.indices
        if number < expected:
            first = self.blocks[indices[number - 1]].line if number else None
            again = f"number {number} again (first on line {first})" if first else "there is no story number 0"
            return DigestError(block.line, f"{again}: number this headline {expected}, or {as_text}")
        begin = indices[-1] + 2 if indices else 1
        nameless = [other for other in self.blocks[begin : candidate.index] if looks_like_a_heading(other.text)]
        hint = f"; line {nameless[-1].line} “{start(nameless[-1].text)}” may be its headline" if nameless else ""
        after = f"after {expected - 1} comes {number}" if indices else f"the first story is numbered {number}"
        missing = f"story {expected} is missing: {after}{hint}; number the headlines without gaps"
        return DigestError(block.line, f"{missing}, or {as_text}")
