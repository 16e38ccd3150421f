"""What has changed in a story's source since its text was stored: told of the page as it is now."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from composer.articles.article import Article
from composer.claims.looking_up import Claim, Unsupported, no_longer_supported
from composer.entities import unescape

Kind = Literal["gone", "headline", "figure", "not_compared"]
#: Where a stored text is from: a page's and a feed's begin with its headline, which a feed may word otherwise than the page.
Origin = Literal["page", "feed", "other"]
#: A page with less than this share of the stored text shows something else: a wall, an error, a list.
_LEAST_SHARE = 0.3
#: Of a feed's story only headlines less alike than this (rapidfuzz, 0 to 100) differ.
_ALIKE = 60.0
_LONGEST_HEADLINE = 300
_TAG = re.compile(r"<[^>]*>")
_MERGE_TAG = re.compile(r"\{\{[^{}]*\}\}")


@dataclass(frozen=True, kw_only=True)
class SourceChange:
    kind: Kind
    #: The source that was fetched again.
    url: str
    #: What stood there: the headline, or the figure as the story has it; of the other kinds "".
    before: str = ""
    #: What stands there now; for "gone" and "not_compared" the reason. "" where nothing is near.
    now: str = ""


def claims_of(headline: str, lede: str, body_html: str) -> list[Claim]:
    """A story's texts without markup and merge tags."""
    texts = (headline, lede, unescape(_TAG.sub(" ", body_html)))
    return [Claim(_MERGE_TAG.sub(" ", text), is_headline=number == 0) for number, text in enumerate(texts)]


def changes(
    claims: Sequence[Claim], stored: str, article: Article, *, url: str, language: str, origin: Origin
) -> list[SourceChange]:
    """The headline, and each figure and date that the story has from the stored text and the page now lacks.

    Nothing is said of a story without a stored text. Takes time in proportion to the texts.
    """
    headline, parted, body = stored.partition("\n\n")
    if origin == "other" or not parted or len(headline) > _LONGEST_HEADLINE:
        headline, body = "", stored
    found = []
    if headline and _differ(headline, article.headline, loosely=origin == "feed"):
        found.append(SourceChange(kind="headline", url=url, before=headline.strip(), now=article.headline))
    if not body.strip():
        return found
    if len(article.text.partition("\n\n")[2]) < len(body) * _LEAST_SHARE:
        return [*found, SourceChange(kind="not_compared", url=url, now="the page shows hardly any text now")]
    lost = no_longer_supported(claims, stored, article.text, language)
    return [*found, *(_figure(one, url) for one in lost)]


def _figure(lost: Unsupported, url: str) -> SourceChange:
    return SourceChange(kind="figure", url=url, before=lost.written, now=lost.nearest)


def _differ(before: str, now: str, *, loosely: bool) -> bool:
    one, two = (" ".join(re.findall(r"\w+", text.casefold())) for text in (before, now))
    return one != two and not (loosely and fuzz.token_set_ratio(one, two) >= _ALIKE)
