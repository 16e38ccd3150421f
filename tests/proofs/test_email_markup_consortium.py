"""The Email Markup Consortium's accessibility rules, which 99.89 % of the mails it looked at in 2025 fail."""

import itertools
import re
from typing import Any

import pytest
from lxml import html as lxml_html

from composer.checks import check
from tests.proofs.matrix import CASES, Case, edition, named, rendering

pytestmark = pytest.mark.integration

_HIDDEN = ("display:none", "display: none")


@pytest.fixture(params=CASES, ids=named)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def page(case: Case) -> Any:
    html = rendering(*case).html
    return lxml_html.document_fromstring(html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))


def test_it_keeps_every_rule(case: Case, page: Any) -> None:
    direction, language = case[2], edition(*case[1:]).publication.language
    for element in (page, *page.xpath("/html/body/*")):
        assert (element.get("lang"), element.get("dir")) == (language, direction)
    assert page.findtext("head/title").strip()
    assert page.xpath("//head/meta[@charset or contains(@content, 'charset')]")
    assert not page.xpath("//meta[contains(@content, 'user-scalable=no') or contains(@content, 'maximum-scale')]")
    assert not page.xpath("//table[not(@role='presentation' or @role='none')]")
    assert len(page.xpath("//h1")) == 1
    levels = [int(heading.tag[1]) for heading in page.xpath("//h1|//h2|//h3|//h4|//h5|//h6")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert not [image for image in page.xpath("//img") if image.get("alt") is None]
    assert not page.xpath("//a[.//img] [not(normalize-space(.)) and not(.//img[@alt!=''])]")
    assert not page.xpath("//b[not(normalize-space())]|//strong[not(normalize-space())]|//p[not(normalize-space())]")


def test_every_link_says_where_it_leads(page: Any) -> None:
    links = page.xpath("//a")
    assert links
    for link in links:
        assert link.get("href"), lxml_html.tostring(link)
        words = " ".join([link.text_content(), *link.xpath(".//img/@alt")]).strip()
        assert re.search(r"\w{2}", words), lxml_html.tostring(link)
        assert not re.fullmatch(r"(click )?here|read more|more|link", words, re.IGNORECASE)


def test_links_are_told_not_by_colour_alone(page: Any) -> None:
    """In running text they are underlined, or bold, or have a plate; in a list of nothing but links they need not be."""
    for link in page.xpath("//a[normalize-space()]"):
        style = (link.get("style") or "").replace(" ", "")
        (block,) = link.xpath("ancestor::*[self::p or self::li or self::td or self::div or self::h2 or self::h3][1]")
        beside = "".join(block.text_content()).replace(link.text_content(), "", 1)
        told = "text-decoration:none" not in style or "display:inline-block" in style or "font-weight:bold" in style
        assert told or not re.search(r"[^\W\d_]{3}", beside), lxml_html.tostring(link)


def test_our_own_checks_find_no_error(case: Case) -> None:
    found = check(edition(*case[1:]), rendering(*case))

    assert [problem for problem in found if problem.level == "error"] == []
    assert not [problem for problem in found if problem.code.startswith(("contrast", "client", "html", "names"))]
