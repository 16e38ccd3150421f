from dataclasses import replace
from typing import Any

import pytest

from composer.checks import Problem, check
from composer.content import ButtonBlock, CallToAction, EditionContent, Image, SectionBlock
from composer.rendering import Rendering, render
from tests.composer.editions import PUBLICATION, every_block, make_edition, make_story


def problems(content: EditionContent, **changes: Any) -> tuple[Problem, ...]:
    return check(content, replace(render(content), **changes))


def codes(content: EditionContent, **changes: Any) -> set[str]:
    return {problem.code for problem in problems(content, **changes)}


def with_body(html: str) -> EditionContent:
    return make_edition(make_story(body_html=html))


def with_image(**fields: str) -> EditionContent:
    return make_edition(make_story(image=Image(**{"url": "https://img.example.com/a.jpg", "alt": "A quay", **fields})))


def test_a_good_edition_has_no_problem() -> None:
    assert problems(make_edition()) == ()
    assert problems(every_block()) == ()


@pytest.mark.parametrize(
    ("content", "code", "level"),
    [
        (make_edition(subject=" "), "subject.empty", "error"),
        (make_edition(subject="x" * 79), "subject.long", "warning"),
        (make_edition(subject="BUY THIS NOW"), "subject.all_caps", "warning"),
        (make_edition(preheader=""), "preheader.empty", "warning"),
        (make_edition(preheader="x" * 141), "preheader.long", "warning"),
        (make_edition(preheader="Trams at night"), "preheader.same", "warning"),
        (make_edition(title=""), "title.empty", "error"),
        (make_edition(publication=replace(PUBLICATION, minimum_stories=2)), "stories.too_few", "error"),
        (make_edition(make_story(headline=" ")), "story.no_headline", "error"),
        (make_edition(make_story(lede="", body_html="")), "story.no_text", "error"),
        (
            make_edition(make_story("a", headline="Same"), make_story("b", headline="same ")),
            "story.repeated",
            "warning",
        ),
        (make_edition(SectionBlock(key="x", heading=" "), make_story()), "section.no_heading", "error"),
        (with_image(alt=""), "image.no_alt", "error"),
        (with_image(alt="Photo 3"), "image.generic_alt", "warning"),
        (with_image(alt="IMG_2041.jpg"), "image.generic_alt", "warning"),
        (with_image(url="/media/a.jpg"), "image.bad_url", "error"),
        (with_image(url="https://img.example.com/a.webp"), "image.format", "warning"),
        (make_edition(call_to_action=CallToAction(label="Go", url="https://exa mple.com")), "link.invalid", "error"),
        (make_edition(call_to_action=CallToAction(label="Go", url="https://")), "link.invalid", "error"),
        (make_edition(call_to_action=CallToAction(label="Go", url="example.com/a")), "link.invalid", "error"),
        (with_body('<a href="https://exa mple.com">spaced</a>'), "link.no_address", "error"),
        (with_body('<a href="/relative">relative</a>'), "link.no_address", "error"),
        (with_body('<a href="https://nodots">bare host</a>'), "link.invalid", "error"),
        (with_body('<a href="mailto:nobody">mail</a>'), "link.invalid", "error"),
        (with_body('<a href="http://example.com">old</a>'), "link.insecure", "warning"),
        (with_body('<a href="#s-nothing">above</a>'), "link.no_target", "error"),
        (with_body('<a href="https://example.com">here</a>'), "link.generic_text", "warning"),
        (with_body('<a href="https://example.com"></a>'), "link.no_text", "error"),
        (with_body("<p>To see it, click here.</p>"), "link.click_here", "warning"),
        (make_edition(call_to_action=CallToAction(label="Read it")), "cta.no_link", "warning"),
        (make_edition(call_to_action=CallToAction(label="", url="https://example.com")), "cta.no_label", "error"),
        (make_edition(make_story(), ButtonBlock(key="b", label="Go", url="")), "button.incomplete", "error"),
        (with_body("<p>Lorem ipsum</p>"), "placeholder.text", "error"),
        (make_edition(make_story(headline="TODO")), "placeholder.text", "error"),
        (with_body("<p>Dear {{ frist_name }}</p>"), "tags.unknown", "error"),
        (with_body('<p><a href="{{ frist_name }}">x y</a></p>'), "tags.unresolved", "error"),
        (with_body("<p>Dear *|FNAME|*</p>"), "tags.unresolved", "error"),
        (make_edition(subject="For {{ name }}"), "tags.no_default", "warning"),
        (with_body('<p><a href="{{ web_url }}">On the web</a></p>'), "tags.web_url", "error"),
        (with_body("<h4>Small</h4>"), "headings.order", "warning"),
        (with_body("<h3> </h3>"), "headings.empty", "error"),
        (make_edition(publication=replace(PUBLICATION, postal_address="")), "footer.no_address", "error"),
    ],
)
def test_it_finds(content: EditionContent, code: str, level: str) -> None:
    found = {problem.code: problem.level for problem in problems(content)}

    assert found.get(code) == level


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/weekly/1/", "http://localhost/x", "http://[::1]:8000/"])
def test_links_to_the_editors_own_machine_need_no_encryption(url: str) -> None:
    assert "link.insecure" not in codes(with_body(f'<a href="{url}">the web view</a>'))


def test_the_size_grows_with_tracked_links() -> None:
    def sized(links: int) -> set[str]:
        text = "".join(f'<a href="https://example.com/{n}">link {n}</a> ' for n in range(links))
        return {problem.level for problem in problems(with_body(text)) if problem.code == "size.html"}

    assert sized(100) == set()
    assert sized(200) == {"warning"}
    assert sized(260) == {"error"}


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda html: html.replace("<h1", "<p", 1), "headings.h1"),
        (lambda html: html.replace("<!DOCTYPE html>", ""), "html.doctype"),
        (lambda html: html.replace(' lang="en"', ""), "html.language"),
        (lambda html: html.replace("</body>", "<mj-text></mj-text></body>"), "html.mjml_left"),
        (lambda html: html.replace("</head>", f"<style>{'a' * 17_000}</style></head>"), "html.style_size"),
        (lambda html: html.replace(' role="presentation"', ""), "html.table_role"),
        (lambda html: html.replace("<title>Trams at night</title>", ""), "html.title"),
        (lambda html: html.replace("-ndUnsubscribeUrl-", "https://example.com"), "footer.no_unsubscribe"),
        (lambda html: html.replace("Port Ellery", ""), "footer.no_address"),
    ],
)
def test_it_finds_faults_of_the_page(spoil: Any, code: str) -> None:
    content = make_edition()

    assert code in codes(content, html=spoil(render(content).html))


def test_it_finds_faults_of_the_text_part() -> None:
    content = make_edition(make_story(headline="一" * 60), make_story("b", headline="Second"))
    text = render(content).text

    assert codes(content, text=text) == set()
    assert "text.incomplete" in codes(content, text=text.replace("Second", ""))
    assert "footer.no_unsubscribe" in codes(content, text=text.replace("-ndUnsubscribeUrl-", ""))
    assert "tags.stale" in codes(content, tags=())


def test_errors_come_first_and_say_where() -> None:
    first, *_ = problems(make_edition(make_story(), make_story("b", headline="TODO"), preheader=""))

    assert (first.level, first.where) == ("error", "story 2")


def test_todo_is_a_word_in_spanish() -> None:
    publication = replace(PUBLICATION, language="es")

    assert codes(make_edition(make_story(headline="TODO LISTO"), publication=publication)) == set()


def test_a_preview_with_real_links_passes() -> None:
    from composer.rendering import Links

    content = make_edition()
    rendering: Rendering = render(content, links=Links(unsubscribe="https://example.com/u/1"))

    assert check(content, rendering) == ()
