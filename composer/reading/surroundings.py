"""What pages, mails and chats put around a digest, taken away: each line of it is reported as dropped, with the reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from composer.reading import phrases
from composer.reading.characters import cut
from composer.reading.document import Block, Dropped, Heading, Image, Paragraph, Rule
from composer.reading.numbers import candidate_in, looks_like_a_heading, written

_LONGEST_SIGNATURE = 9
#: Blocks above the header of a forwarded mail: what somebody wrote about it.
_LONGEST_NOTE = 8
#: Blocks at the top of a page among which its menu is.
_LONGEST_MENU = 25
_LONGEST_FOOTER = 14
_NAME_AND_TIME = re.compile(
    r"[^\W\d_][\w.’' -]{1,40}? (?:(?:today|yesterday) at )?\d{1,2}:\d{2}(?: ?[ap]\.?m\.?)?", re.IGNORECASE
)


@dataclass
class Surroundings:
    """Takes the surroundings of a document away, one kind after the other."""

    blocks: list[Block]
    #: What the header of a mail within the text says the title is.
    subject: Block | None = None
    dropped: list[Dropped] = field(default_factory=list)

    def take_away(self) -> None:
        self._signature()
        self._mail_footer()
        self._chat_header()
        self._menu()
        self._furniture()
        self._mail_header()
        self._images_above_the_title()

    def _drop(self, blocks: Sequence[Block], reason: str) -> None:
        self.dropped += [Dropped(line=block.line, text=cut(written(block)), reason=reason) for block in blocks]

    def _signature(self) -> None:
        """A mail's end behind “-- ” (RFC 3676, 4.3), if it is short."""
        at = next((index for index, block in enumerate(self.blocks) if block.text == "--"), len(self.blocks))
        signature = self.blocks[at:]
        if len(signature) <= _LONGEST_SIGNATURE and all(len(block.text) <= 120 for block in signature):
            self._drop(signature, "a mail's signature")
            del self.blocks[at:]

    def _mail_footer(self) -> None:
        """Why somebody gets a mail and how to get it no longer: short lines at its end, one of which says how to leave."""
        begin = max(1, len(self.blocks) - _LONGEST_FOOTER)
        at = next((i for i in range(begin, len(self.blocks)) if phrases.MAIL_FOOTER.match(self.blocks[i].text)), None)
        footer = self.blocks[at:] if at is not None else []
        if any(phrases.LEAVING.search(block.text) for block in footer) and all(len(b.text) <= 200 for b in footer):
            self._drop(footer, "the footer of the mail")
            del self.blocks[at:]

    def _chat_header(self) -> None:
        """Who wrote it in a chat, and when: “Ada Lovelace 9:41 AM”, on one line or two, above what could be a title."""
        for count in (1, 2):
            head = " ".join(block.text for block in self.blocks[:count])
            is_one = len(head) <= 60 and _NAME_AND_TIME.fullmatch(head)
            below = self.blocks[count : count + 1]
            if is_one and below and (isinstance(below[0], Heading) or looks_like_a_heading(below[0].text)):
                self._drop(self.blocks[:count], "who wrote it in a chat, and when")
                del self.blocks[:count]
                return

    def _menu(self) -> None:
        """Short lines between two of a page's navigation at its top, if what follows could be a title."""
        places = [
            index
            for index, block in enumerate(self.blocks[:_LONGEST_MENU])
            if phrases.furniture(block.text) == phrases.NAVIGATION
        ]
        if len(places) < 2:
            return
        first, last = places[0], places[-1]
        menu = [block for block in self.blocks[first : last + 1] if not phrases.furniture(block.text)]
        following = self.blocks[last + 1 : last + 2]
        is_menu = all(len(block.text.split()) <= 3 and looks_like_a_heading(block.text) for block in menu)
        is_title = bool(following) and (
            isinstance(following[0], Heading) or looks_like_a_heading(following[0].text) or first > 0
        )
        if is_menu and is_title:
            self._drop(menu, phrases.NAVIGATION)
            self.blocks = [block for block in self.blocks if not any(block is item for item in menu)]

    def _furniture(self) -> None:
        kept: list[Block] = []
        sharing = False
        tail = self._tail()
        for index, block in enumerate(self.blocks):
            reason = phrases.furniture(block.text)
            if not reason and phrases.is_networks(block.text) and (sharing or index >= tail):
                reason = "sharing on networks"
            if not reason and index >= tail:
                reason = phrases.furniture_at_the_end(block.text)
            if isinstance(block, Rule):
                reason = "a line across the page"
            sharing = reason == "sharing on networks"
            if reason:
                self._drop([block], reason)
            else:
                kept.append(block)
        self.blocks = kept

    def _tail(self) -> int:
        """Where the page begins again behind the text."""
        tail = len(self.blocks)
        while tail:
            block = self.blocks[tail - 1]
            if not (
                isinstance(block, Rule)
                or phrases.furniture(block.text)
                or phrases.is_networks(block.text)
                or phrases.furniture_at_the_end(block.text)
            ):
                break
            tail -= 1
        return tail

    def _mail_header(self) -> None:
        """Takes the subject, drops the other lines of a mail's header and what somebody wrote above it."""
        begin = self._begin_of_header()
        matches = []
        for block in self.blocks[begin:]:
            match = phrases.MAIL_HEADER.fullmatch(block.text)
            if not match:
                break
            matches.append((block, match))
        names = [match["name"].casefold() for _, match in matches]
        if not any(name in phrases.SUBJECT for name in names):
            return
        # Below somebody's note it must be certain that it is a header.
        has_address = any("@" in match["value"] for _, match in matches)
        if begin and (len(names) < 3 or not has_address or any(map(_is_numbered, self.blocks[:begin]))):
            return
        self._drop(self.blocks[:begin], "written above the forwarded mail")
        for block, match in matches:
            if match["name"].casefold() in phrases.SUBJECT and self.subject is None and match["value"]:
                text = phrases.FORWARDED.sub("", match["value"]) or match["value"]
                self.subject = Paragraph(line=block.line, text=text)
            else:
                self._drop([block], "the header of a mail")
        del self.blocks[: begin + len(matches)]

    def _begin_of_header(self) -> int:
        for index, block in enumerate(self.blocks[: _LONGEST_NOTE + 1]):
            if phrases.MAIL_HEADER.fullmatch(block.text):
                return index
        return 0

    def _images_above_the_title(self) -> None:
        """A logo is no title."""
        while len(self.blocks) > 1 and isinstance(self.blocks[0], Image):
            image = self.blocks.pop(0)
            assert isinstance(image, Image)
            self._drop([image], f"an image ({cut(image.url, 80)}): add it at the desk")


def _is_numbered(block: Block) -> bool:
    return candidate_in(0, block) is not None


def without_surroundings(blocks: Sequence[Block]) -> Surroundings:
    """The text itself, the subject that a mail's header within it names, and what was dropped."""
    found = Surroundings(blocks=list(blocks))
    found.take_away()
    return found
