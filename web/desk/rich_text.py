"""Links in mail lead out: the link dialog begins with a web address, not with a website's pages."""

from typing import Any

from django.urls import reverse_lazy
from wagtail import hooks
from wagtail.admin.rich_text.editors.draftail import features as draftail


@hooks.register("register_rich_text_features", order=10)
def web_addresses_first(features: Any) -> None:
    link = features.plugins_by_editor["draftail"]["link"]
    addresses = {**link.data["chooserUrls"], "pageChooser": reverse_lazy("wagtailadmin_choose_page_external_link")}
    own = draftail.EntityFeature({**link.data, "chooserUrls": addresses}, js=link.js, css=link.css)
    features.register_editor_plugin("draftail", "link", own)
