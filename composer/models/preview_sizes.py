"""Widths at which mail is read: a phone, a tablet, a mail client's reading pane."""

from typing import Any

PREVIEW_SIZES: list[dict[str, Any]] = [
    {"name": "mobile", "icon": "mobile-alt", "device_width": 375, "label": "Preview on a phone"},
    {"name": "tablet", "icon": "tablet-alt", "device_width": 640, "label": "Preview on a tablet"},
    {"name": "desktop", "icon": "desktop", "device_width": 960, "label": "Preview on a desktop"},
]
