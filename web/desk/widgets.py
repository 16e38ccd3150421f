"""Wagtail's widgets without the scripts that they write into pages, which the desk's Content-Security-Policy forbids.

What such a script would start stands beside the widget as data, and `web/desk/widgets.js` starts it. The widgets for dates
and times are templates: `templates/wagtailadmin/widgets/`.
"""

import json
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from wagtail.admin.widgets import BaseChooser


def render(self: BaseChooser, name: str, value: Any, attrs: dict[str, Any], renderer: Any = None) -> SafeString:  # noqa: ARG001 - Django's signature
    """A chooser (of images, say) and what starts it."""
    data = self.get_value_data(value)
    arguments = [attrs["id"], self.get_js_init_options(attrs["id"], name, data)]
    # Inside a script only the end of one could do harm.
    text = mark_safe(json.dumps(arguments).replace("<", "\\u003c"))  # noqa: S308 - see above
    started = format_html(
        '<script type="application/json" data-desk-widget="{}">{}</script>', self.js_constructor, text
    )
    html: SafeString = self.render_html(name, data, attrs)
    return html + started


BaseChooser.render = render
