"""The desk says how many readers a sunset rule means, and asks."""

from typing import Any

import pytest
from django.test import Client

from composer.models import Publication
from subscribers.models import Suppression
from tasks.feedback import sunset
from tasks.models import Alarm
from tests.subscribers.commands import refusal, run_json
from tests.tasks.feedback.test_sunset import TAKEN, reader, sent

pytestmark = pytest.mark.integration


@pytest.fixture
def silent(publication: Publication) -> Publication:
    Publication.objects.update(tracking=True, sunset_editions=3, sunset_weeks=10)
    publication.refresh_from_db()
    readers = [reader(publication) for _ in range(2)]
    for _ in range(3):
        sent(publication, dict.fromkeys(readers, TAKEN))
    return publication


def test_from_the_first_page_to_the_agreement(desk: Client, silent: Publication) -> None:
    sunset.keep()
    url = f"/desk/publications/{silent.pk}/sunset/"

    home = desk.get("/desk/").content.decode()
    assert "Readers who read nothing: shall they get nothing more?" in home
    assert f'href="{url}"' in home
    asked = desk.get(url).content.decode()
    assert "2 readers of The Weekly opened none of 3 editions within 10 weeks" in asked
    assert "newsdesk sunset" not in home

    for number in ("", "1", "9" * 30):
        assert "Nothing was agreed to" in desk.post(url, {"readers": number}, follow=True).content.decode()
    assert sunset.keep() == 0
    assert "From tonight on" in desk.post(url, {"readers": "2"}, follow=True).content.decode()
    assert not Alarm.objects.filter(cleared_at=None).exists()
    assert sunset.keep() == 2
    assert "2 readers are left out already" in desk.get(url).content.decode()


def test_the_command_does_the_same(silent: Publication) -> None:
    assert run_json("sunset", silent.slug) == {
        "publication": silent.slug, "on": True, "silent": 2, "agreed": False, "left_out": 0, "brought_back": 0,
    }  # fmt: skip
    assert "it is 2 readers by now" in refusal("sunset", silent.slug, "--agree", "1")
    assert run_json("sunset", silent.slug, "--agree", "2")["agreed"]
    sunset.keep()

    back: Any = run_json("sunset", silent.slug, "--bring-back", "Opens were not reported in May")
    assert (back["brought_back"], back["left_out"], back["silent"]) == (2, 0, 0)
    assert not Suppression.objects.exists()
