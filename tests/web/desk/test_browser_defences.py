"""What the desk tells browsers: nothing runs but its own files, nobody frames it, and previews can do nothing."""

import re
from typing import Any

import pytest
from django.test import Client

from composer.models import Edition, Story

pytestmark = pytest.mark.integration

PAGES = (
    "/desk/",
    "/desk/account/",
    "/desk/add-stories/",
    "/desk/calendar/",
    "/desk/editions/",
    "/desk/editions/add/",
    "/desk/editions/edit/{edition}/",
    "/desk/editions/history/{edition}/",
    "/desk/editions/schedule/{edition}/",
    "/desk/editions/usage/{edition}/",
    "/desk/images/",
    "/desk/images/add/",
    "/desk/publications/",
    "/desk/publications/new/",
    "/desk/reports/site-history/",
    "/desk/search/?q=water",
    "/desk/security/",
    "/desk/security/sessions/",
    "/desk/sources/add/",
    "/desk/stories/",
    "/desk/stories/add/",
    "/desk/stories/edit/{story}/",
    "/desk/team/",
    "/desk/team/add/",
)
SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)([^>]*)>", re.IGNORECASE)
HANDLER = re.compile(r"<\w[^>]*\son[a-z]+=", re.IGNORECASE)
DATA = re.compile(r'type="(?:application/json|text/(?:django-form-template|x-template|template))"')


@pytest.mark.parametrize("address", PAGES)
def test_no_page_of_the_desk_has_a_script_inside(
    address: str, desk: Client, edition: Edition, stories: list[Story]
) -> None:
    answer = desk.get(address.format(edition=edition.pk, story=stories[0].pk))

    assert answer.status_code == 200
    html = answer.content.decode()
    assert [found for found in SCRIPT.findall(html) if not DATA.search(found)] == []
    assert HANDLER.findall(html) == []
    policy = directives(answer)
    assert policy["script-src"] == "'self'"
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["object-src"] == policy["base-uri"] == "'none'"


def test_the_login_and_what_is_not_there_are_defended_too(client: Client, db: None) -> None:
    for address in ("/desk/login/", "/nothing-here/", "/healthz", "/webhooks/sendgrid"):
        answer = client.get(address)
        assert directives(answer)["default-src"] in {"'self'", "'none'"}, address
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}
        assert "camera=()" in answer["Permissions-Policy"]


def test_readers_pages_keep_their_own_stricter_policy(client: Client, db: None) -> None:
    assert directives(client.get("/u/nobody-signed-this"))["default-src"] == "'none'"


def test_a_preview_shows_a_mail_and_runs_nothing(desk: Client, edition: Edition, form: Any) -> None:
    address = f"/desk/editions/preview/{edition.pk}/"
    desk.post(address, form(edition))
    answer = desk.get(f"{address}?mode=html")

    assert answer.status_code == 200
    policy = directives(answer)
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert policy["frame-ancestors"] == "'self'"
    assert "allow-scripts" not in policy["sandbox"]
    assert "'unsafe-inline'" in policy["style-src"]


def test_what_stands_in_a_preview_s_place_may_be_framed(desk: Client, edition: Edition) -> None:
    answer = desk.get(f"/desk/editions/preview/{edition.pk}/")

    assert directives(answer)["frame-ancestors"] == "'self'"


def directives(answer: Any) -> dict[str, str]:
    """The policy's words by their directive."""
    parts = [part.strip() for part in answer["Content-Security-Policy"].split(";") if part.strip()]
    return {part.split(" ")[0]: part.partition(" ")[2] for part in parts}
