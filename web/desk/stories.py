"""Stories at the desk: what came in, whether it ran, and writing one."""

from typing import Any

import django_filters  # type: ignore[import-untyped]  # it ships no types
from django.db.models import Max, QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.widgets.button import HeaderButton
from wagtail.snippets.views.chooser import ChooseResultsView, ChooseView, SnippetChooserViewSet
from wagtail.snippets.views.snippets import CreateView, IndexView, SnippetViewSet

from composer.models import Publication, Story
from web.desk.panels import STORY_PANELS

#: Columns that a phone leaves out.
WIDE = "desk-wide"


def with_last_ran(stories: "QuerySet[Story]") -> "QuerySet[Story]":
    return stories.select_related("publication").annotate(last_ran=Max("placements__edition__number"))


def _ran(story: Any) -> str:
    return f"No. {story.last_ran}" if story.last_ran else ""


COLUMNS = [
    Column("publication", label="Publication"),
    Column("ran", label="Ran in", accessor=_ran),
    DateColumn("created_at", label="Came in"),
]


class StoryFilter(WagtailFilterSet):
    ran = django_filters.BooleanFilter(field_name="last_ran", lookup_expr="isnull", exclude=True, label="Already ran")

    class Meta:
        model = Story
        fields = ["publication", "origin"]


class StoryIndexView(IndexView):
    @cached_property
    def header_buttons(self) -> list[Any]:
        paste = HeaderButton("Paste a digest", url=reverse("desk_add_stories"), icon_name="clipboard-list")
        return [*super().header_buttons, *([paste] if self.add_url else [])]

    def get_base_queryset(self) -> "QuerySet[Story]":
        return with_last_ran(super().get_base_queryset())


class StoryCreateView(CreateView):
    def get_initial_form_instance(self) -> Story:
        return Story(publication=usual_publication())


def usual_publication() -> Publication | None:
    """Where the last edition was made, or the only publication there is."""
    return Publication.objects.order_by("-editions__created_at", "pk").first()


class WhereItRan:
    """Picking stories goes by what is new: when each came in, and whether it ran."""

    def get_object_list(self) -> "QuerySet[Story]":
        stories: QuerySet[Story] = super().get_object_list()  # type: ignore[misc]  # Wagtail's views have it
        return with_last_ran(stories)

    @property
    def columns(self) -> list[Any]:
        return [*super().columns, *COLUMNS]  # type: ignore[misc]


class StoryChooseView(WhereItRan, ChooseView):
    pass


class StoryChooseResultsView(WhereItRan, ChooseResultsView):
    pass


class StoryChooserViewSet(SnippetChooserViewSet):
    choose_view_class = StoryChooseView
    choose_results_view_class = StoryChooseResultsView


class StoryViewSet(SnippetViewSet):
    model = Story
    icon = "doc-full"
    menu_label = "Stories"
    menu_name = "stories"
    menu_order = 20
    add_to_admin_menu = True
    url_prefix = "stories"
    edit_handler = STORY_PANELS
    index_view_class = StoryIndexView
    add_view_class = StoryCreateView
    filterset_class = StoryFilter
    list_display = [
        "headline",
        Column("publication", label="Publication", sort_key="publication__title", classname=WIDE),
        Column("origin", label="Came from", accessor="get_origin_display", classname=WIDE),
        Column("ran", label="Ran in", accessor=_ran, sort_key="last_ran"),
        DateColumn("created_at", label="Came in", sort_key="created_at", classname=WIDE),
    ]
    list_per_page = 50
    ordering = ["-created_at", "-pk"]
    chooser_per_page = 20
    chooser_viewset_class = StoryChooserViewSet
