"""Stories from spreadsheets and exports: the columns people have, and rows that are refused by number."""

import datetime as dt
import json

import pytest

from composer.articles.article import ArticleError
from composer.articles.table import read_table


def test_a_spreadsheet() -> None:
    text = (
        "Title;Source URL;Summary;Body;Date;Tags;Notes\n"
        'Quay closes;https://example.com/a?utm_source=x;Nine to four.;"One.\n\nTwo & three.";2026-11-20;City, Trams;mine\n'
        ";;;;;;\n"
        "Trams at night;;;<p>Rich <script>x</script></p>;;;\n"
    )
    table = read_table(text.encode("utf-8-sig"), is_json=False)
    first, second = table.articles

    assert (first.headline, first.url, first.lede) == ("Quay closes", "https://example.com/a", "Nine to four.")
    assert first.body_html == "<p>One.</p><p>Two &amp; three.</p>"
    assert (first.published_on, first.topics) == (dt.date(2026, 11, 20), ("City", "Trams"))
    assert second.body_html == "<p>Rich </p>"
    assert table.unknown == ("Notes",)


@pytest.mark.parametrize("wrapped", [False, True])
def test_json(wrapped: bool) -> None:
    rows = [{"headline": "Quay", "link": "https://example.com/a", "tags": ["a", "b"]}]
    (article,) = read_table(json.dumps({"stories": rows} if wrapped else rows).encode(), is_json=True).articles

    assert (article.headline, article.topics) == ("Quay", ("a", "b"))


@pytest.mark.parametrize(
    ("text", "is_json", "message"),
    [
        ("a,b\n1,2\n", False, "no column is called “headline” or “title”; there are: a, b"),
        ("title\n", False, "there is no row"),
        ("title,url\n,https://example.com\n", False, "row 2: it has no headline"),
        ("title,url\nA,javascript:x\n", False, "row 2: “javascript:x” is no web address"),
        ("title,date\nA,yesterday\n", False, "row 2: “yesterday” is no date; write it as 2026-11-25"),
        ("title,url\nA,b,c\n", False, "line 2: it has more fields than the header"),
        ("{", True, "line 1: it is no JSON"),
        ("[1]", True, "it must be a list of objects"),
        ('"x"', True, "it must be a list of objects"),
    ],
)
def test_what_cannot_be_taken_is_named(text: str, is_json: bool, message: str) -> None:
    with pytest.raises(ArticleError, match=message):
        read_table(text.encode(), is_json=is_json)
