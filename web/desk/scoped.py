"""Every view of a viewset shows only what belongs to publications the person may see, and does only what they may there.

The viewsets mix these in as they make their views: a new view cannot leave it out.
"""

from typing import Any

import django_filters  # type: ignore[import-untyped]  # it ships no types
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.functional import cached_property
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.views import generic
from wagtail.permissions import policy_registry

from composer.models import Publication
from composer.permission_policies import PublicationPolicy
from composer.permissions import Right, publications


def policy_of(model: type[Model]) -> PublicationPolicy:
    policy: PublicationPolicy = policy_registry.get_by_type(model)
    return policy


class Scoped:
    """Of a view of one object (its `pk` is in the address), or of several."""

    model: type[Model]
    request: HttpRequest
    #: The publication's id; only of views of one object.
    publication_id: int | None = None

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Raises Http404 for what the person may not see: as if it were not there."""
        if "pk" in kwargs:
            self.publication_id = publication_of(self.model, kwargs["pk"], request.user)
        super().setup(request, *args, **kwargs)  # type: ignore[misc]  # Django's views have it

    @cached_property
    def permission_policy(self) -> Any:
        policy = policy_of(self.model)
        return policy if self.publication_id is None else policy.within(self.publication_id)

    def get_base_queryset(self) -> Any:
        rows = super().get_base_queryset()  # type: ignore[misc]  # Wagtail's lists have it
        return policy_of(self.model).visible(rows, self.request.user) if rows.model is self.model else rows


class ScopedIndex(Scoped):
    """A list: each row offers what may be done with it, which differs from publication to publication."""

    #: Wagtail's spreadsheets of a list: none of ours names columns for one.
    FORMATS = ()

    def get_edit_url(self, instance: Any) -> str | None:
        return self._if("change", instance, super().get_edit_url(instance))  # type: ignore[misc]  # Wagtail's list has it

    def get_copy_url(self, instance: Any) -> str | None:
        return self._if("add", instance, super().get_copy_url(instance))  # type: ignore[misc]  # Wagtail's list has it

    def get_delete_url(self, instance: Any) -> str | None:
        return self._if("delete", instance, super().get_delete_url(instance))  # type: ignore[misc]  # Wagtail's list has it

    def _if(self, action: str, instance: Any, url: str | None) -> str | None:
        policy = policy_of(self.model)
        return url if policy.user_has_permission_for_instance(self.request.user, action, instance) else None


class ScopedEdit(Scoped):
    """Whoever may see but not change it is shown it, where there is a page for that."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view: Any = self
        if request.method == "GET" and view.inspect_url_name and not view.user_has_permission("change"):
            return redirect(reverse(view.inspect_url_name, args=[kwargs["pk"]]))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # Django's views have it
        return response


class ScopedChooser:
    """Of the views of a chooser."""

    model: type[Model]
    request: HttpRequest

    def get_object_list(self) -> Any:
        return policy_of(self.model).visible(super().get_object_list(), self.request.user)  # type: ignore[misc]

    def get_object(self, pk: Any) -> Any:
        """Raises ObjectDoesNotExist, which Wagtail answers with 404."""
        try:
            found = super().get_object(pk)  # type: ignore[misc]  # Wagtail's view has it
        except ValueError as error:
            raise ObjectDoesNotExist from error
        if not policy_of(self.model).user_has_permission_for_instance(self.request.user, "view", found):
            raise ObjectDoesNotExist
        return found

    def get_objects(self, pks: list[str]) -> Any:
        numbers = [pk for pk in pks if pk.isascii() and pk.isdecimal() and len(pk) < 19]
        return policy_of(self.model).visible(super().get_objects(numbers), self.request.user)  # type: ignore[misc]


class ScopedViews:
    """Of a viewset. A list that is empty says what to do, in its view's `nothing_yet` and `first_steps`."""

    index_results_template_name = "web/desk/list_results.html"

    def construct_view(self, view_class: type[Any], **kwargs: Any) -> Any:
        mixin: type[Any] = Scoped
        if issubclass(view_class, generic.IndexView):
            mixin = ScopedIndex
        elif issubclass(view_class, generic.EditView):
            mixin = ScopedEdit
        return super().construct_view(_mixed(mixin, view_class), **kwargs)  # type: ignore[misc]  # Wagtail's viewset has it


class ScopedChooserViews:
    """Of a chooser's viewset."""

    def construct_view(self, view_class: type[Any], **kwargs: Any) -> Any:
        return super().construct_view(_mixed(ScopedChooser, view_class), **kwargs)  # type: ignore[misc]  # Wagtail's has it

    def get_urlpatterns(self) -> list[URLPattern]:
        """Without the view that makes an object inside the chooser: it has no form here."""
        return [pattern for pattern in super().get_urlpatterns() if pattern.name != "create"]  # type: ignore[misc]


def _mixed(mixin: type[Any], view_class: type[Any]) -> type[Any]:
    namespace = {"__module__": view_class.__module__, "__qualname__": view_class.__qualname__}
    return type(view_class.__name__, (mixin, view_class), namespace)


def publication_of(model: type[Model], pk: Any, user: Any) -> int:
    """The id of the publication an object belongs to. Raises Http404 where there is none that the user may see."""
    policy, text = policy_of(model), str(pk)
    found = None
    if text.isascii() and text.isdecimal() and len(text) < 19:
        rows = model._default_manager.filter(pk=int(text))  # noqa: SLF001 - the public way to a model's manager
        found = rows.values_list(policy.path, flat=True).first()
    if found is None or not policy.user_may_in(user, "view", found):
        raise Http404
    return int(found)


class ScopedForm(WagtailAdminModelForm):
    """A form whose publication is one of those the person may do this in."""

    right = Right.WRITE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.for_user is not None and "publication" in self.fields:
            self.fields["publication"].queryset = publications(self.for_user, self.right).order_by("title")


def _visible(request: HttpRequest | None) -> "QuerySet[Publication]":
    return publications(request.user, Right.SEE) if request else Publication.objects.none()


class ScopedFilter(WagtailFilterSet):
    """A filter by publication names only those the person may see."""

    publication = django_filters.ModelChoiceFilter(queryset=_visible)


def usual_publication(user: Any, right: Right) -> Publication | None:
    """Of those the user may do this in: where the last edition was made, or the only one there is."""
    return publications(user, right).order_by("-editions__created_at", "pk").first()
