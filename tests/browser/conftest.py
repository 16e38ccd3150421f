"""A browser that is logged in at a desk with one publication and one edition."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client
from playwright.sync_api import expect

from composer.composition import compose
from composer.digest import parse
from composer.models import Edition, Publication
from newsdesk.core.paths import samples_dir
from newsdesk.screenshots import NoBrowserError, chromium, program
from tasks.models import Installation
from tasks.sends import database_behind
from tests.tasks.submission.conftest import in_own_redis as in_own_redis  # noqa: PLC0414 - fixtures
from tests.tasks.submission.conftest import nothing_sent_yet as nothing_sent_yet  # noqa: PLC0414 - fixtures
from tests.waiting import LONG

#: In what Chromium says on the console of anything that a page's policy kept from happening.
POLICY = "Content Security Policy"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        program()
    except NoBrowserError as error:
        pytest.skip(str(error))
    # Those of this thread without Playwright's loop: nobody would close them until the file's end, and each test drops its database.
    connections.close_all()
    with pytest.MonkeyPatch.context() as patch, chromium() as opened:
        # Playwright's loop runs in this thread until the file's end, and Django takes that for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=LONG * 1000)
        yield opened


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with _window(browser) as opened:
        yield opened


@pytest.fixture
def another_page(browser: Any) -> Iterator[Any]:
    """In a browser of somebody else's: nothing that the first one still asks for reaches its cookies."""
    with _window(browser) as opened:
        yield opened


@contextmanager
def _window(browser: Any) -> Iterator[Any]:
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
    """The browser of Ada, an administrator who has just logged in."""
    get_user_model().objects.create_superuser("ada", "ada@example.com", "secret", first_name="Ada")
    client = Client()
    client.post("/desk/login/", {"username": "ada", "password": "secret"})
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/desk/")
    return page


@pytest.fixture
def asked_what_the_database_is(transactional_db: None, nothing_sent_yet: None, in_own_redis: Any) -> None:
    """The mark is missing, and nothing goes out until somebody answers."""
    Installation.objects.update(fences_before=1)
    assert not database_behind.agrees()
