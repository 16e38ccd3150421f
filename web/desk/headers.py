"""The head of a page of ours: its title, its icon and the way back."""

from typing import Any

from django.urls import reverse


def header(title: str, icon: str, *between: tuple[str, str]) -> dict[str, Any]:
    """What Wagtail's generic page wants to know; `between` are labels and addresses from the first page down to this one."""
    way = [("Home", reverse("wagtailadmin_home")), *between, (title, "")]
    return {
        "page_title": title,
        "header_icon": icon,
        "breadcrumbs_items": [{"url": url, "label": label} for label, url in way],
    }
