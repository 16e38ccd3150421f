import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from composer.checks import check
from composer.content import CallToAction, EditionContent
from composer.rendering import Links, RenderingError, UnknownThemeError, render, theme_names, themes
from composer.rendering.pipeline import NON_LATIN, _located
from composer.rendering.themes.environments import environment
from tests.composer.editions import every_block, make_edition, make_story
from tests.composer.test_sanitising import FRAGMENTS


def page(html: str) -> Any:
    return lxml_html.document_fromstring(html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))


def errors(content: EditionContent) -> list[str]:
    return [problem.code for problem in check(content, render(content)) if problem.level == "error"]


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl"), ("he-IL", "rtl"), ("xx", "ltr")])
def test_an_edition_of_every_block_has_no_error(language: str, direction: str) -> None:
    assert errors(every_block(language=language, direction=direction)) == []


def test_it_is_the_same_every_time() -> None:
    assert render(every_block()) == render(every_block())


def test_layout_tables_are_no_data_tables() -> None:
    assert not page(render(every_block()).html).xpath("//table[not(@role='presentation')]")


def test_everything_reads_from_right_to_left() -> None:
    html = render(every_block(language="ar", direction="rtl")).html

    assert "direction:ltr" not in html
    for element in page(html).xpath("/html/body//*[normalize-space(text())]"):
        if isinstance(element.tag, str) and "display:none" not in (element.get("style") or ""):
            assert styled(element, "text-align", "[a-z]+") in {"right", "center"}


def test_the_preheader_comes_first_and_is_hidden() -> None:
    first = page(render(make_edition(preheader="Peek <&> inside")).html).xpath("/html/body/div/*[1]")[0]

    assert first.text_content().startswith("Peek <&> inside")
    assert "display:none" in first.get("style")
    assert (first.get("lang"), first.get("dir")) == ("en", "ltr")


def test_both_parts_hold_a_character_that_latin_1_has_not() -> None:
    rendering = render(make_edition(preheader=""))

    assert NON_LATIN in rendering.text
    assert NON_LATIN in rendering.html


def test_the_footer_links_are_not_tracked() -> None:
    html = page(render(every_block(), links=Links(preferences="-ndPreferencesUrl-")).html)

    for link in ("-ndUnsubscribeUrl-", "-ndPreferencesUrl-"):
        (found,) = html.xpath(f"//a[@href='{link}']")
        assert found.get("clicktracking") == "off"


def test_story_headings_are_below_their_section() -> None:
    headings = page(render(every_block()).html).xpath("//h1|//h2|//h3|//h4")

    assert [heading.tag for heading in headings] == ["h1", "h2", "h3", "h4", "h3", "h2", "h3", "h2"]


def test_anchors_are_keys_and_not_numbers() -> None:
    ids = page(render(make_edition(make_story("b7"), make_story("a1"))).html).xpath("//@id")

    assert ids == ["s-b7", "s-a1"]


def test_what_editors_type_is_escaped() -> None:
    story = make_story(headline='<script>x</script> & "y"', lede="</td></table><mj-raw>")

    html = render(make_edition(story, title="<b>T</b>")).html

    assert "<script" not in html
    assert "<mj-" not in html
    assert errors(make_edition(story, title="<b>T</b>")) == []
    assert page(html).xpath("//h2")[0].text_content() == '<script>x</script> & "y"'


def test_merge_tags_are_translated_for_each_part() -> None:
    story = make_story(
        headline="For {{ name }}", body_html='<p>Hi {{ name }}, <a href="{{ unsubscribe_url }}">stop</a></p>'
    )

    rendering = render(make_edition(story, subject="Dear\n{{ name }}"))

    assert "For -ndNameHtml-</h2>" in rendering.html
    assert "1. For -ndName-" in rendering.text
    assert rendering.subject == "Dear -ndName-"
    assert rendering.html.count('href="-ndUnsubscribeUrl-"') == 2
    assert {tag.token for tag in rendering.tags} == {"-ndName-", "-ndNameHtml-", "-ndUnsubscribeUrl-"}


def test_the_web_address_is_filled_in_for_all() -> None:
    story = make_story(body_html='<p><a href="{{ web_url }}">On the web</a></p>')

    rendering = render(make_edition(story, web_url="https://example.com/a?b=1&c=2"))

    assert 'href="https://example.com/a?b=1&amp;c=2" style=' in rendering.html
    assert "https://example.com/a?b=1&c=2" in rendering.text
    assert "ndWebUrl" not in rendering.html + rendering.text


def test_a_short_call_is_a_button_a_long_one_a_link_and_one_without_url_a_paragraph() -> None:
    def call(label: str, url: str) -> Any:
        html = render(make_edition(call_to_action=CallToAction(label=label, url=url))).html
        return page(html).xpath(f"//*[text()='{label}']")[0]

    assert call("Read the report", "https://example.com/r").get("class") == "button"
    assert call("Read the whole of the report on trams", "https://example.com/r").tag == "a"
    assert call("Read the report", "").tag == "p"


def test_unknown_themes_are_refused_with_those_that_exist() -> None:
    assert "digest" in theme_names()
    with pytest.raises(UnknownThemeError, match=r"no theme “neon”; there are .*digest"):
        render(make_edition(), theme="neon")


def test_a_fault_of_the_theme_is_located() -> None:
    message = _located("<mjml>\n<mj-body>\n<mj-text></mj-body>", "unexpected element at position 17:24")

    assert "line 3" in message


def test_a_theme_that_is_no_mjml_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = environment({}, confined=False).from_string("<mjml><mj-body><mj-text></mj-body></mjml>")
    chosen = themes.theme("digest", "ltr")
    faulty = replace(chosen, template=broken)
    monkeypatch.setattr(themes, "theme", lambda name, direction, brand: faulty)

    with pytest.raises(RenderingError, match="invalid MJML"):
        render(make_edition())


@settings(max_examples=60)
@given(FRAGMENTS, st.text(max_size=40))
def test_any_body_and_headline_can_be_rendered(html: str, headline: str) -> None:
    content = make_edition(make_story(body_html=html + "<p>{{ name }}</p>", headline=headline))

    rendering = render(content)

    assert "<mj-" not in rendering.html
    assert "<script" not in rendering.html
    assert "-ndNameHtml-" in rendering.html or "<!--" in html or "<" in html
    assert page(rendering.html).xpath("count(//h1)") == 1


def test_twelve_stories_stay_small() -> None:
    story = "A sentence of some length that tells what has happened and to whom. " * 12
    content = make_edition(*(make_story(f"s{n}", body_html=f"<p>{story}</p>" * 2) for n in range(12)))

    assert len(render(content).html.encode()) < 60_000


def styled(element: Any, name: str, value: str = r"#[0-9a-f]+") -> str:
    """The value of an inherited inline style property."""
    while element is not None:
        found = re.findall(rf"(?:^|;)\s*{name}:\s*({value})", element.get("style") or "")
        if found:
            return str(found[-1])
        element = element.getparent()
    return ""


@pytest.mark.parametrize("theme", theme_names())
@pytest.mark.parametrize(
    "text",
    [
        'Set vertical-align="middle" on the cell, vertical-align="middle" again.',
        'Write style="color: red; margin: 0, auto" on it; and style="a; b".',
        'The mark data-premailer="ignore" and <style data-premailer="ignore"> are ours.',
        "<![endif]-->  <!--[if mso | IE]> in a story",
    ],
)
def test_text_that_looks_like_markup_is_shown_as_written(theme: str, text: str) -> None:
    story = make_story(headline=f"Of {text}", lede=text)

    shown = " ".join(page(render(make_edition(story), theme=theme).html).text_content().split())

    assert shown.count(" ".join(text.split())) >= 2
