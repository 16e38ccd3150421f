"""A document to a digest, for all formats: title, introduction, sections, stories, closing, call to action.

Every block of the document is in the digest, in the report as dropped with the reason, or the document is refused by its line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from composer.reading import phrases
from composer.reading.call_to_action import call_to_action_in
from composer.reading.characters import cut
from composer.reading.counting import Headlines
from composer.reading.decisions import NO_DECISIONS, Decisions
from composer.reading.document import (
    Block,
    Document,
    Doubt,
    Dropped,
    Heading,
    Image,
    Paragraph,
)
from composer.reading.errors import DigestError
from composer.reading.headlines import find_headlines, unescaped
from composer.reading.languages import direction_of, language_of
from composer.reading.numbers import looks_like_a_heading, with_numbers_joined, written
from composer.reading.result import Digest, DigestCall, DigestSection, DigestStory, Report, split_lede
from composer.reading.section_headings import could_be_section, is_decorated, is_section, without_frame
from composer.reading.story_source import BARE_URL, or_the_headlines_link, without_source
from composer.reading.surroundings import without_surroundings


def interpret(document: Document, encoding: str, decisions: Decisions = NO_DECISIONS) -> Digest:
    """Raises DigestError where the document cannot be read without guessing or losing text, or a decision is about no line."""
    return _Interpreter(document, encoding, decisions).digest()


@dataclass
class _Interpreter:
    document: Document
    encoding: str
    decisions: Decisions
    dropped: list[Dropped] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    sections: list[DigestSection] = field(default_factory=list)
    #: Of numbered headlines or of sections that are headings, the lowest of their levels; 0 where none are.
    heading_level: int = 0

    def digest(self) -> Digest:
        self.dropped += self.document.dropped
        self.doubts += self.document.doubts
        text = without_surroundings(self.document.blocks)
        self.dropped += text.dropped
        blocks = with_numbers_joined(text.blocks)
        if not blocks:
            raise DigestError(1, "the file is empty; a digest has a title and numbered stories")
        self._refuse_decisions_about_nothing(blocks)
        headlines = find_headlines(blocks, self.decisions)
        self.doubts += headlines.doubts
        title, blocks, headlines = self._title(text.subject, blocks, headlines)
        starts = headlines.indices
        closing = phrases.closing_in([block.text for block in blocks], starts[-1] + 2)
        end = len(blocks) if closing is None else closing
        bodies = [blocks[start + 1 : stop] for start, stop in zip(starts, [*starts[1:], end], strict=True)]
        introduction = self._introduction(blocks[: starts[0]])
        if headlines.is_numbered:
            levels = [block.level for start in starts if isinstance(block := blocks[start], Heading)]
            self.heading_level = min(levels) if len(levels) == len(starts) else 0
        self._take_sections(introduction, bodies, headlines.level)
        stories = tuple(
            self._story(number, blocks[start], headline, body)
            for number, (start, headline, body) in enumerate(zip(starts, headlines.texts, bodies, strict=True), start=1)
        )
        heading, closing_blocks, call = self._closing(blocks[end:])
        return Digest(
            title=title,
            introduction_blocks=tuple(introduction),
            stories=stories,
            sections=tuple(self.sections),
            closing_heading=heading,
            closing_blocks=tuple(closing_blocks),
            call_to_action=call,
            report=self._report(blocks, len(stories)),
            is_numbered=headlines.is_numbered,
        )

    def _report(self, blocks: Sequence[Block], stories: int) -> Report:
        text = " ".join(block.text for block in blocks)
        return Report(
            format=self.document.format,
            encoding=self.encoding,
            language=language_of(text),
            direction=direction_of(text),
            stories=stories,
            sections=len(self.sections),
            dropped=tuple(sorted(self.dropped, key=lambda one: one.line)),
            doubts=tuple(
                sorted((one for one in self.doubts if one.line not in self.decisions), key=lambda one: one.line)
            ),
        )

    def _refuse_decisions_about_nothing(self, blocks: Sequence[Block]) -> None:
        lines = {block.line for block in blocks}
        for line, decision in sorted(self.decisions.items()):
            if line not in lines:
                raise DigestError(line, f"it was decided to be a {decision}, but no paragraph begins on this line")

    def _drop(self, block: Block, reason: str) -> None:
        self.dropped.append(Dropped(line=block.line, text=cut(written(block)), reason=reason))

    # Title and introduction

    def _title(
        self, subject: Block | None, blocks: list[Block], headlines: Headlines
    ) -> tuple[str, list[Block], Headlines]:
        """The title, and the blocks with one in front of the introduction in any case."""
        if subject is not None:
            if blocks[0].text.casefold() == subject.text.casefold() and headlines.indices[0] > 0:
                self._drop(blocks[0], "the title, which the mail's subject has already")
                return subject.text, blocks, headlines
        elif headlines.indices[0] > 0 and not self._is_below_a_subject(blocks[0]):
            self._drop_subject_beside(blocks[0])
            return unescaped(blocks[0].text), blocks, headlines
        elif self.document.title:
            subject = Paragraph(line=self.document.title_line, text=self.document.title)
        else:
            raise DigestError(blocks[0].line, "no title; write it on a line of its own above the first story")
        shifted = replace(headlines, indices=[index + 1 for index in headlines.indices])
        return subject.text, [subject, *blocks], shifted

    def _is_below_a_subject(self, first: Block) -> bool:
        """Whether a mail or a note begins with its text, so that its subject or its property is the title.

        The title of a page is often its site's.
        """
        is_title = isinstance(first, Heading) or looks_like_a_heading(first.text)
        return self.document.format != "html" and bool(self.document.title) and not is_title

    def _drop_subject_beside(self, title: Block) -> None:
        own = self.document.title
        if self.document.format == "eml" and own and own.casefold() != title.text.casefold():
            reason = "the mail's subject: the text has its own title"
            self.dropped.append(Dropped(line=self.document.title_line, text=cut(own), reason=reason))

    def _introduction(self, blocks: Sequence[Block]) -> list[Block]:
        """What stands between title and first story, without bylines and dates."""
        introduction: list[Block] = []
        for block in blocks[1:]:
            reason = phrases.above_the_text(block.text) if type(block) is Paragraph else ""
            if reason:
                self._drop(block, reason)
            elif isinstance(block, Image):
                self._drop(block, f"an image ({cut(block.url, 80)}): add it at the desk")
            else:
                introduction.append(block)
        return introduction

    # Sections

    def _take_sections(self, introduction: list[Block], bodies: list[list[Block]], level: int) -> None:
        """Headings right above a headline open sections; they are taken out of what stands before them."""
        before = [introduction, *bodies[:-1]]
        open_ends = [bool(part) and self.decisions.get(part[-1].line) != "text" for part in before]
        likely = [is_open and could_be_section(part[-1]) for part, is_open in zip(before, open_ends, strict=True)]
        certain = [is_open and is_section(part[-1], level) for part, is_open in zip(before, open_ends, strict=True)]
        several = sum(likely) > 1 and any(likely[1:])
        # “📍 Quay Road” at the end of stories is a place; where such a line also stands above the first story it is a section.
        decorated = [could_be and is_decorated(part[-1]) for part, could_be in zip(before, likely, strict=True)]
        several = several and (decorated[0] or not any(decorated))
        for number, (part, could_be, is_certain) in enumerate(zip(before, likely, certain, strict=True), start=1):
            alone = number > 1 and len(part) < 2
            if is_certain or (could_be and several and not alone):
                block = part.pop()
                if isinstance(block, Heading) and not level:
                    self.heading_level = max(self.heading_level, block.level)
                self.sections.append(DigestSection(heading=without_frame(block.text), line=block.line, before=number))
                if not is_certain and not likely[0]:
                    # A name at the end of some stories may be who wrote them.
                    message = f"was read as the heading of a section above story {number}; write it in one paragraph with what it belongs to if it is none"
                    self.doubts.append(Doubt(line=block.line, text=block.text, message=message))
            elif could_be and number > 1 and not alone:
                message = (
                    f"stands at the end of story {number - 1} and looks like the heading of a section; "
                    "write it in capitals, or as a heading, if it is one"
                )
                self.doubts.append(Doubt(line=part[-1].line, text=part[-1].text, message=message))

    # Stories

    def _story(self, number: int, headline: Block, text: str, body: list[Block]) -> DigestStory:
        blocks: list[Block] = []
        for block in body:
            if isinstance(block, Image):
                self._drop(block, f"an image ({cut(block.url, 80)}): add it to story {number} at the desk")
            else:
                blocks.append(block)
        while len(blocks) > 1 and type(blocks[0]) is Paragraph and phrases.above_the_text(blocks[0].text):
            self._drop(blocks[0], phrases.above_the_text(blocks[0].text))
            blocks = blocks[1:]
        blocks, source = without_source(blocks)
        source = or_the_headlines_link(source, headline)
        self.dropped += source.dropped
        if not blocks:
            raise DigestError(
                headline.line, f"story {number} has no text; write at least one paragraph under its headline"
            )
        if BARE_URL.match(text):
            message = f"the headline of story {number} is an address; write what the story is called"
            self.doubts.append(Doubt(line=headline.line, text=text, message=message))
        elif BARE_URL.search(text):
            message = f"the headline of story {number} has an address in it; put it under the story as its source"
            self.doubts.append(Doubt(line=headline.line, text=text, message=message))
        lede, rest = split_lede(blocks)
        story = DigestStory(
            number=number,
            headline=text,
            lede=lede,
            body=rest,
            line=headline.line,
            source_name=source.name,
            source_url=source.url,
        )
        self._report_small_headings(story)
        return story

    def _report_small_headings(self, story: DigestStory) -> None:
        """A headline that lost its number reads like a small heading: somebody should look."""
        for index in story.subheadings:
            block = story.body[index]
            if not isinstance(block, Heading) or block.level <= self.heading_level:
                message = f"“{block.text}” was read as a small heading inside story {story.number}; number it if it is a headline"
                self.doubts.append(Doubt(line=block.line, text=block.text, message=message))

    # Closing

    def _closing(self, part: list[Block]) -> tuple[str, list[Block], DigestCall | None]:
        if not part:
            return "", [], None
        has_heading = phrases.is_closing(part[0].text) or isinstance(part[0], Heading)
        rest = []
        for block in part[1:] if has_heading else part:
            if isinstance(block, Image):
                self._drop(block, f"an image ({cut(block.url, 80)}): add it at the desk")
            else:
                rest.append(block)
        call = call_to_action_in(rest[-1]) if rest else None
        return part[0].text if has_heading else "", rest[:-1] if call else rest, call
