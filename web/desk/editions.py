"""Editions at the desk: list, write, order, preview, approve."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from wagtail.admin import messages
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.ui.tables import Column, LiveStatusTagColumn, UpdatedAtColumn
from wagtail.snippets.views.chooser import SnippetChooserViewSet
from wagtail.snippets.views.snippets import (
    CreateView,
    DeleteView,
    EditView,
    IndexView,
    InspectView,
    SnippetViewSet,
)

from composer.conversion import edition_content
from composer.models import Edition
from composer.next_edition import follow_on
from composer.permissions import Right, may, may_approve
from tasks.slots.active_recurrence import active_recurrence
from web.accounts.recent_login import require_recent_login_for
from web.desk import (
    as_reader,
    doubts,
    edition_actions,
    remarks,
    report,
    reviews,
    scheduling,
    send_actions,
    sends,
    story_picking,
    test_sends,
)
from web.desk.as_reader import EditionPreview, EditionPreviewPanel
from web.desk.edition_panels import EditionChecksPanel, EditionStatusPanel
from web.desk.inbox_line import suggested
from web.desk.made_once import MadeOnce
from web.desk.panels import EDITION_PANELS
from web.desk.scoped import ScopedChooserViews, ScopedFilter, ScopedViews, usual_publication
from web.desk.status import StateColumn, with_status
from web.desk.stories import WIDE
from web.desk.test_sends import EditionTestPanel, may_test
from web.desk.times import on_clock

#: Wagtail's own ways out, which an edition does not have.
_NOT_OURS = frozenset({"unpublish", "revisions_unschedule"})
SCRIPTS = (
    "jump.js",
    "inbox_line.js",
    "sends.js",
    "standing_fields.js",
    "pick_stories.js",
    "remarks.js",
    "as_reader.js",
)


def _slot(edition: Edition) -> str:
    return on_clock(edition.slot, edition.publication.zone) if edition.slot else ""


class EditionIndexView(IndexView):
    nothing_yet = "There are no editions yet. Paste a digest, and its stories become one; or write one from the inbox."

    @property
    def first_steps(self) -> list[tuple[str, str]]:
        may_add = bool(self.add_url)
        return [("Paste a digest", reverse("desk_add_stories")), ("Add edition", self.add_url)] if may_add else []

    def get_base_queryset(self) -> "QuerySet[Edition]":
        return with_status(super().get_base_queryset().select_related("publication"))

    @cached_property
    def list_display(self) -> list[Any]:
        columns = super().list_display
        return [column for column in columns if not isinstance(column, LiveStatusTagColumn)]


class WithEditionPanels:
    """The side panels of an edition: where it stands, what is wrong with it, what it looks like."""

    def get_side_panels(self) -> MediaContainer:
        view: Any = self
        edition = view.form.instance if view.view_name == "create" else view.object
        panels: list[Any] = [
            EditionStatusPanel(edition, view.request),
            EditionChecksPanel(edition, view.request),
        ]
        if not view.expects_json_response:
            if may_test(view.request.user, edition):
                panels.append(EditionTestPanel(edition, view.request))
            panels.append(EditionPreviewPanel(edition, view.request, preview_url=view.get_preview_url()))
        return MediaContainer(panels)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        view: Any = self
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]  # Wagtail's views have it
        menu = context["action_menu"]
        actions = [menu.default_item, *menu.menu_items] if menu.default_item else []
        context["edition_actions"] = [action.render_html(menu.context) for action in actions]
        context["edition_scripts"] = [versioned_static(f"web/desk/{name}") for name in SCRIPTS]
        checks = next(panel for panel in context["side_panels"] if isinstance(panel, EditionChecksPanel))
        context["errors_count"], context["sizes"] = checks.errors, checks.sizes
        if checks.problems or checks.approved:
            view.form.untouched = checks.untouched
        context["suggestions"] = suggested(view.form.instance)
        return context


class EditionCreateView(MadeOnce, WithEditionPanels, CreateView):
    def get_initial_form_instance(self) -> Edition:
        edition = Edition(live=False)
        publication = usual_publication(self.request.user, Right.EDIT)
        return follow_on(edition, publication) if publication else edition


class EditionEditView(WithEditionPanels, EditView):
    partials_template_name = "web/desk/edition_partials.html"

    _read: Edition | None = None

    def get_queryset(self) -> "QuerySet[Edition]":
        editions: QuerySet[Edition] = super().get_queryset()
        editions = editions.select_related("publication", "latest_revision__user")
        return with_status(editions) if self.request.method == "GET" else editions

    def get_object(self, queryset: Any = None) -> Edition:
        """A page that only reads asks once; Wagtail's view does twice."""
        if self._read is not None:
            return self._read
        edition: Edition = super().get_object(queryset)
        if self.request.method == "GET":
            edition.remember_approval()
            self._read = edition
        return edition

    def get_available_actions(self) -> list[str]:
        """Saving and approving; never Wagtail's publishing."""
        actions = [action for action in super().get_available_actions() if action != "publish"]
        user, publication = self.request.user, self.object.publication_id
        if not may_approve(user, publication):
            return [*actions, "ask"]
        actions.append("approve")
        return [*actions, "schedule"] if may(user, Right.SEND, publication) else actions

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What is approved goes out with its slot where readers are chosen for it: that is a send like any other."""
        recurrence = active_recurrence(self.object.publication_id) if self.action == "approve" else None
        if recurrence is not None:
            require_recent_login_for(request, scheduling.active_readers(recurrence.lists.all()))
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def is_valid(self, form: Any) -> bool:
        if self.action in {"approve", "schedule"} and self._somebody_else_saved():
            self.produced_error_code = "invalid_revision"
            self.produced_error_message = (
                "Somebody saved a newer version meanwhile: reload the page, look, and approve."
            )
            return False
        return bool(super().is_valid(form))

    def _somebody_else_saved(self) -> bool:
        # One's own autosave may still be under way when the button is clicked.
        return bool(self.is_out_of_date and self.latest_revision.user_id != self.request.user.pk)

    def save_instance(self) -> Edition:
        """Approving saves first, unless nothing a reader could see differs: whoever only approves has edited nothing."""
        if self.action in {"approve", "schedule"}:
            stored = Edition.objects.select_related("publication").get(pk=self.object.pk)
            if edition_content(self.form.instance) == edition_content(stored):
                self.new_revision = stored.latest_revision
                return stored
        saved: Edition = super().save_instance()
        return saved

    def approve_action(self) -> HttpResponse:
        edition_actions.approve(self.request, self.object)
        return redirect(self.get_edit_url())

    def schedule_action(self) -> HttpResponse:
        return redirect(reverse(EDITIONS.get_url_name("schedule"), args=[self.object.pk]))

    def ask_action(self) -> HttpResponse:
        reviews.ask(self.request, self.object)
        return redirect(self.get_edit_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["review"] = reviews.as_html(self.request, self.object)
        context["sends"] = sends.as_html(self.request, self.object)
        context["report"] = report.of(self.object)
        if self.locked_for_user:
            context["autosave_enabled"] = False
        return context


class EditionDeleteView(DeleteView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user_has_permission("delete") and self.object.approvals.exists():
            messages.error(
                request, "An edition that was ever approved stays: its bytes are the record of what was sent."
            )
            return redirect(reverse(EDITIONS.get_url_name("edit"), args=[self.object.pk]))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


class EditionInspectView(InspectView):
    """For those who may see an edition and not write it: what it is, and what became of it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["sends"] = sends.as_html(self.request, self.object)
        context["sends_script"] = versioned_static("web/desk/sends.js")
        return context


class EditionFilter(ScopedFilter):
    class Meta:
        model = Edition
        fields = ["publication"]


class EditionChooserViewSet(ScopedChooserViews, SnippetChooserViewSet):
    pass


class EditionViewSet(ScopedViews, SnippetViewSet):
    model = Edition
    icon = "draft"
    menu_label = "Editions"
    menu_name = "editions"
    menu_order = 10
    add_to_admin_menu = True
    url_prefix = "editions"
    edit_handler = EDITION_PANELS
    index_view_class = EditionIndexView
    add_view_class = EditionCreateView
    edit_view_class = EditionEditView
    delete_view_class = EditionDeleteView
    preview_on_edit_view_class = EditionPreview
    inspect_view_class = EditionInspectView
    inspect_view_enabled = True
    inspect_view_fields = ["publication", "number", "slot", "title", "subject", "preheader"]
    inspect_template_name = "web/desk/edition_inspect.html"
    create_template_name = edit_template_name = "web/desk/edition_edit.html"
    list_display = [
        "title",
        Column("number", label="No.", sort_key="number", classname=WIDE),
        Column("publication", label="Publication", sort_key="publication__title", classname=WIDE),
        Column("slot", label="Slot", accessor=_slot, sort_key="slot", classname=WIDE),
        UpdatedAtColumn(classname=WIDE),
        StateColumn(),
    ]
    filterset_class = EditionFilter
    chooser_viewset_class = EditionChooserViewSet
    list_per_page = 50
    ordering = ["-created_at", "-pk"]
    copy_view_enabled = False

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *(pattern for pattern in super().get_urlpatterns() if pattern.name not in _NOT_OURS),
            path("reopen/<int:pk>/", edition_actions.reopen, name="reopen"),
            path("send-back/<int:pk>/", reviews.send_back, name="send_back"),
            path("test/<int:pk>/", test_sends.send, name="send_test"),
            path("as-reader/<int:pk>/", as_reader.find, name="as_reader"),
            path("schedule/<int:pk>/", scheduling.schedule, name="schedule"),
            path("sends/<int:pk>/", sends.section, name="sends"),
            path("sends/<int:pk>/<int:send>/<slug:what>/", send_actions.act, name="send_action"),
            path("sends/<int:pk>/<int:send>/<int:batch>/<slug:decision>/", doubts.decide, name="decide_batch"),
            path("sends/<int:pk>/<int:send>/all/<slug:decision>/", doubts.decide_all, name="decide_batches"),
            path("mail/<int:pk>/<int:variant>/", report.mail, name="mail"),
            path("story/<int:pk>/", story_picking.story_state, name="story_state"),
            path("remarks/<int:pk>/", remarks.remarks, name="remarks"),
            path("remarks/<int:pk>/<int:remark>/", remarks.resolve, name="resolve_remark"),
        ]


EDITIONS = EditionViewSet()
