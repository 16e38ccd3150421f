"""The link fetcher: one link as a reader would open it, and what became of it."""

from composer.checks import LinkReport
from tasks.http.guard import MOST_REDIRECTS, Answer, Guard, NoAnswerError, NotAllowedError, request

_HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; Newsdesk link check)", "Accept": "*/*"}
_PERMANENT = {301, 308}


def follow(link: str, guard: Guard = Guard()) -> LinkReport:  # noqa: B008 - frozen
    """Fetch the link and its redirects to the end. Raises nothing: whatever happens is a report."""
    url, permanent = link, True
    try:
        for _ in range(MOST_REDIRECTS + 1):
            answer = _fetched(url, guard)
            target = answer.leads_from(url)
            if not target:
                return _report(link, url, answer.status, permanent=permanent)
            url, permanent = target, permanent and answer.status in _PERMANENT
    except NotAllowedError:
        return LinkReport(outcome="private", target="" if url == link else url)
    except NoAnswerError as failure:
        return LinkReport(outcome="broken" if failure.is_certain else "unclear", error=str(failure)[:200])
    return LinkReport(outcome="unclear", error="too many redirects")


def _fetched(url: str, guard: Guard) -> Answer:
    """Some servers know no HEAD, or turn it away: their answer to GET counts. A body, however long, is never read."""
    answer = request("HEAD", url, guard, headers=_HEADERS)
    return answer if answer.status < 400 else request("GET", url, guard, headers=_HEADERS)


def _report(link: str, url: str, status: int, *, permanent: bool) -> LinkReport:
    target = "" if url == link else url
    if 200 <= status < 300:
        return LinkReport(outcome="moved" if target and permanent else "answered", status=status, target=target)
    return LinkReport(outcome="broken" if status in {404, 410} else "unclear", status=status, target=target)
