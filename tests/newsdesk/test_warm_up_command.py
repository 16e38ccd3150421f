import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from newsdesk.core.errors import InputError
from tasks.models import WarmUp
from tasks.throttling import warm_up
from tests.factories import make_prepared_send

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


def test_editions_are_kept_and_shown_beside_days() -> None:
    shown = run("news.example.com", "--editions", "200", "1000")
    assert shown["editions"] == {"ceilings": [200, 1000], "gone": 0, "next": 200}
    assert shown["ceilings"] == []

    shown = run("news.example.com", "--editions", "200", "--ceilings", "50")
    assert (shown["editions"]["ceilings"], shown["ceilings"]) == ([200], [50])


def test_in_words_it_says_which_edition_is_next() -> None:
    send = make_prepared_send(1, sender_domain="news.example.com")
    out = StringIO()
    call_command("warm_up", "news.example.com", "--editions", "200", "1000", stdout=out)

    assert send.prepared_at
    assert "1 of its editions went out" in out.getvalue()
    assert "edition 2         1,000  next" in out.getvalue()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["news.example.com", "--editions", "0"], "--editions"),
        (["news.example.com", "--editions", "5", "--off"], "choose one"),
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
