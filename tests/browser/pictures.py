"""Screenshots for people to look at."""

import os
from typing import Any


def picture(page: Any, name: str, *, full_page: bool = False) -> None:
    """For people to look at, where NEWSDESK_TEST_PICTURES names a folder."""
    if folder := os.environ.get("NEWSDESK_TEST_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=full_page)
