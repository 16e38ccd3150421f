"""What is known of an edition's links, from a real server on loopback into the database and into the checks."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tasks.approvals.approving import check_edition
from tasks.http.guard import Guard
from tasks.links import checks
from tasks.models import LinkCheck
from tests import factories
from tests.tasks.links.test_fetcher import guard, site  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


def make_edition(*links: str) -> Any:
    edition = factories.make_edition(
        content=[
            (
                "story",
                {
                    "headline": f"Story {number}",
                    "lede": "A lede.",
                    "source_name": f"Source {number}",
                    "source_url": link,
                },
            )
            for number, link in enumerate(links)
        ]
    )
    edition.save_revision()
    return edition


def codes(edition: Any) -> dict[str, str]:
    return {problem.code: problem.message for problem in check_edition(edition) if problem.code.startswith("link.")}


def test_a_link_is_unchecked_until_somebody_has_followed_it(site: str, guard: Guard) -> None:  # noqa: F811
    edition = make_edition(f"{site}/", f"{site}/gone", f"{site}/moved")
    assert f"{site}/gone" in codes(edition)["link.not_checked"]

    assert checks.check_links(edition.pk, guard=guard) == 3

    problems = codes(edition)
    assert "link.not_checked" not in problems
    assert "the server answers 404" in problems["link.broken"]
    assert f"has moved to {site}/;" in problems["link.redirects"]
    assert checks.check_links(edition.pk, guard=guard) == 0  # nothing is due


def test_private_addresses_are_named_and_not_reached() -> None:
    edition = make_edition("http://127.0.0.1:8080/")

    checks.check_links(edition.pk)

    assert "private network" in codes(edition)["link.private"]


def test_offline_they_are_not_checked() -> None:
    # No server has this name (RFC 2606), so that nothing answers: as on a machine without a network.
    edition = make_edition("https://nobody.invalid/a")

    assert checks.check_links(edition.pk) == 0

    assert set(codes(edition)) == {"link.not_checked"}


def test_good_news_lasts_longer_than_bad(site: str, guard: Guard) -> None:  # noqa: F811
    good, bad = f"{site}/", f"{site}/gone"
    checks.check_links(make_edition(good, bad).pk, guard=guard)

    LinkCheck.objects.update(checked_at=timezone.now() - timedelta(hours=1))
    assert checks.due([good, bad]) == [bad]
    assert set(checks.known([good, bad])) == {good}
    LinkCheck.objects.update(checked_at=timezone.now() - timedelta(days=2))
    assert checks.due([good, bad]) == [good, bad]


def test_an_edition_that_is_gone_is_no_matter() -> None:
    assert checks.check_links(0) == 0


def test_the_answer_of_spamassassin_is_read() -> None:
    from tasks.approvals.spam_score import _UnavailableError, parsed

    report = parsed(
        "6.1/5.0\nSpam detection software…\n\n pts rule name              description\n"
        "---- ---------------------- ----\n 2.5 SUBJ_ALL_CAPS  Subject is all capitals\n-0.1 DKIM_VALID  ok\n"
    )
    assert (report.score, report.rules) == (6.1, (("SUBJ_ALL_CAPS", 2.5),))
    with pytest.raises(_UnavailableError):
        parsed("0/0\n")
