"""An edition with one of everything, to look at a theme with, and to try an editor's own before it is used."""

import datetime as dt
from dataclasses import replace
from typing import Literal

from composer.content import (
    Block,
    ButtonBlock,
    CallToAction,
    CorrectionBlock,
    DividerBlock,
    EditionContent,
    Image,
    NoteBlock,
    PublicationContent,
    SectionBlock,
    SponsorBlock,
    StoryBlock,
)

_PUBLICATION = PublicationContent(
    slug="harbour",
    title="The Harbour Letter",
    tagline="A week in the city, in ten minutes",
    from_name="The Harbour Letter",
    from_email="letter@harbour.example.com",
    postal_address="4 Quay Street\nPort Ellery 10442",
    website="https://harbour.example.com",
)


def _image(name: str, alt: str) -> Image:
    return Image(url=f"https://img.example.com/{name}.png", alt=alt, width=1200, height=675)


_BLOCKS: tuple[Block, ...] = (
    StoryBlock(
        key="quay",
        headline="Council closes the quay road to through traffic",
        lede="From May, the harbour belongs to trams, bicycles and people with time.",
        body_html=(
            "<p>The council voted <b>nine to four</b> after a night of speeches and "
            '<a href="https://example.com/plan">published the drawings</a> the same evening.</p>'
            "<blockquote><p>We have waited twenty years for a street that one can hear the sea from.</p></blockquote>"
            "<p>Deliveries stay possible before ten. The ferry keeps its lane.</p>"
        ),
        image=_image("quay", "The quay road at dusk, without cars"),
        source_name="Port Ellery Gazette",
        source_url="https://example.com/gazette",
    ),
    StoryBlock(
        key="trams",
        headline="Night trams start on three lines",
        lede="The last tram leaves at two instead of midnight.",
        body_html="<p>The trial costs less than feared, since the depot never closed at night anyway.</p>",
        image=_image("trams", "A lit tram at a stop by night"),
    ),
    StoryBlock(
        key="market",
        headline="The fish market gets its roof back",
        lede="Forty-one volunteers, nine weeks, one missing beam.",
        body_html="<p>The beam turned up in a barn and is being dried. Stalls reopen on Saturday.</p>",
        image=_image("market", "Scaffolding over market stalls"),
    ),
    SponsorBlock(
        key="bicycles",
        name="Ellery Bicycles",
        body_html="<p>Repairs while you wait, coffee while you wait longer.</p>",
        url="https://example.com/bikes",
        image=_image("bicycles", "Bicycles in a row"),
    ),
    SectionBlock(key="science", heading="Science"),
    StoryBlock(
        key="maps",
        headline="A robot learns to fold maps",
        lede="It needed 40,000 attempts, which is about as many as most of us.",
        body_html="<h3>What it cannot do</h3><ul><li>Fold them in wind</li><li>Admit that it is lost</li></ul>",
        source_name="Institute for Applied Geography",
    ),
    StoryBlock(
        key="gulls",
        headline="Gulls tell tourists from locals",
        lede="Whoever looks up is left alone.",
        body_html="<p>Three hundred bags of chips were lost in the course of the study.</p>",
    ),
    NoteBlock(key="note", body_html="<p><b>From the editors:</b> next week we come on Thursday.</p>"),
    DividerBlock(key="divider"),
    ButtonBlock(key="events", label="See all our events", url="https://example.com/events"),
    CorrectionBlock(key="correction", body_html="<p>The bridge opened in 1931, not in 1913.</p>"),
)


def specimen(*, language: str = "en", direction: Literal["ltr", "rtl"] = "ltr", images: bool = True) -> EditionContent:
    """The edition; without images, as it is where there are none."""
    blocks = _BLOCKS if images else tuple(map(_without_image, _BLOCKS))
    return EditionContent(
        publication=replace(_PUBLICATION, language=language, direction=direction),
        title="A quieter quay, and trams at night",
        subject="A quieter quay, and trams at night",
        preheader="And a robot that folds maps",
        number=118,
        date=dt.date(2026, 4, 14),
        introduction_html=(
            '<p>Good morning, {{ first_name | default: "reader" }}. The city takes a street back this week, '
            "and a robot has learned what none of us ever did.</p>"
        ),
        closing_heading="Until next week",
        closing_html="<p>Write to us: we read everything, even what is in capitals.</p>",
        call_to_action=CallToAction(label="Read the full budget", url="https://example.com/budget"),
        blocks=blocks,
        web_url="https://harbour.example.com/harbour/118/",
    )


def _without_image(block: Block) -> Block:
    return replace(block, image=None) if isinstance(block, StoryBlock | SponsorBlock) else block
