"""Behind a proxy that ends TLS an editor can log in, and the session's cookie never travels in the clear."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

ASK = """
import json, django
django.setup()
from django.conf import settings
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import RequestFactory

request = RequestFactory().post("/desk/login/", headers={"host": "news.example.com", "origin": "https://news.example.com"})
print(json.dumps({
    "origin": CsrfViewMiddleware(lambda _: HttpResponse())._origin_verified(request),
    "secure": [settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_HSTS_SECONDS > 0],
}))
"""


def told(base_url: str, home: Path) -> Any:
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "PYTHONPATH"}}
    environment = {
        **clean,
        "DJANGO_SETTINGS_MODULE": "newsdesk.settings",
        "NEWSDESK_HOME": str(home),
        "BASE_URL": base_url,
    }
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("base_url", ["https://news.example.com", "https://news.example.com/"])
def test_a_public_https_address(tmp_path: Path, base_url: str) -> None:
    assert told(base_url, tmp_path) == {"origin": True, "secure": [True, True, True]}


def test_another_address_is_foreign(tmp_path: Path) -> None:
    assert told("http://127.0.0.1:8000", tmp_path) == {"origin": False, "secure": [False, False, False]}
