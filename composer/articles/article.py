"""What a story takes over from elsewhere, whichever form it came in."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from newsdesk.core.errors import InputError

Form = Literal["page", "feed", "csv", "json"]


class ArticleError(InputError, ValueError):
    """It holds nothing that could be a story; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Article:
    headline: str
    lede: str = ""
    #: Rich text, not yet sanitised.
    body_html: str = ""
    #: Absolute, without tracking parameters.
    url: str = ""
    #: The publisher's name.
    site: str = ""
    author: str = ""
    published_on: dt.date | None = None
    topics: tuple[str, ...] = ()
    image_url: str = ""
    image_alt: str = ""
    #: The whole text, for the checks: what the story says is looked up in it.
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Collection:
    """What one page, feed or table holds."""

    form: Form
    articles: tuple[Article, ...]
    #: Of a table, as Python names it; pages and feeds say themselves what they are in.
    encoding: str = ""
    #: Columns of a table that no story takes over, as they are written.
    unknown: tuple[str, ...] = ()
