"""A valid world to start from; a test names only what matters to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow
from wagtail.images import get_image_model

from composer.models import Edition, Publication, Story

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.BASE_URL = "https://news.example.com"
    cache.clear()
    return tmp_path / "media"


@pytest.fixture
def make_publication(db: None) -> Make:
    def make(**fields: Any) -> Publication:
        defaults = {
            "slug": "weekly",
            "title": "The Weekly",
            "from_name": "The Weekly",
            "from_email": "news@example.com",
            "postal_address": "1 Main Street, Singapore 018956",
            "timezone": "Asia/Singapore",
        }
        return Publication.objects.create(**{**defaults, **fields})

    return make


@pytest.fixture
def publication(make_publication: Make) -> Publication:
    made: Publication = make_publication()
    return made


@pytest.fixture
def make_story(publication: Publication) -> Make:
    def make(headline: str = "Rivers rise in the north", **fields: Any) -> Story:
        defaults = {
            "publication": publication,
            "lede": f"{headline}, and here is why it matters.",
            "body": f"<p>The long account of how {headline.lower()} begins with a map.</p>",
        }
        return Story.objects.create(headline=headline, **{**defaults, **fields})

    return make


@pytest.fixture
def make_edition(publication: Publication, make_story: Make) -> Make:
    def make(*headlines: str, blocks: list[Any] | None = None, **fields: Any) -> Edition:
        from composer import story_copying

        headlines = headlines or ("Rivers rise in the north", "A bridge is closed", "The library reopens")
        stories = [("story", story_copying.copy_of(make_story(headline))) for headline in headlines]
        defaults = {"publication": publication, "title": "Water and stone", "content": blocks or stories}
        edition = Edition(**{**defaults, **fields})
        edition.save()
        edition.save_revision()
        return edition

    return make


@pytest.fixture
def make_user(db: None) -> Make:
    def make(username: str = "ada", **fields: Any) -> Any:
        return get_user_model().objects.create_user(username, f"{username}@example.com", **fields)

    return make


@pytest.fixture
def make_image(db: None, tmp_path: Path) -> Make:
    def make(name: str = "river.jpg", colour: str = "navy", size: tuple[int, int] = (1600, 900)) -> Any:
        path = tmp_path / name
        Pillow.new("RGB", size, colour).save(path)
        upload = SimpleUploadedFile(name, path.read_bytes())
        return get_image_model().objects.create(title=name, file=upload)

    return make
