"""Publications at the desk."""

from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import IndexView
from wagtail.admin.viewsets.model import ModelViewSet

from composer.models import Publication
from web.desk.panels import PUBLICATION_PANELS
from web.desk.scoped import ScopedViews
from web.desk.stories import WIDE


class PublicationIndexView(IndexView):
    nothing_yet = (
        "There are no publications yet. Make the first: its name, its sender and its postal address are enough."
    )

    @property
    def first_steps(self) -> list[tuple[str, str]]:
        return [("Add publication", self.add_url)] if self.add_url else []


class PublicationViewSet(ScopedViews, ModelViewSet):
    model = Publication
    icon = "mail"
    menu_label = "Publications"
    menu_order = 30
    add_to_admin_menu = True
    url_prefix = "publications"
    edit_handler = PUBLICATION_PANELS
    index_view_class = PublicationIndexView
    list_display = [
        "title",
        Column("slug", label="Slug", sort_key="slug", classname=WIDE),
        Column("sender", label="Sender"),
        Column("language", label="Language", sort_key="language", classname=WIDE),
        Column("timezone", label="Timezone", sort_key="timezone", classname=WIDE),
    ]
    search_fields = ["title", "slug"]
    copy_view_enabled = False
    inspect_view_enabled = False
