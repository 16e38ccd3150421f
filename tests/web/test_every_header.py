"""What every answer tells browsers, whatever kind of page it is and whatever became of the request."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from composer.models import Publication

pytestmark = pytest.mark.integration

ADDRESSES = (
    "/desk/",
    "/desk/editions/",
    "/desk/editions/add/",
    "/desk/editions/preview/",
    "/desk/login/",
    "/desk/nothing-here/",
    "/desk/security/sessions/",
    "/weekly/",
    "/weekly/1/",
    "/nothing-here/",
    "/u/nobody-signed-this",
    "/p/nobody-signed-this",
    "/media/map.png",
    "/media/page.html",
    "/media/nothing.png",
    "/media/" + "x" * 300,
    "/webhooks/sendgrid",
    "/webhooks/inbound/wrong",
    "/healthz",
    "/favicon.ico",
    "/desk/editions/?q=%00",
)


@pytest.fixture
def client(db: None, settings: Any, tmp_path: Path) -> Client:
    """Somebody at the desk of a public run: TLS ends at the proxy, which asks in plain HTTP."""
    settings.MEDIA_ROOT = tmp_path
    settings.BASE_URL = "https://news.example.com"
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    (tmp_path / "map.png").write_bytes(b"\x89PNG")
    (tmp_path / "page.html").write_text("<script>alert(1)</script>")
    Publication.objects.create(
        slug="weekly",
        title="The Weekly",
        from_name="The Weekly",
        from_email="n@example.com",
        postal_address="1 Main Street",
    )
    client = Client(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_user("ada", is_superuser=True))
    return client


@pytest.mark.parametrize("method", ["GET", "POST", "TRACE"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_answer_is_defended(client: Client, address: str, method: str) -> None:
    answer = client.generic(method, address)
    if answer.streaming:
        b"".join(answer.streaming_content)

    policy = answer["Content-Security-Policy"]
    assert re.search(r"default-src '(self|none)'", policy)
    assert re.search(r"frame-ancestors '(self|none)'", policy)
    assert ("object-src 'none'" in policy and "base-uri 'none'" in policy) or "default-src 'none'" in policy
    assert "'unsafe-eval'" not in policy
    assert not re.search(r"script-src[^;]*'unsafe-inline'", policy)
    assert answer["Strict-Transport-Security"].startswith("max-age=31536000")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] in {"DENY", "SAMEORIGIN"}
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] in {"same-origin", "no-referrer", "strict-origin-when-cross-origin"}
    assert "camera=()" in answer["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.status_code != 500
    assert method != "TRACE" or answer.status_code == 405


def test_without_https_nothing_is_said_of_it(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 0
    assert "Strict-Transport-Security" not in client.get("/desk/login/").headers


def test_cookies_are_the_browser_s_alone(client: Client) -> None:
    client.logout()
    answer = client.get("/desk/login/")
    for cookie in answer.cookies.values():
        assert cookie["secure"]
        assert cookie["samesite"] in {"Lax", "Strict"}
    assert client.get("/weekly/").cookies == {}


def test_what_no_picture_is_is_saved(client: Client) -> None:
    answer = client.get("/media/page.html")
    b"".join(answer.streaming_content)
    assert answer["Content-Disposition"] == "attachment"
    assert "sandbox" in answer["Content-Security-Policy"]
