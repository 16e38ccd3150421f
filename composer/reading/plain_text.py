"""Plain text to blocks: a line is a paragraph unless the text was wrapped; empty lines, bullets and rules are seen."""

import re
from dataclasses import replace

from composer.reading.characters import LINE_BREAKS, clean
from composer.reading.document import Block, Document, LinkLine, ListItem, Paragraph, Rule
from composer.reading.inline import as_html, links_in, urls_in
from composer.reading.phrases import furniture
from composer.reading.wrapping import continues, wrapped_at

#: A dash that also ends the line is a frame: “— Culture —”.
BULLET = re.compile(r"(?!(?P<frame>[*–—-])\s.{1,80}\s(?P=frame)\Z)(?P<sign>[•●▪◦‣⁃∙■○➢➤✓✔]|[·*+–—-](?=\s))\s*(?=\S)")
_RULE = re.compile(r"(?:[-–—_=*~#]\s?){3,200}|⁂|✦|❦")


def read(text: str) -> Document:
    return Document(format="text", blocks=tuple(blocks(text)))


def blocks(text: str, *, line: int = 1) -> list[Block]:
    """The blocks of a text whose first line has this number."""
    numbered: list[tuple[int, str, int, bool]] = []
    for offset, whole in enumerate(text.split("\n")):
        for part in LINE_BREAKS.split(whole):
            written = clean(part)
            numbered.append((line + offset, written, _indent(part), bool(furniture(written))))
    # What the page adds to the text was not wrapped with it.
    width = wrapped_at(["" if is_furniture else written for _, written, _, is_furniture in numbered])
    found: list[Block] = []
    previous = ""
    # A block's lines are collected and joined once: a paragraph of many lines takes linear time.
    pending: list[str] = []
    for number, written, indent, is_furniture in numbered:
        if not written:
            previous = ""
            continue
        begins = is_furniture or BULLET.match(written) or _RULE.fullmatch(written)
        goes_on = previous and len(found) > 1 and not begins and _joins(found[-1], previous, written, width, indent)
        if goes_on:
            pending.append(written)
        else:
            _finish(found, pending)
            block = block_of(written, line=number)
            found.append(block)
            pending = [block.text]
        previous = "" if is_furniture else written
    _finish(found, pending)
    return found


def block_of(text: str, *, line: int) -> Block:
    """One line as a block."""
    if _RULE.fullmatch(text):
        return Rule(line=line, text=text)
    bullet = BULLET.match(text)
    if bullet:
        rest = text[bullet.end() :]
        return ListItem(line=line, text=rest, html=as_html(rest), marker=bullet["sign"])
    return paragraph(text, line=line)


def paragraph(text: str, *, line: int) -> Block:
    spans = links_in(text) if "://" in text or text[:4].lower() == "www." else []
    if spans == [(0, len(text))]:
        return LinkLine(line=line, text=text, html=as_html(text), url=urls_in(text)[0])
    return Paragraph(line=line, text=text, html=as_html(text))


def _joins(above: Block, previous: str, written: str, width: int, indent: int) -> bool:
    if isinstance(above, Rule | LinkLine):
        return False
    if isinstance(above, ListItem) and indent:
        return True
    return continues(previous, written, width)


def _finish(found: list[Block], pending: list[str]) -> None:
    if len(pending) > 1:
        text = " ".join(pending)
        found[-1] = replace(found[-1], text=text, html=as_html(text))


def _indent(part: str) -> int:
    return len(part) - len(part.lstrip(" \t"))
