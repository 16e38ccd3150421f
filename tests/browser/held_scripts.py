"""A page whose last script does not come: what works without the scripts works then, and what needs them is not there yet."""

from typing import Any

from tests.waiting import eventually


def hold_the_last_script(page: Any) -> list[Any]:
    """Of an edition's page that is opened from now on; what was held, to be let go with `continue_()`.

    Wagtail makes the fields of the stories, and lets its buttons act, once every script that the page waits for has come.
    """
    held: list[Any] = []
    page.route("**/inbox_line.*js*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    return held


def wait_until_held(page: Any, held: list[Any]) -> None:
    assert eventually(lambda: page.wait_for_timeout(50) or held)
