"""Publications at the desk."""

from wagtail.admin.viewsets.model import ModelViewSet

from composer.models import Publication
from web.desk.panels import PUBLICATION_PANELS
from web.desk.scoped import ScopedViews


class PublicationViewSet(ScopedViews, ModelViewSet):
    model = Publication
    icon = "mail"
    menu_label = "Publications"
    menu_order = 30
    add_to_admin_menu = True
    url_prefix = "publications"
    edit_handler = PUBLICATION_PANELS
    list_display = ["title", "slug", "sender", "language", "timezone"]
    search_fields = ["title", "slug"]
    copy_view_enabled = False
    inspect_view_enabled = False
