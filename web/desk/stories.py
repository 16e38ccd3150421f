"""Stories at the desk: what came in, whether it ran, and writing one."""

from typing import Any

import django_filters  # type: ignore[import-untyped]  # it ships no types
from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.widgets.button import HeaderButton
from wagtail.snippets.views.chooser import ChooseResultsView, ChooseView, SnippetChooserViewSet
from wagtail.snippets.views.snippets import CreateView, IndexView, InspectView, SnippetViewSet

from composer.images import thumbnail
from composer.models import Placement, Story
from composer.permissions import Right
from composer.same_story.inbox import same_news
from web.desk import story_picking
from web.desk.made_once import MadeOnce
from web.desk.panels import DATED, STORY_PANELS
from web.desk.scoped import ScopedChooserViews, ScopedFilter, ScopedViews, usual_publication

#: Columns that a phone leaves out.
WIDE = "desk-wide"


def with_last_ran(stories: "QuerySet[Story]") -> "QuerySet[Story]":
    """Each story with the edition in which it ran last, and its number there."""
    last = Placement.objects.filter(story=OuterRef("pk")).order_by("-edition__number")
    return stories.select_related("publication").annotate(
        last_ran=Subquery(last.values("edition__number")[:1]), ran_as=Subquery(last.values("number")[:1])
    )


def _same(story: Any) -> str:
    return str(getattr(story, "same_news", None) or "")


def _ran(story: Any) -> str:
    return f"No. {story.last_ran} as #{story.ran_as}" if story.last_ran else ""


class ThumbnailColumn(Column):
    """The story's picture, small; its text is the headline beside it."""

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        image = instance.image
        url = thumbnail(image) if image else ""
        context["value"] = format_html('<img class="desk-thumb" src="{}" alt="" loading="lazy">', url) if url else ""
        return context


COLUMNS = [
    Column("publication", label="Publication"),
    Column("ran", label="Ran in", accessor=_ran),
    DateColumn("created_at", label="Came in"),
]


class StoryFilter(ScopedFilter):
    topics = django_filters.CharFilter(lookup_expr="icontains", label="Topic")
    source_name = django_filters.CharFilter(lookup_expr="icontains", label="Source")
    archived = django_filters.BooleanFilter(method="which_archived", label="Archived")
    ran = django_filters.BooleanFilter(field_name="last_ran", lookup_expr="isnull", exclude=True, label="Already ran")

    class Meta:
        model = Story
        fields = ["publication", "origin"]

    def filter_queryset(self, queryset: "QuerySet[Story]") -> "QuerySet[Story]":
        """Without archived stories, unless they are asked for."""
        found: QuerySet[Story] = super().filter_queryset(queryset)
        return found.filter(archived_at__isnull=not self.form.cleaned_data["archived"])

    def which_archived(self, stories: "QuerySet[Story]", _name: str, _asked: bool) -> "QuerySet[Story]":
        return stories


class StoryIndexView(IndexView):
    nothing_yet = "There are no stories yet. Paste a digest, write one, or have sources bring them in by themselves."

    @property
    def first_steps(self) -> list[tuple[str, str]]:
        may_add = bool(self.add_url)
        return [("Paste a digest", reverse("desk_add_stories")), ("Add story", self.add_url)] if may_add else []

    @cached_property
    def header_buttons(self) -> list[Any]:
        paste = HeaderButton("Paste a digest", url=reverse("desk_add_stories"), icon_name="clipboard-list")
        return [*super().header_buttons, *([paste] if self.add_url else [])]

    def get_base_queryset(self) -> "QuerySet[Story]":
        stories = with_last_ran(super().get_base_queryset())
        return stories.select_related("publication", "image")

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        """With what else tells the same news as those stories of the page that did not run."""
        paginator, page, stories, is_paginated = super().paginate_queryset(queryset, page_size)
        found = same_news([story for story in stories if not story.last_ran])
        for story in stories:
            story.same_news = found.get(story.pk)
        return paginator, page, stories, is_paginated


class StoryCreateView(MadeOnce, CreateView):
    def get_initial_form_instance(self) -> Story:
        return Story(publication=usual_publication(self.request.user, Right.WRITE))


class StoryInspectView(InspectView):
    def get_field_label(self, field_name: str, field: Any) -> str:
        label: str = super().get_field_label(field_name, field)
        return DATED if field_name == "published_on" else label


class WhereItRan:
    """Picking stories goes by what is new: when each came in, and whether it ran. Archived ones are not offered."""

    def get_object_list(self) -> "QuerySet[Story]":
        stories: QuerySet[Story] = super().get_object_list()  # type: ignore[misc]  # Wagtail's views have it
        return with_last_ran(stories.filter(archived_at=None))

    @property
    def columns(self) -> list[Any]:
        return [*super().columns, *COLUMNS]  # type: ignore[misc]


class StoryChooseView(WhereItRan, ChooseView):
    pass


class StoryChooseResultsView(WhereItRan, ChooseResultsView):
    pass


class StoryChooserViewSet(ScopedChooserViews, SnippetChooserViewSet):
    choose_view_class = StoryChooseView
    choose_results_view_class = StoryChooseResultsView


class StoryViewSet(ScopedViews, SnippetViewSet):
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
    create_template_name = "web/desk/story_create.html"
    filterset_class = StoryFilter
    list_display = [
        "headline",
        ThumbnailColumn("image", label="Picture", classname=WIDE),
        Column("topics", label="Topic", sort_key="topics", classname=WIDE),
        Column("source_name", label="Source", sort_key="source_name", classname=WIDE),
        Column("publication", label="Publication", sort_key="publication__title", classname=WIDE),
        Column("ran", label="Ran in", accessor=_ran, sort_key="last_ran"),
        Column("same", label="Same news", accessor=_same, classname=WIDE),
        DateColumn("created_at", label="Came in", sort_key="created_at", classname=WIDE),
    ]
    list_per_page = 50
    ordering = ["-created_at", "-pk"]
    inspect_view_enabled = True
    inspect_view_class = StoryInspectView
    inspect_view_fields = [
        "publication",
        "headline",
        "lede",
        "body",
        "source_name",
        "source_url",
        "author",
        "published_on",
        "topics",
    ]
    chooser_per_page = 20
    chooser_viewset_class = StoryChooserViewSet

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("as-blocks/", story_picking.as_blocks, name="as_blocks"),
            path("words/<int:pk>/", story_picking.take_words, name="take_words"),
        ]
