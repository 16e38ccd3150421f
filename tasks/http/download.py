"""A page, feed or image that an editor named, with its redirects followed; each is looked at by the guard anew."""

from collections.abc import Mapping
from dataclasses import dataclass

from newsdesk.core.errors import InputError
from tasks.http.guard import MOST_REDIRECTS, Guard, NoAnswerError, NotAllowedError, request

_NOT_MODIFIED = 304
#: Sites that turn unknown programs away are asked by name, as the robots exclusion protocol wants (RFC 9309).
_HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; Newsdesk)", "Accept-Encoding": "gzip, deflate"}


class DownloadError(InputError):
    """It could not be had; the message says why. `status` is the server's, 0 where none answered.

    `is_certain` where none ever will: the name does not exist.
    """

    def __init__(self, message: str, *, status: int = 0, retry_after: str = "", is_certain: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.is_certain = is_certain
        #: The server's header as it stands: seconds, or a date.
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Download:
    #: Where it was found in the end.
    url: str
    body: bytes
    #: Names in lower case.
    headers: Mapping[str, str]
    #: The server says that nothing has changed since (304).
    is_unchanged: bool = False

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case: `text/html`."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def download(url: str, guard: Guard, *, most_bytes: int, headers: Mapping[str, str] | None = None) -> Download:
    """GET it. Raises DownloadError, also for more than so many bytes and for any status but 200 and 304."""
    at = url.strip()
    try:
        for _ in range(MOST_REDIRECTS + 1):
            answer = request("GET", at, guard, headers={**_HEADERS, **(headers or {})}, most_bytes=most_bytes)
            target = answer.leads_from(at)
            if not target:
                break
            at = target
        else:
            raise DownloadError("too many redirects")
    except NotAllowedError as error:
        raise DownloadError("it leads to an address inside a private network, or to an unusual port") from error
    except NoAnswerError as error:
        raise DownloadError(str(error), is_certain=error.is_certain) from error
    if answer.status not in {200, _NOT_MODIFIED}:
        retry_after = answer.headers.get("retry-after", "")
        raise DownloadError(f"the server answers {answer.status}", status=answer.status, retry_after=retry_after)
    if answer.is_cut:
        raise DownloadError(f"it is larger than {most_bytes / 1e6:g} MB", status=answer.status)
    return Download(url=at, body=answer.body, headers=answer.headers, is_unchanged=answer.status == _NOT_MODIFIED)
