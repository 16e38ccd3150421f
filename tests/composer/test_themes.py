"""What holds for every theme that comes with Newsdesk, with every sample, in both reading directions."""

from dataclasses import replace
from typing import Any, Literal

import pytest
from lxml import html as lxml_html

from composer import digest as digests
from composer.checks import check
from composer.colours import READABLE, contrast, on, readable
from composer.content import Brand, EditionContent, Image, StoryBlock
from composer.contrast import faint
from composer.rendering import RenderingError, render, theme_names
from composer.rendering.themes import theme
from newsdesk.core.paths import samples_dir
from tests.composer.editions import PUBLICATION, every_block, make_edition, make_story

pytestmark = pytest.mark.integration

THEMES = theme_names()
SAMPLES = sorted(path.stem for path in samples_dir().glob("*.txt"))
LIMITS = {"digest": 60_000, "magazine": 60_000, "briefing": 30_000}


def sample(name: str, direction: Literal["ltr", "rtl"] = "ltr", *, images: bool = False) -> EditionContent:
    publication = replace(PUBLICATION, direction=direction, language="ar" if direction == "rtl" else "en")
    content = digests.content(digests.parse((samples_dir() / f"{name}.txt").read_bytes()), publication, number=118)
    if not images:
        return content
    image = Image(url="https://img.example.com/mail/0123456789abcdef.jpg", alt="The quay road at dusk", width=1200)
    blocks = (replace(block, image=image) if isinstance(block, StoryBlock) else block for block in content.blocks)
    return replace(content, blocks=tuple(blocks))


def branded(content: EditionContent, **brand: Any) -> EditionContent:
    return replace(content, publication=replace(content.publication, brand=Brand(**brand)))


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("chosen", THEMES)
def test_no_sample_has_an_error(chosen: str, name: str, direction: Literal["ltr", "rtl"]) -> None:
    for images in (False, True):
        content = sample(name, direction, images=images)
        rendering = render(content, theme=chosen)
        assert [problem for problem in check(content, rendering) if problem.level == "error"] == []
        assert list(faint(rendering.html)) == []


@pytest.mark.parametrize("chosen", THEMES)
@pytest.mark.parametrize("accent", ["", "#ffe600", "#ffffff", "#000", "#7f7f7f", "#e60000", "#00a0ff"])
def test_every_text_can_be_read_whatever_the_accent(chosen: str, accent: str) -> None:
    for content in (every_block(), every_block(language="ar", direction="rtl")):
        html = render(branded(content, accent=accent), theme=chosen).html
        assert [str(text) for text in faint(html)] == []


@pytest.mark.parametrize("chosen", THEMES)
def test_twelve_stories_stay_small(chosen: str) -> None:
    content = sample("technology-week", images=chosen != "briefing")

    assert len(content.stories) == 12
    assert len(render(content, theme=chosen).html.encode()) <= LIMITS[chosen]


@pytest.mark.parametrize("chosen", THEMES)
@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl")])
def test_every_block_is_shown_in_order(chosen: str, language: str, direction: str) -> None:
    html = render(every_block(language=language, direction=direction), theme=chosen).html
    page = lxml_html.document_fromstring(html)
    text = " ".join(page.xpath("string(//body)").split())
    text = text[text.index("A short week.") :]
    if chosen == "briefing":
        text = text[text.index("The city") :]

    places = [
        text.index(words)
        for words in (
            *("The city", "Council closes the quay road", "Ellery Bicycles", "Night trams start", "From the editors:"),
            *("Science", "A robot learns to fold maps", "See all our events", "The bridge opened in 1931"),
            *("Wrapping Up", "Read the full budget", "4 Quay Street"),
        )
    ]
    assert places == sorted(places)
    assert page.xpath("//*[@role='separator']")
    assert [heading.tag for heading in page.xpath("//h1|//h2|//h3|//h4")] == [
        "h1",
        "h2",
        "h3",
        "h4",
        "h3",
        "h2",
        "h3",
        "h2",
    ]
    assert f"direction:{'rtl' if direction == 'ltr' else 'ltr'}" not in html


def test_the_briefing_lists_its_contents_with_anchors() -> None:
    page = lxml_html.document_fromstring(render(every_block(), theme="briefing").html)

    targets = page.xpath("//ol/li/a/@href")
    assert targets == ["#s-k1", "#s-k3", "#s-k7"]
    assert all(page.xpath(f"//*[@id='{target[1:]}']") for target in targets)


@pytest.mark.parametrize("chosen", THEMES)
@pytest.mark.parametrize(("width", "height", "most"), [(40, 40, 40), (1000, 3500, 188), (1200, 675, 600)])
def test_no_picture_is_blown_up_or_fills_the_screen(chosen: str, width: int, height: int, most: int) -> None:
    image = Image(url="https://img.example.com/a.png", alt="The quay at dusk", width=width, height=height)
    page = lxml_html.document_fromstring(render(make_edition(make_story("k1", image=image)), theme=chosen).html)

    assert all(0 < int(shown) <= most for shown in page.xpath("//img[contains(@src, 'a.png')]/@width"))


def test_the_magazine_puts_briefs_in_pairs_after_its_hero() -> None:
    content = make_edition(*(make_story(f"s{number}") for number in range(6)))
    page = lxml_html.document_fromstring(render(content, theme="magazine").html)

    columns = page.xpath("//div[contains(@class, 'mj-column-per-50')]")
    assert [column.xpath("string(.//h2)") for column in columns] == [f"Headline s{n}" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("chosen", THEMES)
def test_a_brand_is_the_publications(chosen: str) -> None:
    logo = Image(url="https://img.example.com/logo.png", width=300, height=72)
    brand = {
        "accent": "#6a1b9a",
        "text_font": "Verdana, sans-serif",
        "heading_font": "Courier, monospace",
        "radius": 11,
    }
    html = render(branded(every_block(), logo=logo, **brand), theme=chosen).html

    assert list(faint(html)) == []
    for wanted in ('src="https://img.example.com/logo.png"', "#6a1b9a", "border-radius:11px", "Courier"):
        assert wanted in html
    page = lxml_html.document_fromstring(html)
    assert page.xpath("//img[contains(@src, 'logo')]/@alt") == ["The Harbour Letter"]


@pytest.mark.parametrize(
    ("brand", "message"),
    [
        ({"accent": "blue"}, "the accent colour “blue” is not a colour such as #a3341f"),
        ({"text_font": "Arial"}, "the text font “Arial” is not a list of font names that ends in one"),
        ({"heading_font": 'x"><script>, serif'}, "the heading font"),
        ({"radius": 99}, "the radius 99 is not a number of pixels from 0 to 32"),
        ({"logo": Image(url="logo.png")}, "the logo's address “logo.png” is not a full URL"),
    ],
)
def test_what_cannot_be_a_brand_is_refused(brand: dict[str, Any], message: str) -> None:
    with pytest.raises(RenderingError, match=message):
        render(branded(make_edition(), **brand))


def test_a_faint_text_is_found_in_either_scheme() -> None:
    html = (
        "<html><head><style>@media (prefers-color-scheme:dark){.a p{color:#333!important}"
        "body{background-color:#222!important}}</style></head><body style='background-color:#fff'>"
        "<div class='a'><p style='color:#111'>dark only</p></div><p style='color:#bbb'>light only</p></body></html>"
    )

    assert [(found.scheme, found.text) for found in faint(html)] == [("light", "light only"), ("dark", "dark only")]


def test_shades_stay_themselves_where_they_can_be_read() -> None:
    assert readable("#0b5cad", "#ffffff") == "#0b5cad"
    assert contrast(readable("#ffe600", "#ffffff", "#fcf1dc"), "#fcf1dc") >= READABLE
    assert on("#ffe600", "#ffffff") == "#000000"
    assert readable("#777777", "#000000", "#ffffff") in {"#000000", "#ffffff"}


def test_a_theme_is_made_once_for_each_brand() -> None:
    assert theme("digest", "ltr") is theme("digest", "ltr")
    assert theme("digest", "ltr") is not theme("digest", "ltr", Brand(radius=1))
