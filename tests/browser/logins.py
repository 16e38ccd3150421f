"""Leaving the desk without its buttons."""

from typing import Any


def forget_login(page: Any) -> None:
    """Take the cookies away, once the page that is open can ask for nothing more.

    What it still asked for without a cookie would be led to the login page, whose answer has a cookie of its own: the form that is
    opened next would be refused.
    """
    page.goto("about:blank")
    page.context.clear_cookies()
