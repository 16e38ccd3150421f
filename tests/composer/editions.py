"""Editions for tests: a small valid one, and one with every kind of block."""

import datetime as dt
from dataclasses import replace
from typing import Any

from composer.content import (
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

PUBLICATION = PublicationContent(
    slug="harbour",
    title="The Harbour Letter",
    tagline="A week in the city, in ten minutes",
    from_name="The Harbour Letter",
    from_email="letter@harbour.example.com",
    postal_address="4 Quay Street\nPort Ellery 10442",
    website="https://harbour.example.com",
)


def make_story(key: str = "s1", **fields: Any) -> StoryBlock:
    given = {"headline": f"Headline {key}", "lede": "A lede.", "body_html": "<p>Some text.</p>", **fields}
    return StoryBlock(key=key, **given)


def make_edition(*blocks: Any, **fields: Any) -> EditionContent:
    given = {
        "publication": PUBLICATION,
        "title": "Trams at night",
        "subject": "Trams at night",
        "preheader": "And a quieter quay",
        "blocks": blocks or (make_story(),),
        **fields,
    }
    return EditionContent(**given)


def every_block(*, language: str = "en", direction: str = "ltr") -> EditionContent:
    publication = replace(PUBLICATION, language=language, direction=direction)  # type: ignore[arg-type]
    body = (
        '<p>The council voted <b>nine to four</b> and <a href="https://example.com/plan?a=1&b=2">published the drawings'
        "</a> the same evening.</p><h3>What changes</h3><ul><li>Two lanes become one</li><li>Trams run until midnight on "
        "all days of the week, Sundays included, for the whole of the trial</li></ul>"
        "<blockquote><p>We have waited twenty years for this.</p></blockquote>"
    )
    image = Image(url="https://img.example.com/quay.jpg", alt="The quay road at dusk", width=1200, height=630)
    return make_edition(
        SectionBlock(key="k0", heading="The city"),
        make_story(
            "k1",
            headline="Council closes the quay road",
            body_html=body,
            image=image,
            source_name="Port Ellery Gazette",
            source_url="https://example.com/gazette",
        ),
        SponsorBlock(
            key="k2",
            name="Ellery Bicycles",
            body_html="<p>Repairs while you wait.</p>",
            url="https://example.com/bikes",
            image=image,
        ),
        make_story("k3", headline="Night trams start on three lines"),
        NoteBlock(key="k4", body_html="<p><b>From the editors:</b> next week we come on Thursday.</p>"),
        DividerBlock(key="k5"),
        SectionBlock(key="k6", heading="Science"),
        make_story("k7", headline="A robot learns to fold maps", source_name="Institute for Applied Geography"),
        ButtonBlock(key="k8", label="See all our events", url="https://example.com/events"),
        CorrectionBlock(key="k9", body_html="<p>The bridge opened in 1931, not in 1913.</p>"),
        publication=publication,
        number=118,
        date=dt.date(2025, 10, 14),
        subject='Trams at night, {{ first_name | default: "reader" }}',
        introduction_html='<p>Good morning {{ first_name | default: "reader" }}. A short week.</p>',
        closing_heading="Wrapping Up",
        closing_html="<p>Write to us.</p>",
        call_to_action=CallToAction(label="Read the full budget", url="https://example.com/budget"),
        web_url="https://harbour.example.com/harbour/118/",
    )
