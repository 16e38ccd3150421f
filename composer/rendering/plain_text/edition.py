"""The edition's parts in reading order: masthead, introduction, contents, numbered stories, closing, footer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from composer.content import (
    ButtonBlock,
    CorrectionBlock,
    DividerBlock,
    EditionContent,
    NoteBlock,
    SectionBlock,
    SponsorBlock,
    StoryBlock,
)
from composer.merge_tags import translate
from composer.rendering.plain_text.fragments import Footnotes, paragraphs
from composer.rendering.plain_text.layout import COLUMNS, fill, width
from composer.rendering.result import Links
from composer.rendering.view import Entry, View, view
from composer.sanitising import printable, rich_text

_RULE = "-" * COLUMNS


def plain_text(content: EditionContent, links: Links) -> str:
    """The whole edition; merge tags stand in it as `-ndFirstName-`."""
    writer = _Writer(view(content, links))
    parts = [*writer.masthead(), *writer.contents(), *writer.body(), *writer.closing(), *writer.footer()]
    return "\n\n".join(parts) + "\n"


@dataclass
class _Writer:
    view: View
    footnotes: Footnotes = field(default_factory=Footnotes)

    def masthead(self) -> Iterator[str]:
        edition = self.view.edition
        title = fill(plain(edition.title))
        underline = "=" * min(COLUMNS, max(width(line) for line in title.split("\n")))
        facts = fill(" · ".join(self.view.facts))
        name = plain(edition.publication.title)
        above = f"{fill(name.upper())}\n\n" if name and not plain(edition.title).startswith(name) else ""
        yield "\n".join(part for part in (f"{above}{title}", underline, facts) if part)
        if edition.web_url:
            yield f"{self.view.words.web_view}:\n{edition.web_url}"
        yield from self._rich(edition.introduction_html)

    def contents(self) -> Iterator[str]:
        stories = [entry for entry in self.view.entries if entry.number]
        if len(stories) > 1:
            lines = [self._numbered(entry) for entry in stories]
            yield "\n".join([self.view.words.contents.upper(), *lines])

    def body(self) -> Iterator[str]:
        for entry in self.view.entries:
            write: Callable[[Entry], Iterator[str]] = getattr(self, f"write_{entry.kind}")
            yield from write(entry)

    def closing(self) -> Iterator[str]:
        edition = self.view.edition
        call = edition.call_to_action
        if edition.closing_heading or edition.closing_html or call:
            yield _RULE
        if edition.closing_heading:
            yield fill(plain(edition.closing_heading).upper())
        yield from self._rich(edition.closing_html)
        if call:
            yield self._call(call.label, call.url)

    def footer(self) -> Iterator[str]:
        publication, words, links = self.view.edition.publication, self.view.words, self.view.links
        yield _RULE
        sender = [plain(publication.title), plain(publication.tagline), *publication.postal_address.splitlines()]
        yield "\n".join(fill(plain(line)) for line in sender if line.strip())
        yield fill(plain(words.reason.replace("{title}", publication.title)))
        yield f"{words.unsubscribe}:\n{links.unsubscribe}"
        if links.preferences:
            yield f"{words.preferences}:\n{links.preferences}"
        if publication.website:
            yield plain(publication.website)

    def write_story(self, entry: Entry) -> Iterator[str]:
        story = entry.block
        assert isinstance(story, StoryBlock)
        indent = " " * len(self._number(entry))
        yield self._numbered(entry) if entry.opens else f"{_RULE}\n\n{self._numbered(entry)}"
        if story.lede:
            yield fill(plain(story.lede), first=indent, rest=indent)
        yield from paragraphs(plain(rich_text(story.body_html)), self.footnotes, indent=indent)
        if story.source_name or story.source_url:
            yield self._source(story, indent)
        yield from self._notes(indent)

    def _source(self, story: StoryBlock, indent: str) -> str:
        mark = f" {self.footnotes.mark(plain(story.source_url))}" if story.source_url else ""
        name = plain(story.source_name)
        text = f"{self.view.words.source}: {name}{mark}" if name else f"{self.view.words.source}:{mark}"
        return fill(text, first=indent, rest=indent)

    def write_section(self, entry: Entry) -> Iterator[str]:
        assert isinstance(entry.block, SectionBlock)
        heading = fill(plain(entry.block.heading).upper())
        yield f"{'=' * COLUMNS}\n{heading}"

    def write_note(self, entry: Entry) -> Iterator[str]:
        assert isinstance(entry.block, NoteBlock)
        yield _RULE
        yield from self._rich(entry.block.body_html)

    def write_correction(self, entry: Entry) -> Iterator[str]:
        assert isinstance(entry.block, CorrectionBlock)
        yield f"{_RULE}\n\n{self.view.words.correction.upper()}"
        yield from self._rich(entry.block.body_html)

    def write_sponsor(self, entry: Entry) -> Iterator[str]:
        sponsor = entry.block
        assert isinstance(sponsor, SponsorBlock)
        yield f"{_RULE}\n\n{fill(f'{self.view.words.sponsor}: {plain(sponsor.name)}')}"
        yield from self._rich(sponsor.body_html)
        if sponsor.url:
            yield plain(sponsor.url)

    def write_button(self, entry: Entry) -> Iterator[str]:
        assert isinstance(entry.block, ButtonBlock)
        yield self._call(entry.block.label, entry.block.url)

    def write_divider(self, entry: Entry) -> Iterator[str]:
        assert isinstance(entry.block, DividerBlock)
        yield "* * *".center(COLUMNS).rstrip()

    def _call(self, label: str, url: str) -> str:
        text = plain(label)
        if not url:
            return fill(text)
        return f"{fill(text.rstrip(':') + ':')}\n{plain(url)}"

    def _rich(self, html: str) -> Iterator[str]:
        yield from paragraphs(plain(rich_text(html)), self.footnotes)
        yield from self._notes("")

    def _notes(self, indent: str) -> Iterator[str]:
        notes = self.footnotes.take()
        if notes:
            yield "\n".join(f"{indent}{note}" for note in notes)

    def _number(self, entry: Entry) -> str:
        digits = len(str(len(self.view.edition.stories)))
        return f"{entry.number:>{digits}}. "

    def _numbered(self, entry: Entry) -> str:
        assert isinstance(entry.block, StoryBlock)
        number = self._number(entry)
        return fill(plain(entry.block.headline), first=number, rest=" " * len(number))


def plain(text: str) -> str:
    return translate(printable(text), "text")[0]
