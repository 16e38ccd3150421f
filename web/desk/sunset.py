"""Agreeing to a publication's sunset rule: how many readers get nothing more, before it takes effect."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from wagtail import hooks
from wagtail.admin import messages
from wagtail.log_actions import log

from composer.permissions import Right, may, publications
from newsdesk.core.errors import InputError
from tasks.feedback import sunset
from web.desk.headers import header


def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """GET says what the rule would do and asks; POST agrees to the number that was shown, and returns to the first page."""
    user: Any = request.user
    publication = get_object_or_404(publications(user, Right.SEE), pk=pk)
    if not may(user, Right.PUBLICATION, publication.pk):
        raise PermissionDenied
    if request.method == "POST":
        try:
            readers = int(request.POST.get("readers", ""))
            sunset.confirm(publication, readers, who=user.get_username())
        except ValueError:
            messages.error(request, "Nothing was agreed to: no number came with it.")
        except InputError:
            messages.warning(request, "Nothing was agreed to: the number has changed meanwhile. Look again.")
        else:
            log(instance=publication, action="newsdesk.sunset", user=user, data={"readers": readers})
            messages.success(request, "From tonight on they get nothing more.")
        return redirect(reverse("wagtailadmin_home"))
    context = {
        "publication": publication,
        "standing": sunset.standing(publication),
        **header("Silent readers", "group", (str(publication), reverse("publication:edit", args=[pk]))),
    }
    return TemplateResponse(request, "web/desk/sunset.html", context)


@hooks.register("register_admin_urls")
def our_urls() -> list[URLPattern]:
    return [path("publications/<int:pk>/sunset/", decide, name="desk_sunset")]
