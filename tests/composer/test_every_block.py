"""What a kind of block must provide before an edition may use it. A new one fails here, in a sentence that names the
file and what is missing in it. CONTRIBUTING.md, "Add a block", has the same list in the order in which one works.
"""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from lxml import html as lxml_html
from wagtail import blocks as wagtail_blocks
from wagtail.images.blocks import ImageChooserBlock

from composer import content, conversion, theme_linting
from composer.blocks import ContentBlock
from composer.checks import ExternalFacts
from composer.checks.context import CheckContext, Text, texts
from composer.content import Block, EditionContent, Image
from composer.images import Picture
from composer.rendering import Rendering, render, theme_names
from composer.rendering.plain_text.edition import _Writer, plain_text
from composer.rendering.result import Links
from composer.rendering.themes import examination
from composer.rendering.view import _KINDS
from composer.specimen import specimen
from tests.composer.editions import every_block, make_edition, make_story

PICTURE = "https://img.example.com/stored.png"
WRITER = "composer/rendering/plain_text/edition.py"
GOLDEN = Path(__file__).parents[1] / "golden"
DESK: dict[str, Any] = ContentBlock().child_blocks
KINDS: dict[str, type[Block]] = {kind: block for block, kind in _KINDS.items()}
ALL: set[type[Block]] = {one for one in vars(content).values() if isinstance(one, type) and issubclass(one, Block)}
ALL -= {Block}

each_kind = pytest.mark.parametrize("kind", sorted({*DESK, *KINDS}))
each_theme = pytest.mark.parametrize("theme", theme_names())


def content_of(kind: str) -> type[Block]:
    if kind not in KINDS:
        pytest.skip(f"composer/rendering/view.py: _KINDS lacks “{kind}”; the rest can only be asked after that")
    if not hasattr(_Writer, f"write_{kind}"):
        pytest.skip(f"{WRITER}: nothing can be rendered without write_{kind}")
    return KINDS[kind]


#: What a block is and whom it is for; no reader sees it as words.
UNSHOWN = {"key", "audience", "language"}


def example(kind: str, *, text: str = "Words of the {name}", **given: Any) -> Block:
    """A block of this kind with something of its own in every field."""
    values: dict[str, Any] = {"key": f"the-{kind}", **given}
    for field in fields(content_of(kind)):
        if field.name in {*UNSHOWN, *given} or field.type is bool:
            continue
        words = text.format(name=field.name)
        if field.type in {Image, Image | None}:
            values[field.name] = Image(
                url=f"https://img.example.com/{kind}.png", alt="Seen in it", width=600, height=300
            )
        elif field.name.endswith("_html"):
            values[field.name] = f"<p>{words}</p>"
        elif field.name.endswith("url"):
            values[field.name] = f"https://example.com/{kind}/{field.name}"
        elif field.type is str:
            values[field.name] = words
        else:
            assert field.default is not MISSING, f"{__file__}: say what an example of {kind}.{field.name} is"
    return content_of(kind)(**values)


def texts_of(block: Block) -> list[str]:
    """What it says by its own fields, whatever the checks know of it."""
    return [
        str(getattr(block, field.name)) for field in fields(block) if field.type is str and field.name not in UNSHOWN
    ]


def edition_with(*blocks: Block) -> EditionContent:
    return make_edition(make_story("first"), *blocks, make_story("last"))


def without_tags(html: str) -> str:
    """One line, without markup and without regard to capitals: themes and the plain text write headings in them."""
    page = lxml_html.document_fromstring(f"<body>{html}</body>".encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    return " ".join(str(page.text_content()).split()).casefold()


def addresses(html: str) -> set[str]:
    page = lxml_html.document_fromstring(html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    return {str(found) for found in page.xpath("//@href|//@src")}


# The desk


@each_kind
def test_the_desk_offers_it(kind: str) -> None:
    assert kind in DESK, f"composer/blocks.py: ContentBlock does not offer “{kind}” (then: newsdesk makemigrations)"
    assert "audience" in DESK[kind].child_blocks, f"composer/blocks.py: {kind} cannot be for a segment: AudienceBlock()"
    strict = [name for name, child in DESK[kind].child_blocks.items() if child.required]
    assert not strict, (
        f"composer/blocks.py: {kind} demands {strict}; completeness is a check, or a draft cannot be saved"
    )


@each_kind
def test_it_has_a_content(kind: str) -> None:
    assert kind in KINDS, f"composer/rendering/view.py: _KINDS does not say which dataclass “{kind}” is to themes"
    assert KINDS[kind].__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(_Writer, f"write_{kind}"), f"{WRITER}: _Writer has no write_{kind}"


def test_no_content_is_forgotten() -> None:
    missing = sorted(one.__name__ for one in ALL - set(KINDS.values()))
    assert not missing, (
        f"composer/rendering/view.py: _KINDS has no name for {', '.join(missing)} of composer/content.py"
    )


@each_kind
def test_what_is_stored_is_converted(kind: str) -> None:
    """Every text field of the desk arrives in the content, and nothing else than its own content comes of it."""
    assert kind in conversion._BLOCKS, f"composer/conversion.py: _BLOCKS does not turn the desk's “{kind}” into content"
    written = dict(_written(DESK[kind]))
    stored = DESK[kind].to_python(written)
    stored |= {
        name: object() for name, child in stored.block.child_blocks.items() if isinstance(child, ImageChooserBlock)
    }

    converted = conversion._BLOCKS[kind]("the-key", stored, lambda _image: Picture(url=PICTURE, width=600, height=300))

    assert type(converted) is content_of(kind)
    assert converted.key == "the-key"
    lost = [name for name, words in written.items() if words not in repr(converted)]
    assert not lost, f"composer/conversion.py: {lost} of the desk's “{kind}” are lost on the way"
    has_image = "image" in DESK[kind].child_blocks
    assert (PICTURE in repr(converted)) == has_image, (
        f"composer/conversion.py: the image of a {kind} is lost on the way"
    )


def _written(block: Any) -> Iterator[tuple[str, str]]:
    for name, child in block.child_blocks.items():
        if isinstance(child, wagtail_blocks.RichTextBlock):
            yield name, f"<p>written in {name}</p>"
        elif isinstance(child, wagtail_blocks.CharBlock | wagtail_blocks.TextBlock):
            yield name, f"written in {name}"


# What readers see


@each_kind
@each_theme
def test_every_theme_shows_all_of_it(kind: str, theme: str) -> None:
    block = example(kind)
    shown = render(edition_with(block), theme=theme).html

    where = f"templates/email/{theme}/edition.mjml.j2 (or shared/parts.mjml.j2)"
    assert len(shown) > len(render(edition_with(), theme=theme).html), f"{where}: shows nothing of a {kind}"
    missing = _not_in(block, text=without_tags(shown), links=addresses(shown))
    assert not missing, f"{where}: of a {kind} does not show {missing}"


@each_kind
def test_the_plain_text_has_all_of_it(kind: str) -> None:
    block = example(kind)
    shown = plain_text(edition_with(block), Links())

    assert shown != plain_text(edition_with(), Links()), f"{WRITER}: write_{kind} writes nothing"
    read = " ".join(shown.split()).casefold()
    missing = _not_in(block, text=read, links={word for word in read.split() if "://" in word}, images=False)
    assert not missing, f"{WRITER}: write_{kind} leaves out {missing}"


def _not_in(block: Block, *, text: str, links: set[str], images: bool = True) -> list[str]:
    missing = [
        words
        for words in texts_of(block)
        if (words.casefold() not in links and words not in links if "://" in words else without_tags(words) not in text)
    ]
    image = getattr(block, "image", None)
    if image and images and image.url not in links:
        missing.append("its image")
    return missing


@each_kind
def test_a_merge_tag_may_stand_in_any_of_its_texts(kind: str) -> None:
    given = {
        field.name: f"https://example.com/{kind}" for field in fields(content_of(kind)) if field.name.endswith("url")
    }
    rendering = render(edition_with(example(kind, text="Dear {{{{ first_name }}}} ({name})", **given)))

    assert "{{" not in rendering.html, f"templates/email: a text of a {kind} goes by the translation of merge tags"
    assert "{{" not in rendering.text, f"{WRITER}: write_{kind} wants plain(…)"


@each_kind
@each_theme
def test_what_stands_in_a_text_is_never_markup(kind: str, theme: str) -> None:
    plain = [name for name in _plain_fields(kind) if not name.endswith("url")]
    given = dict.fromkeys(plain, "<blink>1 < 2</blink>")

    assert "<blink>" not in render(edition_with(example(kind, **given)), theme=theme).html


def _plain_fields(kind: str) -> list[str]:
    own = [field for field in fields(content_of(kind)) if field.type is str and field.name not in UNSHOWN]
    return [field.name for field in own if not field.name.endswith("_html")]


@each_kind
def test_an_editors_theme_may_name_its_fields(kind: str) -> None:
    unknown = {field.name for field in fields(content_of(kind))} - examination._ATTRIBUTES
    assert not unknown, f"composer/rendering/themes/examination.py: _TYPES lacks {kind}: themes may not use {unknown}"


# The checks


@each_kind
def test_the_checks_read_all_of_it(kind: str) -> None:
    block = example(kind)
    known = {text.source for text in texts(edition_with(block))}
    assert not set(texts_of(block)) - known, (
        f"composer/checks/context.py: _of_block passes over a {kind}'s {sorted(set(texts_of(block)) - known)}: "
        "placeholders, names, months and merge tags in them are seen by no check"
    )


@each_kind
def test_the_checks_see_its_image(kind: str) -> None:
    block = example(kind)
    image = getattr(block, "image", None)
    images = [found for _, found in CheckContext(edition_with(block), _nothing(), ExternalFacts()).images]

    assert image is None or image in images, f"composer/checks/context.py: images does not know that a {kind} has one"
    assert image is None or Text(where="block 2", source=image.alt, kind="alt").source in {
        text.source for text in texts(edition_with(block))
    }, f"composer/checks/context.py: _of_block passes over the text of a {kind}'s image"


def _nothing() -> Rendering:
    return render(edition_with())


# The examples


@each_kind
def test_it_stands_in_the_examples(kind: str) -> None:
    assert content_of(kind) in {type(block) for block in every_block().blocks}, (
        f"tests/composer/editions.py: every_block has no {kind}, so no golden mail and no matrix shows one"
    )
    assert content_of(kind) in {type(block) for block in specimen().blocks}, (
        f"composer/specimen.py: _BLOCKS has no {kind}, so lint-theme tries no theme with one"
    )
    without = [block for block in specimen(images=False).blocks if type(block) is content_of(kind)]
    assert not any(getattr(block, "image", None) for block in without), (
        f"composer/specimen.py: _without_image leaves a {kind} its image"
    )


@each_kind
def test_a_theme_that_forgets_it_is_told_so(kind: str) -> None:
    said = [
        without_tags(text) for block in specimen().blocks if type(block) is content_of(kind) for text in texts_of(block)
    ]
    looked_for = [words.casefold() for words in theme_linting._SPECIMEN_TEXTS.values()]
    assert not any(said) or any(words in text for words in looked_for for text in said), (
        f"composer/theme_linting.py: _SPECIMEN_TEXTS looks for nothing of the specimen's {kind}: a theme may leave it out unnoticed"
    )


@each_kind
@each_theme
def test_golden_mails_have_it(kind: str, theme: str) -> None:
    blocks = [block for block in every_block().blocks if type(block) is content_of(kind)]
    golden = without_tags((GOLDEN / theme / "every-block.html").read_text())
    said = [without_tags(text) for block in blocks for text in texts_of(block) if text and "://" not in text]

    missing = [text for text in said if text not in golden]
    assert not missing, f"tests/golden/{theme}/every-block.html lacks a {kind}: make golden, and look at it"
