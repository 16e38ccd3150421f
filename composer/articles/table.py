"""A CSV or JSON file of stories → articles, its columns recognised by the names people give them."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from composer.articles.article import Article, ArticleError, Collection
from composer.articles.markup import date_of, plain
from composer.canonical_url import without_tracking
from composer.reading.decoding import decode
from composer.sanitising import paragraphs_to_html, rich_text

MOST_ROWS = 5000
#: What a column may be called, in lower case and without anything but letters.
_NAMES: Mapping[str, Sequence[str]] = {
    "headline": ("headline", "title", "name", "titel", "überschrift", "titre", "título", "titulo", "titolo", "标题"),
    "lede": ("lede", "lead", "summary", "description", "excerpt", "teaser", "abstract", "intro", "standfirst"),
    "body": ("body", "text", "content", "contenthtml", "bodyhtml", "html", "story"),
    "url": ("url", "link", "sourceurl", "href", "permalink", "canonicalurl", "address"),
    "site": ("source", "sourcename", "site", "sitename", "publisher", "outlet", "publication", "quelle", "fuente"),
    "author": ("author", "byline", "creator", "writer", "autor", "auteur", "autore"),
    "published_on": ("date", "published", "publishedon", "publishedat", "datepublished", "pubdate", "datum", "fecha"),
    "topics": ("topic", "topics", "tag", "tags", "category", "categories", "section"),
    "image_url": ("image", "imageurl", "picture", "thumbnail", "photo"),
    "image_alt": ("alt", "imagealt", "alttext", "caption"),
    "text": ("sourcetext", "fulltext"),
}
_FIELDS = {name: field for field, names in _NAMES.items() for name in names}


def read_table(raw: bytes, *, is_json: bool, encoding: str = "") -> Collection:
    """Raises ArticleError that names the row, DigestError for bytes that are no text."""
    decoded = decode(raw, encoding)
    rows = list(_json_rows(decoded.text) if is_json else _csv_rows(decoded.text))
    if len(rows) > MOST_ROWS:
        raise ArticleError(f"there are {len(rows):,} rows; at most {MOST_ROWS:,} are taken at once; split the file")
    if not rows:
        raise ArticleError("there is no row in it below the header; add a row for each story")
    columns = {column: _FIELDS.get(_key(column), "") for _, row in rows for column in row}
    if "headline" not in columns.values():
        known = ", ".join(list(columns)[:10])
        raise ArticleError(f"no column is called “headline” or “title”; there are: {known}; rename one of them")
    articles = tuple(_article(number, _fields(row, columns)) for number, row in rows)
    return Collection(
        form="json" if is_json else "csv",
        articles=articles,
        encoding=decoded.encoding,
        unknown=tuple(column for column, field in columns.items() if not field),
    )


def _csv_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        dialect: Any = csv.Sniffer().sniff(text[:20_000].partition("\n")[0], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=dialect.delimiter)
    try:
        for row in reader:
            if None in row:
                raise ArticleError(f"line {reader.line_num}: it has more fields than the header; is a quote missing?")
            if any(isinstance(value, str) and value.strip() for value in row.values()):
                yield reader.line_num, row
    except csv.Error as error:
        raise ArticleError(f"line {reader.line_num}: {error}") from error


def _json_rows(text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise ArticleError(f"{where}it is no JSON; save it again as JSON, or name a table .csv") from error
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), data)
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise ArticleError("it must be a list of objects, each of them a story")
    return enumerate(data, start=1)


def _fields(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """The first column of each kind that has something in it."""
    fields: dict[str, Any] = {}
    for column, value in row.items():
        if columns[column] and value not in (None, "", []):
            fields.setdefault(columns[column], value)
    return fields


def _article(number: int, fields: Mapping[str, Any]) -> Article:
    headline = plain(fields.get("headline"))
    if not headline:
        raise ArticleError(f"row {number}: it has no headline; write one, or take the row out")
    if len(headline) > 300:
        raise ArticleError(
            f"row {number}: its headline has {len(headline)} characters; at most 300 are taken; shorten it"
        )
    url = plain(fields.get("url"))
    if url and not url.lower().startswith(("http://", "https://")):
        raise ArticleError(f"row {number}: “{url[:60]}” is no web address; write it as https://…")
    written = fields.get("published_on")
    published = date_of(written)
    if written and published is None:
        raise ArticleError(f"row {number}: “{str(written)[:30]}” is no date; write it as 2026-11-25")
    topics = fields.get("topics", "")
    return Article(
        headline=headline,
        lede=plain(fields.get("lede")),
        body_html=_body(fields.get("body")),
        url=without_tracking(url) if url else "",
        site=plain(fields.get("site"))[:120],
        author=plain(fields.get("author"))[:120],
        published_on=published,
        topics=tuple(map(plain, topics)) if isinstance(topics, list) else _split(plain(topics)),
        image_url=plain(fields.get("image_url")),
        image_alt=plain(fields.get("image_alt"))[:300],
        text=str(fields.get("text", "")),
    )


def _body(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    if re.search(r"<(?:p|br|ul|ol|a|b|i|em|strong|h\d|blockquote|div|span)\b", value, re.IGNORECASE):
        return rich_text(value)
    return paragraphs_to_html(" ".join(part.split()) for part in re.split(r"\n\s*\n", value) if part.strip())


def _split(topics: str) -> tuple[str, ...]:
    return tuple(topic.strip() for topic in re.split(r"[,;|]", topics) if topic.strip())


def _key(column: Any) -> str:
    return re.sub(r"[\W\d_]+", "", str(column)).casefold()
