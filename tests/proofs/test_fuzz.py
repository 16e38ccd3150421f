"""Whatever a story's body holds, the mail is whole. `NEWSDESK_FUZZ=20000 pytest tests/proofs/test_fuzz.py` for the full run."""

import os
import random
from html import unescape

import pytest
from lxml import html as lxml_html

from composer import digest as digests
from composer.merge_tags import Field as MergeField
from composer.merge_tags import token, translate
from composer.rendering import Rendering, render, theme_names
from composer.sanitising import TextTooLargeError, rich_text
from newsdesk.core.paths import samples_dir
from tests.composer.editions import make_edition, make_story

pytestmark = pytest.mark.integration

BODIES = int(os.environ.get("NEWSDESK_FUZZ", "600"))
A_MAIL = 12
SEED = 20_250_610
PIECES = [
    "<p>", "</p>", "<b>", "</b>", "<a href='https://example.com/?a=1&b=2'>", '<a href="javascript:alert(1)">', "</a>",
    "<script>", "</script>", "<SCRIPT src=//x>", "<style>p{}", "</style>", "<mj-text>", "</mj-text>", "<mj-raw>",
    "</mj-section>", "<mj-include path='/etc/passwd'/>", "<!--", "-->", "<!--[if mso]>", "<![endif]-->", "<![CDATA[", "]]>",
    "&lt;mj-text&gt;", "&lt;script&gt;", "&amp;", "&", "&#0;", "&#x110000;", "<", ">", '"', "'", "=", " ", "\n", "\x00", "\x1b",
    "\ud800", "\ufffe", "<svg onload=x>", "<math><mi>", "<img src=x onerror=alert(1)>", "<ul><li>", "</li></ul>", "<ol start=3>",
    "<li>", "<br/>", "<table><tr><td>", "</td></tr></table>", "</body></html>", "<textarea>", "<title>", "<?php", "<%", "%>",
    "{{ name }}", "{{ unsubscribe_url }}", "{{ nobody }}", "{{", "}}", "{% raw %}", "{#", "-ndName-", "-ndNameHtml-", "START",
    "*|X|*", "<h3>", "</h3>", "<blockquote>", "</blockquote>", "<h1 style='x'>", "<p onclick=x>", "中文字", "עברית", "👩‍🚀", "é",
    "word ", "another word, ", "https://example.com/a?b=c&d=e ",
]  # fmt: skip


def bodies(seed: int, count: int) -> list[str]:
    """Heaps of pieces, real stories with pieces spliced in, and noise."""
    chance = random.Random(seed)
    texts = [
        story.body_html for path in samples_dir().glob("*.txt") for story in digests.parse(path.read_bytes()).stories
    ]
    made = []
    for _ in range(count):
        kind = chance.random()
        if kind < 0.5:
            body = "".join(chance.choices(PIECES, k=chance.randrange(40)))
        elif kind < 0.9:
            letters = list(chance.choice(texts))
            for _ in range(chance.randrange(1, 12)):
                letters.insert(chance.randrange(len(letters) + 1), chance.choice(PIECES))
            body = "".join(letters)
        else:
            body = "".join(chr(chance.choice((chance.randrange(256), chance.randrange(0x11000)))) for _ in range(80))
        made.append(body)
    return made


def rendered(fuzzed: list[str], theme: str) -> Rendering:
    """One mail of the bodies; before each stands a merge tag of its own, which must come through."""
    stories = [
        make_story(f"k{number}", body_html=f'<p>{{{{ name | default: "reader {number}" }}}}</p>{body}')
        for number, body in enumerate(fuzzed)
    ]
    return render(make_edition(*stories), theme=theme)


def survivors(fuzzed: list[str]) -> list[str]:
    """Those that the sanitiser takes; it refuses what is nested too deeply."""
    kept = []
    for body in fuzzed:
        try:
            rich_text(f"<p></p>{body}")
        except TextTooLargeError:
            continue
        kept.append(body)
    return kept


def check(fuzzed: list[str], mail: Rendering) -> None:
    lower = mail.html.lower()
    assert "<mj-" not in lower
    assert "<script" not in lower
    page = lxml_html.document_fromstring(mail.html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    assert not page.xpath("//script | //iframe | //object | //form | //@*[starts-with(name(), 'on')]")
    assert not [
        link for link in page.xpath("//@href | //@src") if link.strip().lower().startswith(("javascript:", "data:"))
    ]
    assert page.xpath("count(//h1)") == 1
    assert len(page.xpath("//h2[starts-with(@id, 's-k')]|//h3[starts-with(@id, 's-k')]")) == len(fuzzed)
    for number, body in enumerate(fuzzed):
        default = f"reader {number}"
        assert token(MergeField.NAME, "html", default) in mail.html
        assert token(MergeField.NAME, "text", default) in mail.text
        # Every tag that is left of the body once it is clean stands in the mail.
        for tag in translate(rich_text(body), "html")[1]:
            assert tag.token in mail.html or unescape(tag.token) in mail.html


@pytest.mark.parametrize("theme", theme_names())
def test_any_body_can_be_rendered(theme: str) -> None:
    share = BODIES // len(theme_names()) + 1
    fuzzed = survivors(bodies(SEED + theme_names().index(theme), share))
    assert len(fuzzed) > share * 0.95

    for start in range(0, len(fuzzed), A_MAIL):
        chosen = fuzzed[start : start + A_MAIL]
        try:
            check(chosen, rendered(chosen, theme))
        except Exception:
            # One of twelve: name it.
            for body in chosen:
                try:
                    check([body], rendered([body], theme))
                except Exception as error:
                    raise AssertionError(f"{error!r} for the body {body!r}") from error
            raise


def test_the_checks_take_any_body() -> None:
    from composer.checks import check as problems

    for body in survivors(bodies(SEED, min(BODIES, 60))):
        content = make_edition(make_story(body_html=body))
        for problem in problems(content, render(content)):
            assert problem.message
