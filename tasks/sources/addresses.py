"""An address that an editor names: a page is a story, a feed is its stories."""

from dataclasses import dataclass

from composer.articles.article import Article, ArticleError
from composer.articles.feed import is_feed, read_feed
from composer.articles.web_page import web_article
from composer.intake import Intake, import_articles
from composer.models import Publication, Story
from tasks.http.download import DownloadError, download
from tasks.http.guard import Guard
from tasks.sources.pictures import give_pictures

#: Bytes of a page or feed.
MOST_BYTES = 3_000_000
_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/rss+xml,application/atom+xml,application/feed+json,*/*;q=0.5"
}


@dataclass(frozen=True, kw_only=True)
class TakenIn:
    intake: Intake
    #: “page” or “feed”.
    kind: str
    #: What did not work although the stories came in.
    remarks: tuple[str, ...] = ()


def take_in(publication: Publication, url: str, guard: Guard = Guard()) -> TakenIn:  # noqa: B008 - frozen
    """Fetch the address and store its stories. Raises DownloadError or ArticleError with the address and the reason."""
    articles, kind = fetched(url, guard)
    origin = Story.Origin.FEED if kind == "feed" else Story.Origin.URL
    intake = import_articles(publication, articles, origin)
    return TakenIn(intake=intake, kind=kind, remarks=tuple(give_pictures(intake.stories, articles, guard)))


def fetched(url: str, guard: Guard) -> tuple[list[Article], str]:
    """The articles of a page (one) or a feed, and which of the two it is. Raises as `take_in` does."""
    try:
        found = download(url, guard, most_bytes=MOST_BYTES, headers=_HEADERS)
    except DownloadError as error:
        raise DownloadError(f"{url}: {error}", status=error.status) from error
    if is_feed(found.body, found.content_type):
        return [entry.article for entry in read_feed(found.body, found.url, headers=found.headers).entries], "feed"
    if found.content_type and "html" not in found.content_type and "xml" not in found.content_type:
        raise ArticleError(f"{url}: it is {found.content_type}, neither a web page nor a feed")
    charset = found.headers.get("content-type", "").lower().partition("charset=")[2].split(";")[0].strip(" \"'")
    return [web_article(found.body, found.url, charset=charset)], "page"
