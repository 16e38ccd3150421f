"""Approving from the command line: one rendering is checked, and frozen."""

from typing import Any

import pytest

from composer import inspection
from composer.composition import compose
from composer.digest import parse
from composer.models import Approval
from tasks.approvals.approving import Verdict, approve_and_check, check_edition
from tests.factories import make_publication

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

DIGEST = b"""City Digest

Two stories of the week.

1. The river is clean again
Fish are back.

After ten years of work the river may be swum in.

2. A library opens at night
Readers stay until two.

The city pays for the light.
"""
BROKEN = DIGEST.replace(b"Readers stay until two.", b"TODO")


@pytest.fixture
def renderings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The theme of each rendering that is made."""
    made: list[str] = []
    render = inspection.render

    def counted(content: Any, *, theme: str) -> Any:
        made.append(theme)
        return render(content, theme=theme)

    monkeypatch.setattr(inspection, "render", counted)
    return made


def approved(digest: bytes) -> Verdict:
    return approve_and_check(compose(make_publication(minimum_stories=2), digest=parse(digest)), None)


def test_what_is_approved_was_rendered_once(renderings: list[str]) -> None:
    verdict = approved(DIGEST)

    assert verdict.approval == Approval.objects.get()
    assert len(renderings) == 1


def test_what_is_refused_was_rendered_once_and_says_all_there_is(renderings: list[str]) -> None:
    verdict = approved(BROKEN)

    assert verdict.approval is None
    assert "must be mended first" in verdict.refusal
    assert any(problem.level == "error" for problem in verdict.problems)
    assert len(renderings) == 1


def test_it_says_what_checking_says() -> None:
    edition = compose(make_publication(minimum_stories=2), digest=parse(DIGEST))
    verdict = approve_and_check(edition, None)

    assert verdict.problems == check_edition(edition)
