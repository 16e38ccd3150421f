"""`/u/<token>` and `/p/<token>`: a reader's own links. GET shows, POST changes (RFC 8058 for the first)."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from composer.models import Publication
from subscribers import merging, preferences, reader_links, tracking
from subscribers.tokens import Link, LinkKind, may_be_token
from tasks.database import high_water
from tasks.feedback import unsubscribing
from web.public_pages import not_found, page

#: Mails carry one token for both pages, so either kind opens either page.
_KINDS = frozenset({LinkKind.UNSUBSCRIBE, LinkKind.PREFERENCES})
_PREFERENCES = "preferences page"


# Mail providers post without a cookie, so there is nothing a forged request could borrow: the token is the authority.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show one button; on POST unsubscribe and answer 200, whatever the body holds and however often it comes.

    A test mail's link shows the same page, says that it is a test, and changes nothing.
    """
    link, publication = _read(token)
    if link is None or publication is None:
        return not_found()
    context: dict[str, object] = {"preferences_url": reverse("preferences", args=[token])}
    if _is_test(link):
        return page(
            "web/public/unsubscribe.html", publication, context | {"trial": True, "tried": request.method == "POST"}
        )
    if request.method != "POST":
        return page("web/public/unsubscribe.html", publication, context)
    unsubscribing.unsubscribe(
        publication_id=publication.pk,
        send_id=link.send_id,
        subscriber_id=link.subscriber_id,
        source="one-click" if _is_one_click(request) else "unsubscribe page",
    )
    return page("web/public/unsubscribed.html", publication, context)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """Show the reader's lists of the publication, and whether they are tracked; on POST keep the ticked and leave the others.

    The box on tracking changes no subscription, and the lists change nothing of it.
    """
    link, publication = _read(token)
    if link is None or publication is None:
        return not_found()
    if _is_test(link):
        return page("web/public/preferences.html", publication, {"trial": True})
    saved = request.method == "POST"
    if saved:
        _save_tracking(link, publication, request)
        _save(link, {int(value) for value in request.POST.getlist("list") if value.isdecimal() and len(value) < 19})
    context = {
        "choices": preferences.choices(link.subscriber_id, publication.pk),
        "tracking": _question(link, publication),
        "saved": saved,
    }
    return page("web/public/preferences.html", publication, context)


def _question(link: Link, publication: Publication) -> tracking.Question | None:
    return tracking.question(
        link.subscriber_id,
        asks=publication.tracking,
        track_unknown=publication.track_unknown,
        wording=publication.tracking_wording,
    )


def _save_tracking(link: Link, publication: Publication, request: HttpRequest) -> None:
    if _question(link, publication) is None:
        return
    shown = request.POST.get("tracking_shown")
    tracking.change(
        link.subscriber_id,
        ticked="tracking" in request.POST,
        shown=None if shown is None else shown == "on",
        source=_PREFERENCES,
        wording=publication.tracking_wording,
    )


def _save(link: Link, wanted: set[int]) -> None:
    if wanted:
        preferences.choose(link.subscriber_id, link.publication_id, wanted, source=_PREFERENCES)
    else:
        unsubscribing.unsubscribe(
            publication_id=link.publication_id,
            send_id=link.send_id,
            subscriber_id=link.subscriber_id,
            source=_PREFERENCES,
        )


def _read(token: str) -> tuple[Link | None, Publication | None]:
    link = reader_links.signer(high_water.known_installation()).read(token)
    if link is None and may_be_token(token):
        # The database that was here when this process looked may have been replaced by another installation's.
        link = reader_links.signer(high_water.installation()).read(token)
    if link is None or link.kind not in _KINDS:
        return None, None
    link = replace(link, subscriber_id=merging.current_id(link.subscriber_id))
    return link, Publication.objects.filter(pk=link.publication_id).first()


def _is_test(link: Link) -> bool:
    """The links of a test mail belong to nobody."""
    return link.send_id == 0 and link.subscriber_id == 0


def _is_one_click(request: HttpRequest) -> bool:
    """RFC 8058, section 3.2: the body is List-Unsubscribe=One-Click. One that cannot be read unsubscribes all the same."""
    try:
        return request.POST.get("List-Unsubscribe") == "One-Click"
    except Exception:  # noqa: BLE001 - whatever is wrong with the body, the reader wants to leave
        return False
