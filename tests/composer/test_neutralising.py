"""Letters that look like a tag of the bytes stay letters, and no address of an edition runs a script."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.checks import check
from composer.content import ButtonBlock, CallToAction, SponsorBlock
from composer.merge_tags import Field, fill, values
from composer.rendering import Rendering, render
from composer.rendering.neutralising import neutralised
from composer.sanitising import followable
from tests.composer.editions import PUBLICATION, every_block, make_edition, make_story

THEMES = ["digest", "briefing", "magazine"]


def filled(rendering: Rendering) -> str:
    own = values(rendering.tags, email="reader@example.com", name="Ada", unsubscribe_url="/u", preferences_url="/p")
    return "\n".join(fill(part, own) for part in (rendering.subject, rendering.html, rendering.text))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    "body",
    [
        "<p>Write -ndEmail- here.</p>",
        "<p>Write &#45;ndEmail- here.</p>",
        "<p>Write -nd<b>Email-</b> here.</p>",
        '<p><a href="https://example.com/-ndEmail-">there</a></p>',
    ],
)
def test_a_literal_tag_is_nobodys_address(theme: str, body: str) -> None:
    tag = "-ndEmail-"
    call = CallToAction(label=tag, url=f"https://example.com/?q={tag}")
    story = make_story("k1", headline=f"What {tag} means", lede=tag, body_html=body, source_name=tag)
    edition = make_edition(story, title=f"On {tag}", subject=tag, preheader=tag, call_to_action=call)

    rendering = render(edition, theme=theme)
    assert "reader@example.com" not in filled(rendering)
    assert {used.field for used in rendering.tags} <= {Field.UNSUBSCRIBE_URL, Field.PREFERENCES_URL}
    assert "On -\u200cndEmail-" in rendering.html


def test_a_written_tag_still_works() -> None:
    edition = make_edition(make_story("k1", body_html="<p>Dear {{ email }}</p>"), subject="For {{ email }}")

    assert filled(render(edition)).count("reader@example.com") == 3


@given(st.text(alphabet="-ndE<b>/&#45; mail{}", max_size=40))
def test_no_text_makes_a_tag(text: str) -> None:
    story = make_story("k1", headline=f"x {text}", body_html=f"<p>{text}</p>")
    content = neutralised(make_edition(story, subject=text))

    assert not {tag.field for tag in render(content).tags} & {Field.EMAIL, Field.NAME, Field.FIRST_NAME} or "{{" in text


def test_what_needs_no_change_is_the_same_object() -> None:
    content = every_block()
    assert neutralised(content) is content


@pytest.mark.parametrize(
    ("url", "can"),
    [
        ("https://example.com", True),
        ("HTTP://EXAMPLE.COM", True),
        ("mailto:a@example.com", True),
        ("tel:+4912345", True),
        ("", True),
        ("/archive", True),
        ("{{ web_url }}", True),
        ("javascript:alert(1)", False),
        ("  JavaScript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("\x01javascript:alert(1)", False),
        ("vbscript:x", False),
        ("data:text/html,<script>", False),
        ("file:///etc/passwd", False),
    ],
)
def test_addresses_that_may_be_followed(url: str, can: bool) -> None:
    assert followable(url) is can


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("url", ["javascript:alert(1)", " java\tscript:alert(1)", "data:text/html,x"])
def test_no_address_field_runs_a_script(theme: str, url: str) -> None:
    fields: dict[str, Any] = {"key": "k2", "name": "Ads", "url": url}
    blocks = (make_story("k1", source_url=url), SponsorBlock(**fields), ButtonBlock(key="k3", label="Go", url=url))
    edition = make_edition(*blocks, call_to_action=CallToAction(label="Read", url=url), web_url=url)

    rendering = render(edition, theme=theme)
    assert "script:" not in rendering.html + rendering.text
    assert "data:text" not in rendering.html + rendering.text
    refused = [problem for problem in check(edition, rendering) if problem.code == "link.invalid"]
    assert {problem.where for problem in refused} == {"story 1", "block 2", "block 3", "call to action"}
    assert {problem.level for problem in refused} == {"error"}


def test_a_website_that_runs_a_script_is_left_out() -> None:
    edition = make_edition(make_story("k1"), publication=replace(PUBLICATION, website="javascript:alert(1)"))
    assert "script:" not in render(edition).html
