import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from newsdesk.core.errors import InputError
from tasks.models import WarmUp
from tasks.throttling import warm_up

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def run(*words: str) -> dict[str, Any]:
    out = StringIO()
    call_command("warm_up", *words, "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_ceilings_are_kept_shown_and_ended() -> None:
    assert run("News.Example.com", "--ceilings", "100", "2000", "--start", "2026-12-01")["starts_on"] == "2026-12-01"
    shown = run("news.example.com")
    assert (shown["ceilings"], shown["today"]["used"]) == ([100, 2000], 0)
    assert run("news.example.com", "--off") == {"domain": "news.example.com", "ceilings": []}
    assert not WarmUp.objects.exists()


def test_suggested_ceilings_begin_today() -> None:
    shown = run("news.example.com", "--suggested")

    assert shown["ceilings"] == list(warm_up.SUGGESTED)
    assert shown["today"] == {"day": shown["starts_on"], "ceiling": 50, "used": 0}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ada@example.com", "--suggested"], "DOMAIN"),
        (["news.example.com", "--ceilings", "0"], "--ceilings"),
        (["news.example.com", "--suggested", "--off"], "choose one"),
        (["news.example.com", "--start", "2026-12-01"], "--start"),
        (["news.example.com", "--suggested", "--start", "soon"], "not a date"),
    ],
)
def test_what_cannot_be_is_refused_by_name(words: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        run(*words)
    assert not WarmUp.objects.exists()
