"""An address that an editor names: a page is a story, a feed is its stories."""

from composer.articles.article import ArticleError, Collection
from composer.articles.feed import is_feed, read_feed
from composer.articles.web_page import web_article
from tasks.http.download import DownloadError, download
from tasks.http.guard import Guard

#: Bytes of a page or feed.
MOST_BYTES = 3_000_000
_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/rss+xml,application/atom+xml,application/feed+json,*/*;q=0.5"
}


def fetched(url: str, guard: Guard) -> Collection:
    """What the page or feed holds. Raises DownloadError or ArticleError with the address and the reason."""
    try:
        found = download(url, guard, most_bytes=MOST_BYTES, headers=_HEADERS)
    except DownloadError as error:
        raise DownloadError(f"{url}: {error}", status=error.status, is_certain=error.is_certain) from error
    if is_feed(found.body, found.content_type):
        feed = read_feed(found.body, found.url, headers=found.headers)
        return Collection(form="feed", articles=tuple(entry.article for entry in feed.entries))
    if found.content_type and "html" not in found.content_type and "xml" not in found.content_type:
        raise ArticleError(f"{url}: it is {found.content_type}, neither a web page nor a feed")
    charset = found.headers.get("content-type", "").lower().partition("charset=")[2].split(";")[0].strip(" \"'")
    return Collection(form="page", articles=(web_article(found.body, found.url, charset=charset),))
