"""A browser that is logged in at a desk with one publication and one edition."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections

from composer.composition import compose
from composer.digest import parse
from composer.models import Edition, Publication
from newsdesk.core.paths import samples_dir
from newsdesk.screenshots import NoBrowserError, chromium, program
from tests.waiting import LONG

#: In what Chromium says on the console of anything that a page's policy kept from happening.
POLICY = "Content Security Policy"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    try:
        program()
    except NoBrowserError as error:
        pytest.skip(str(error))
    # Playwright's loop runs in this thread, and Django takes that for asynchronous code.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        opened = context.new_page()
        opened.set_default_timeout(LONG * 1000)
        refused: list[str] = []
        context.on("console", lambda said: refused.append(said.text) if POLICY in said.text else None)
        yield opened
        context.close()
        # Connections made while Playwright's loop runs are not those that pytest-django closes.
        connections.close_all()
    assert refused == [], "the desk asks the browser for what its own policy forbids"


@pytest.fixture
def publication() -> Publication:
    return Publication.objects.create(
        slug="plain",
        title="The Plain Machine",
        from_name="The Plain Machine",
        from_email="news@example.com",
        postal_address="1 Main Street, Singapore 018956",
        timezone="Asia/Singapore",
    )


@pytest.fixture
def edition(publication: Publication) -> Edition:
    return compose(publication, digest=parse((samples_dir() / "technology-week.txt").read_bytes()))


@pytest.fixture
def desk(page: Any, live_server: Any) -> Any:
    get_user_model().objects.create_superuser("ada", "ada@example.com", "secret", first_name="Ada")
    page.goto(f"{live_server.url}/desk/login/")
    page.fill("#id_username", "ada")
    page.fill("#id_password", "secret")
    page.click("button[type=submit]")
    page.wait_for_url("**/desk/")
    return page
