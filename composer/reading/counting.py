"""Numbered headlines: those that count on from 1 are taken, one after the other; what breaks the count is refused."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from composer.reading import phrases
from composer.reading.characters import start
from composer.reading.document import Block, Doubt, ListItem
from composer.reading.errors import DigestError
from composer.reading.numbers import Candidate, candidate_in, looks_like_a_heading, written

MAX_HEADLINE = 300
_BARE = re.compile(r"(?P<number>\d{1,3})\s*[.)]")
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


def headline_of(block: Block) -> str:
    candidate = candidate_in(0, block)
    return candidate.headline if candidate else block.text


def read_as_text(blocks: Sequence[Block], candidate: Candidate) -> Doubt:
    block = blocks[candidate.index]
    mark = candidate.form.replace("1", str(candidate.number))
    message = f"begins with “{mark}” but was read as text, not as a headline"
    return Doubt(line=block.line, text=written(block), message=message)


def _is_sentence(text: str) -> bool:
    return text.endswith((".", ".”", '."', "。")) and len(text.split()) >= 8


@dataclass
class Counter:
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
                    self._doubt(block, self._list_inside(candidate))
            else:
                self._take(candidate)
        if not self.found.indices:
            raise DigestError(self.blocks[0].line, "no stories found; number each headline, as in “1. Headline”")
        return self.found

    @property
    def _expected(self) -> int:
        return len(self.found.indices) - self.uncounted + 1

    def _list_inside(self, candidate: Candidate) -> str:
        stories = len(self.found.indices)
        where = f"inside story {stories}" if stories else "of the introduction"
        what = f"a list that begins with {candidate.number} was read as a list {where}"
        return f"{what}; if these are headlines, {f'count on from {self._expected}' if stories else 'write text below each'}"

    def _take_decided(self, index: int, block: Block) -> None:
        candidate = candidate_in(index, block)
        counts = candidate is not None and candidate.number == self._expected
        if not counts or any(
            other.form == self.form and other.number == self._expected and other.index > index
            for other in self.candidates
        ):
            self.uncounted += 1
        self.found.indices.append(index)
        self.found.texts.append(headline_of(block))

    def _doubt(self, block: Block, message: str) -> None:
        self.found.doubts.append(Doubt(line=block.line, text=written(block), message=message))

    def _lists(self) -> dict[int, bool]:
        """Blocks of lists inside stories: numbered items right behind each other that begin anew. True for the first."""
        lists: dict[int, bool] = {}
        run: list[Candidate] = []
        begun = False
        for candidate in [*self.candidates, None]:
            if run and (
                candidate is None
                or candidate.index != run[-1].index + 1
                or candidate.number != run[-1].number + 1
                or candidate.form != run[-1].form
            ):
                if len(run) > 1 and run[0].number == 1 and (begun or run[-1].index < self._last_beginning):
                    lists |= {item.index: position == 0 for position, item in enumerate(run)}
                else:
                    begun = begun or any(item.form == self.form for item in run)
                run = []
            if candidate is not None:
                run.append(candidate)
        return lists

    @cached_property
    def _numbered(self) -> frozenset[int]:
        return frozenset(candidate.index for candidate in self.candidates)

    @cached_property
    def _last_beginning(self) -> int:
        """Where the last headline with number 1 and text below it is. A list above it is a table of contents; -1 where none is."""
        return max(
            (
                one.index
                for one in self.candidates
                if one.number == 1 and one.form == self.form and self._has_text_below(one)
            ),
            default=-1,
        )

    def _take(self, candidate: Candidate) -> None:
        block = self.blocks[candidate.index]
        if candidate.form != self.form:
            self._take_other_form(candidate)
        elif self._is_text(candidate):
            self.found.doubts.append(read_as_text(self.blocks, candidate))
        elif candidate.number != self._expected:
            raise self._out_of_order(candidate)
        else:
            self._refuse_doubtful(candidate)
            if candidate.number > 1 and candidate.form == "1." and phrases.begins_with_month(candidate.headline):
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
            self.found.doubts.append(read_as_text(self.blocks, candidate))

    def _has_text_below(self, candidate: Candidate) -> bool:
        following = candidate.index + 1
        return following < len(self.blocks) and following not in self._numbered

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
