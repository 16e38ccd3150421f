"""The sidebar's search: stories, editions and readers, each for those who may see them; Wagtail's pages are nowhere."""

from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from wagtail import hooks
from wagtail.admin.search import SearchArea

from composer.models import Edition, Story
from composer.permissions import Right, may_anywhere, publication_ids, within
from subscribers.models import Subscriber, Subscription
from web.desk.headers import header
from web.desk.status import status_of, with_status

SHOWN = 20
#: Characters; what is longer is no word of a headline and no address.
LONGEST = 320


def search(request: HttpRequest) -> HttpResponse:
    """What is found in each of the three, the newest first; nothing for nothing."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    context = {
        "words": words,
        "shown": SHOWN,
        "found": _found(request.user, words) if words else {},
        **header("Search", "search"),
    }
    return TemplateResponse(request, "web/desk/search.html", context)


def _found(user: Any, words: str) -> dict[str, list[Any]]:
    """By kind, only the kinds that the user may see."""
    found: dict[str, list[Any]] = {}
    if may_anywhere(user, Right.SEE):
        editions = with_status(within(_editions(words), user, Right.SEE)).select_related("publication")[:SHOWN]
        found["editions"] = [(edition, status_of(edition)) for edition in editions]
        found["stories"] = list(within(_stories(words), user, Right.SEE).select_related("publication")[:SHOWN])
    if may_anywhere(user, Right.READERS):
        found["readers"] = list(_readers(words, user)[:SHOWN])
    return found


def _editions(words: str) -> "QuerySet[Edition]":
    """By title, subject, or number: "118", "No. 118"."""
    number = words.lower().removeprefix("no.").strip()
    named = Q(title__icontains=words) | Q(subject__icontains=words)
    if number.isascii() and number.isdigit() and len(number) < 9:
        named |= Q(number=int(number))
    return Edition.objects.filter(named).order_by("-created_at", "-pk")


def _stories(words: str) -> "QuerySet[Story]":
    """Every word stands in the headline, the lede or the source's name."""
    stories = Story.objects.all()
    for word in words.split()[:10]:
        stories = stories.filter(Q(headline__icontains=word) | Q(lede__icontains=word) | Q(source_name__icontains=word))
    return stories.order_by("-created_at", "-pk")


def _readers(words: str, user: Any) -> "QuerySet[Subscriber]":
    """Whose address or name begins so, without case, with their lists; only readers of publications whose readers the user may see."""
    seen = within(Subscription.objects.all(), user, Right.READERS, path="list__publication_id")
    everybody = publication_ids(user, Right.READERS) is None
    pks = set()
    for field in ("email", "name"):
        named = beginning(field, words)
        pks |= set((named if everybody else named.filter(Exists(seen.filter(subscriber=OuterRef("pk")))))[:SHOWN])
    on = Prefetch("subscriptions", seen.select_related("list__publication"))
    return Subscriber.objects.filter(pk__in=pks).prefetch_related(on).order_by("email")


def beginning(field: str, words: str) -> "QuerySet[Subscriber, int]":
    """The ids of those whose address or name begins so. In no order: an order would be found by reading a million rows."""
    named = Subscriber.objects.order_by().alias(folded=Lower(field))
    return named.filter(folded__startswith=words.lower()).values_list("pk", flat=True)


@hooks.register("register_admin_search_area")
def our_search_area() -> SearchArea:
    # The sidebar takes the first.
    return SearchArea(
        "Stories, editions, readers", reverse("desk_search"), name="newsdesk", icon_name="search", order=1
    )


@hooks.register("construct_search")
def only_ours(_request: HttpRequest, areas: list[Any]) -> None:
    areas[:] = [area for area in areas if area.name == "newsdesk"]


@hooks.register("register_admin_urls")
def our_urls() -> list[URLPattern]:
    return [path("search/", search, name="desk_search")]
