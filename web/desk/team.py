"""“Team”: who works here, with which role in which publication. For administrators."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.log_actions import log

from composer import team
from composer.models import Role
from composer.permissions import Right, may, may_anywhere
from web.accounts.recent_login import recently_authenticated
from web.accounts.sessions import end_all
from web.desk.headers import header
from web.desk.invitations import invite

_PREFIX = "role-"
_FOR_ALL = "all"


class PersonForm(forms.Form):
    """Of a person: name, address, and a role for each publication whose team the actor manages."""

    full_name = forms.CharField(label="Name", max_length=200, required=False)
    email = forms.EmailField(label="E-mail address", max_length=150)

    def __init__(self, actor: Any, person: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._where: dict[str, int | None] = {}
        held = {one.publication_id: one.role for one in person.memberships.all()} if person else {}
        if may(actor, Right.TEAM, None):
            self._add_role(_FOR_ALL, None, "All publications", held)
        for publication in team.manageable(actor):
            self._add_role(str(publication.pk), publication.pk, publication.title, held)
        if person is not None:
            self.fields["full_name"].initial = person.get_full_name()
            self.fields["email"].initial = person.email
            if not team.may_manage(actor, person):
                for name in ("full_name", "email"):
                    self.fields[name].disabled = True
                    self.fields[name].help_text = "Changed by whoever manages the team wherever this person has a role."
                self.fields["email"].required = False
            elif not person.email:
                self.fields["email"].required = False

    def _add_role(self, key: str, where: int | None, label: str, held: dict[int | None, str]) -> None:
        self._where[_PREFIX + key] = where
        self.fields[_PREFIX + key] = forms.ChoiceField(
            label=label, required=False, choices=[("", "No role"), *Role.choices], initial=held.get(where, "")
        )

    @property
    def role_fields(self) -> list[Any]:
        return [self[name] for name in self._where]

    def roles(self) -> dict[int | None, str]:
        return {where: self.cleaned_data[name] for name, where in self._where.items()}


def _for_administrators(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For those who manage some team; whoever changes something shows first who they are, unless they have just done so."""
    recent = recently_authenticated(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_anywhere(request.user, Right.TEAM):
            raise PermissionDenied
        response: HttpResponse = recent(request, *args, **kwargs)
        return response

    return guarded


@_for_administrators
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who works where the actor manages the team."""
    rows = [_row(person) for person in team.people_for(request.user)]
    return _page(request, "web/desk/team.html", "Team", {"rows": rows})


@_for_administrators
def add(request: HttpRequest) -> HttpResponse:
    """POST makes the account, with a password that nobody knows, and mails the link at which the person sets one."""
    form = PersonForm(request.user, None, request.POST or None)
    if request.method == "POST" and form.is_valid():
        roles = form.roles()
        if not any(roles.values()):
            form.add_error(None, "Give at least one role; without one nobody gets in.")
        else:
            try:
                person, is_new = team.add_person(
                    request.user,
                    email=form.cleaned_data["email"],
                    full_name=form.cleaned_data["full_name"],
                    roles=roles,
                )
            except ValidationError as error:
                form.add_error(None, error)
            else:
                _record(request, person)
                if is_new:
                    return _link_page(request, person)
                messages.success(request, f"{_called(person)} has an account already, and now the roles too.")
                return redirect(reverse("desk_team"))
    return _page(request, "web/desk/team_person.html", "Add a person", {"form": form, "person": None}, form=form)


@_for_administrators
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Name, address and roles of one person."""
    person = get_object_or_404(team.people_for(request.user), pk=pk)
    is_managed = team.may_manage(request.user, person)
    form = PersonForm(request.user, person, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if is_managed:
                cleaned = form.cleaned_data
                team.rename(request.user, person, email=cleaned["email"], full_name=cleaned["full_name"])
            team.set_roles(request.user, person, form.roles())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            _record(request, person)
            messages.success(request, f"{_called(person)} is saved.")
            return redirect(reverse("desk_team"))
    shown = {str(field.html_name) for field in form.role_fields}
    elsewhere = [one for one in person.memberships.all() if f"{_PREFIX}{one.publication_id or _FOR_ALL}" not in shown]
    context = {"form": form, "person": person, "row": _row(person), "is_managed": is_managed, "elsewhere": elsewhere}
    return _page(request, "web/desk/team_person.html", _called(person), context, form=form)


@_for_administrators
def activity(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """GET asks first; POST lets a person in again, or no longer."""
    person = _managed(request, pk)
    if what not in {"activate", "deactivate"}:
        raise Http404
    if request.method != "POST":
        return _page(request, "web/desk/team_confirm.html", _called(person), {"person": person, "what": what})
    try:
        team.set_active(request.user, person, is_active=what == "activate")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        if not person.is_active:
            end_all(person)
        _record(request, person)
        done = "can log in again" if person.is_active else "is deactivated, and logged out everywhere"
        messages.success(request, f"{_called(person)} {done}.")
    return redirect(reverse("desk_team"))


@require_POST
@_for_administrators
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Mail a new link to set the password; the old password works until it is used."""
    person = _managed(request, pk)
    if not person.is_active:
        raise Http404
    _record(request, person)
    return _link_page(request, person)


def _managed(request: HttpRequest, pk: int) -> Any:
    person = get_object_or_404(team.people_for(request.user), pk=pk)
    if not team.may_manage(request.user, person):
        raise PermissionDenied
    return person


def _called(person: Any) -> str:
    return str(person.get_full_name() or person.get_username())


def _row(person: Any) -> dict[str, Any]:
    is_invited = person.last_login is None and not person.has_usable_password()
    state = "Deactivated" if not person.is_active else "Invited" if is_invited else "Active"
    roles = ["Everything, in all publications"] if person.is_superuser else []
    roles += [str(one) for one in person.memberships.all()]
    return {"person": person, "called": _called(person), "roles": roles, "state": state}


def _record(request: HttpRequest, person: Any) -> None:
    roles = sorted(
        f"{one.publication_id or _FOR_ALL}={one.role}" for one in person.memberships.model.objects.filter(user=person)
    )
    log(instance=person, action="newsdesk.team", user=request.user, data={"roles": roles, "active": person.is_active})


def _link_page(request: HttpRequest, person: Any) -> HttpResponse:
    link, why = invite(request, person)
    context = {
        "person": person,
        "called": _called(person),
        "link": link,
        "why": why,
        "hours": settings.LOGIN.invitation_hours,
    }
    return _page(request, "web/desk/team_link.html", _called(person), context)


def _page(
    request: HttpRequest, template: str, title: str, context: dict[str, Any], *, form: PersonForm | None = None
) -> HttpResponse:
    above = [] if title == "Team" else [("Team", reverse("desk_team"))]
    status = 422 if form is not None and form.is_bound and form.errors else 200
    return TemplateResponse(request, template, {**header(title, "group", *above), **context}, status=status)


@hooks.register("register_admin_urls")
def our_urls() -> list[URLPattern]:
    return [
        path("team/", people, name="desk_team"),
        path("team/add/", add, name="desk_team_add"),
        path("team/<int:pk>/", change, name="desk_team_person"),
        path("team/<int:pk>/link/", link, name="desk_team_link"),
        path("team/<int:pk>/<slug:what>/", activity, name="desk_team_activity"),
    ]


class _TeamItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return may_anywhere(request.user, Right.TEAM)


@hooks.register("register_admin_menu_item")
def our_menu_item() -> MenuItem:
    return _TeamItem("Team", reverse("desk_team"), name="team", icon_name="group", order=400)
