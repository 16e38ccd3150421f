"""Checks of what was rendered: contrast, style blocks, client support, the text part; and what the outside reports."""

from dataclasses import replace
from typing import Any

import pytest

from composer.checks import ExternalFacts, LinkReport, Problem, SpamReport, check, css
from composer.content import EditionContent, Image
from composer.rendering import render
from tests.composer.editions import PUBLICATION, every_block, make_edition, make_story


def problems(content: EditionContent, given: ExternalFacts | None = None, **changes: Any) -> tuple[Problem, ...]:
    return check(content, replace(render(content), **changes), given or ExternalFacts())


def spoilt(old: str, new: str) -> dict[str, Problem]:
    html = render(make_edition()).html
    assert old in html
    return {problem.code: problem for problem in problems(make_edition(), html=html.replace(old, new))}


def test_pale_text_is_found_in_the_light_scheme() -> None:
    html = render(make_edition()).html.replace("</body>", '<p style="color:#999">Too pale</p></body>')
    content = make_edition()

    (problem,) = [one for one in problems(content, html=html) if one.code == "contrast.light"]

    assert problem.level == "error"
    assert "“Too pale” is #999999 on " in problem.message


def test_dark_text_is_found_in_the_dark_scheme() -> None:
    found = spoilt("#cbc9c3 !important", "#444444 !important")

    assert "contrast.light" not in found
    assert "in the dark scheme" in found["contrast.dark"].message


def test_large_text_needs_less() -> None:
    def level(style: str) -> list[str]:
        html = render(make_edition()).html.replace(
            "</body>", f'<div lang="en" dir="ltr" style="background:#fff"><p style="{style}">Words</p></div></body>'
        )
        return [one.level for one in problems(make_edition(), html=html) if one.code == "contrast.light"]

    assert level("color:#888") == ["warning"]
    assert level("color:#888;font-size:24px") == []
    assert level("color:#888;font-size:19px;font-weight:bold") == []
    assert level("color:#eee") == ["error"]
    assert level("color:#eee;display:none") == []
    assert level("color:#eee;background:url(x.jpg)") == []


def test_style_blocks_count_one_by_one() -> None:
    html = render(make_edition()).html
    fits = f"<style>{'a' * 12_000}</style>" * 2

    assert "html.style_size" not in {
        one.code for one in problems(make_edition(), html=html.replace("</head>", f"{fits}</head>"))
    }


def test_an_at_rule_inside_an_at_rule_is_found() -> None:
    found = spoilt("</head>", "<style>@media screen{@supports (x:y){p{color:red}}}</style></head>")

    assert "@supports (x:y) stands inside @media screen" in found["html.nested_at_rule"].message


def test_what_mail_clients_lack_is_named_when_it_is_new() -> None:
    found = spoilt("</head>", "<style>.x{display:grid}</style></head>")

    assert "“display:grid” is not supported by" in found["client.support"].message
    assert "Gmail (Android)" in found["client.support"].message


def test_language_and_direction_fit() -> None:
    def codes(language: str, direction: Any) -> set[str]:
        publication = replace(PUBLICATION, language=language, direction=direction)
        return {one.code for one in problems(make_edition(publication=publication))}

    assert "html.direction" in codes("ar", "ltr")
    assert "html.direction" in codes("de", "rtl")
    assert "html.direction" not in codes("az-Arab", "rtl")
    assert "html.direction" not in codes("uz-Latn", "ltr")


def test_every_text_and_link_is_in_the_text_part() -> None:
    content = every_block()
    text = render(content).text
    found = {one.code: one for one in problems(content, text=text.replace("the drawings", "").replace("/budget", ""))}

    assert found["text.incomplete"].where == "story 1"
    assert "https://example.com/budget leads" in found["text.no_link"].message
    assert "text.empty" in {one.code for one in problems(content, text=" ")}


def test_capitals_of_other_alphabets_are_the_same_letters() -> None:
    content = make_edition(closing_heading="Işık ve ırmak, straße, Ὀδυσσεύς", closing_html="<p>x</p>")

    assert [one for one in problems(content) if one.code == "text.incomplete"] == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"weight": 900_000}, "image.heavy"),
        ({"weight": 2_100_000}, "images.heavy"),
        ({"width": 300}, "image.narrow"),
        ({"width": 40, "height": 40}, "image.narrow"),
        ({"width": 1000, "height": 3500}, "image.tall"),
        ({"width": 4000}, "image.large"),
        ({"url": "http://img.example.com/a.jpg"}, "image.insecure"),
    ],
)
def test_images(fields: dict[str, Any], code: str) -> None:
    image = Image(**{"url": "https://img.example.com/a.jpg", "alt": "A quay at dusk", **fields})

    assert code in {one.code for one in problems(make_edition(make_story(image=image)))}


LINK = "https://example.com/plan"


@pytest.mark.parametrize(
    ("report", "code", "says"),
    [
        (LinkReport(outcome="broken", status=404), "link.broken", "answers 404"),
        (LinkReport(outcome="broken", error="there is no server x"), "link.broken", "no server x"),
        (LinkReport(outcome="unclear", status=403), "link.unclear", "answers 403"),
        (LinkReport(outcome="moved", status=200, target="https://e.com/b"), "link.redirects", "https://e.com/b"),
        (LinkReport(outcome="answered", status=200, target="http://e.com/"), "link.insecure", "not encrypted"),
        (LinkReport(outcome="private"), "link.private", "private network"),
    ],
)
def test_what_came_of_a_link(report: LinkReport, code: str, says: str) -> None:
    content = make_edition(
        make_story(source_name="The plan", source_url=LINK), publication=replace(PUBLICATION, website="")
    )
    found = {one.code: one for one in problems(content, ExternalFacts(links={LINK: report}))}

    assert says in found[code].message
    assert found[code].level == "warning"
    assert "link.not_checked" not in found


def test_a_link_without_a_report_is_not_checked_rather_than_fine() -> None:
    content = make_edition(make_story(source_name="The plan", source_url=LINK), web_url="https://example.com/118/")

    (problem,) = [one for one in problems(content, ExternalFacts(links={})) if one.code == "link.not_checked"]

    assert LINK in problem.message
    assert "/118/" not in problem.message
    assert "link.not_checked" not in {one.code for one in problems(content)}  # nobody was asked


def test_what_spamassassin_says() -> None:
    bad = SpamReport(score=6.5, rules=(("SUBJ_ALL_CAPS", 2.5),))

    (problem,) = [one for one in problems(make_edition(), ExternalFacts(spam=bad)) if one.code == "spam.score"]

    assert "SUBJ_ALL_CAPS 2.5" in problem.message
    assert not [
        one for one in problems(make_edition(), ExternalFacts(spam=SpamReport(score=0.0))) if one.code == "spam.score"
    ]


@pytest.mark.parametrize("text", ["[Insert headline here]", "Dolor sit amet", "TBC: the date", "[link]"])
def test_more_placeholders(text: str) -> None:
    assert "placeholder.text" in {one.code for one in problems(make_edition(make_story(lede=text)))}


def test_css_is_read() -> None:
    source = (
        "/* } */ @import 'x;y'; p, .a > b {color:red; background:url('a;b')} @media x { @media y { i {color:blue} } }"
    )

    first, second, third = css.rules(source)

    assert first.within == ("@import 'x;y'",)
    assert (second.selectors, second.declarations[1]) == (("p", ".a > b"), ("background", "url('a;b')"))
    assert third.within == ("@media x", "@media y")
    assert css.rules("p{color:red") == ()
    assert css.rules("}" * 50 + "'" * 10_001) == ()
