"""Sources at the desk: feeds, mailboxes and mail addresses, when each was polled, and what failed."""

from typing import Any

from django.db.models import Count, QuerySet
from django.utils.html import format_html
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column, DateColumn
from wagtail.snippets.views.chooser import SnippetChooserViewSet
from wagtail.snippets.views.snippets import CreateView, IndexView, SnippetViewSet

from composer.models import Source
from composer.permissions import Right
from web.desk.scoped import ScopedChooserViews, ScopedFilter, ScopedForm, ScopedViews, usual_publication
from web.desk.stories import WIDE

#: Addresses and errors of any length, broken where the page ends.
LONG = "desk-long"


def _state(source: Any) -> str:
    if source.error:
        return f"failed {source.failures} times: {source.error}" if source.failures else source.error
    return f"{source.stories} stories" if source.polled_at else "not polled yet"


class WebhookPanel(HelpPanel):
    """Of a mail address that is saved: the address that its mails are posted to."""

    class BoundPanel(HelpPanel.BoundPanel):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.content = format_html("<p class='{}'>{}</p>", LONG, self.instance.webhook_url)

        def is_shown(self) -> bool:
            return bool(super().is_shown() and self.instance.webhook_url)


class SourceIndexView(IndexView):
    nothing_yet = (
        "There are no sources yet. Add a feed, a mailbox or a mail address, and its stories come into the inbox."
    )

    @property
    def first_steps(self) -> list[tuple[str, str]]:
        return [("Add source", self.add_url)] if self.add_url else []

    def get_base_queryset(self) -> "QuerySet[Source]":
        sources: QuerySet[Source] = super().get_base_queryset()
        return sources.select_related("publication").annotate(stories=Count("entries__story"))


class SourceCreateView(CreateView):
    def get_initial_form_instance(self) -> Source:
        return Source(publication=usual_publication(self.request.user, Right.SOURCES))


class SourceForm(ScopedForm):
    right = Right.SOURCES


class SourceFilter(ScopedFilter):
    class Meta:
        model = Source
        fields = ["publication", "is_active"]


class SourceChooserViewSet(ScopedChooserViews, SnippetChooserViewSet):
    pass


SOURCE_PANELS = ObjectList(
    [
        FieldRowPanel([FieldPanel("publication"), FieldPanel("is_active")]),
        FieldPanel("url"),
        FieldPanel("senders"),
        WebhookPanel(heading="Where SendGrid's Inbound Parse posts to"),
        FieldPanel("title"),
        FieldPanel("topic"),
        FieldRowPanel([FieldPanel("include"), FieldPanel("exclude")]),
    ],
    base_form_class=SourceForm,
)


class SourceViewSet(ScopedViews, SnippetViewSet):
    model = Source
    icon = "globe"
    menu_label = "Sources"
    menu_name = "sources"
    menu_order = 25
    add_to_admin_menu = True
    url_prefix = "sources"
    edit_handler = SOURCE_PANELS
    chooser_viewset_class = SourceChooserViewSet
    index_view_class = SourceIndexView
    add_view_class = SourceCreateView
    filterset_class = SourceFilter
    list_display = [
        Column("title", label="Source", accessor=str, classname=LONG),
        Column("publication", label="Publication", classname=WIDE),
        Column("state", label="State", accessor=_state, classname=LONG),
        DateColumn("polled_at", label="Last poll", classname=WIDE),
        BooleanColumn("is_active", label="Is polled", classname=WIDE),
    ]
    list_per_page = 50
