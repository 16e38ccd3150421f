"""Files under /media/ show pictures and do nothing else; Wagtail's documents are closed."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.integration


@pytest.fixture
def media(db: None, settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def test_a_picture_is_shown(client: Client, media: Path) -> None:
    (media / "map.png").write_bytes(b"\x89PNG")

    answer = client.get("/media/map.png")
    b"".join(answer.streaming_content)

    assert answer.status_code == 200
    assert not answer.headers.get("Content-Disposition", "").startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "page.xhtml", "data.xml", "nameless"])
def test_everything_else_is_saved_and_runs_nothing(client: Client, media: Path, name: str) -> None:
    (media / name).write_text("<script>alert(1)</script>")

    answer = client.get(f"/media/{name}")
    b"".join(answer.streaming_content)

    assert answer.headers["Content-Disposition"] == "attachment"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "allow-scripts" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "name",
    ["a" * 300, "ü" * 200, f"a/{'b' * 300}", "no.png", "a%00b"],
    ids=["long", "long in bytes", "long in a folder", "missing", "NUL"],
)
def test_what_is_no_file_is_not_found(client: Client, media: Path, name: str) -> None:
    assert client.get(f"/media/{name}").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/desk/documents/",
        "/desk/documents/multiple/add/",
        "/desk/documents/chooser/",
        "/desk/documents/chooser/create/",
        "/desk/api/main/documents/",
        "/desk/api/main/documents/1/",
    ],
)
def test_documents_are_closed_to_everybody(admin_client: Client, address: str) -> None:
    assert admin_client.get(address).status_code == 404
    assert admin_client.post(address, {"files[]": "x"}).status_code == 404
