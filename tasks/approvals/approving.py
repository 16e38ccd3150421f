"""Approving, checking and reopening an edition together with the rules of the segments that it names."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction

from composer import approval as approvals
from composer.approval import ApprovalBlockedError, ApprovalRefusedError, Approved
from composer.checks import Problem
from composer.inspection import Inspection, check_again, links_of, rendered
from composer.models import Approval, Edition
from tasks import queue
from tasks.approvals import reopened_sends, spam_score
from tasks.audience.segment_rules import rules_of_edition
from tasks.links import checks
from tasks.slots import slot_outcomes
from tasks.sources import staleness


class Verdict(NamedTuple):
    """What came of approving: the approval, or why there is none; and all that the checks say, errors first."""

    approval: Approval | None
    refusal: str
    problems: tuple[Problem, ...]


def approve_edition(
    edition: Edition, by: User | None, *, before_slot: Callable[[Edition], object] | None = None
) -> Approval:
    """Approve the edition with its segments' rules as they stand now; its held sends and its slot go on from there.

    `before_slot` is called in the same transaction with the approved edition, before its slot is decided.

    Raises ApprovalRefusedError, and ApprovalBlockedError where the checks find errors; a block that names an unknown
    segment is one.
    """
    return _approve(edition, by, rules_of_edition(edition), before_slot).approval


def approve_and_check(edition: Edition, by: User | None) -> Verdict:
    """The same without raising, and what `check_edition` would say: of one rendering, which is the one that is frozen."""
    rules = rules_of_edition(edition)
    try:
        approval, inspection = _approve(edition, by, rules)
    except ApprovalBlockedError as blocked:
        return Verdict(None, str(blocked), _problems(edition, blocked.inspection, rules))
    except ApprovalRefusedError as refused:
        return Verdict(None, str(refused), check_edition(edition))
    return Verdict(approval, "", _problems(edition, inspection, rules))


def check_edition(edition: Edition) -> tuple[Problem, ...]:
    """What approving would find, and what is known of its links: errors first.

    Links that were not checked lately are checked in the background; until then they are reported as unchecked.
    """
    return inspect_and_check(edition)[1]


def inspect_and_check(edition: Edition) -> tuple[Inspection, tuple[Problem, ...]]:
    """The same, and the rendering that the checks looked at."""
    inspection = rendered(edition)
    return inspection, _problems(edition, inspection, rules_of_edition(edition))


@transaction.atomic
def _approve(
    edition: Edition,
    by: User | None,
    rules: Mapping[str, object],
    before_slot: Callable[[Edition], object] | None = None,
) -> Approved:
    approved = approvals.approve_inspected(edition, by=by, audience_rules=rules)
    current = Edition.objects.select_related("publication").get(pk=edition.pk)
    reopened_sends.restore_sends(current, approved.approval, by=by)
    slot_outcomes.forget_taken_back(current)
    if before_slot is not None:
        before_slot(current)
    slot_outcomes.decide(edition.pk)
    return approved


def _problems(edition: Edition, inspection: Inspection, rules: Mapping[str, object]) -> tuple[Problem, ...]:
    checked = check_again(edition, inspection, links=checks.known, spam=spam_score.score, sources=staleness.known)
    if edition.pk and checked.content and checks.due(links_of(checked.content, checked.variants)):
        queue.on_commit(queue.enqueue_link_check, edition.pk)
    return (*approvals.unknown_audiences(checked, rules), *checked.problems)


@transaction.atomic
def reopen_edition(edition: Edition, by: User | None) -> Approval:
    """Take the approval back; its sends that are not prepared yet are held until it is approved again.

    Raises ApprovalRefusedError while a send of it is under way.
    """
    # Scheduling locks the same row: no send can appear in between.
    Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition.pk)
    reopened_sends.hold_sends(edition, by=by)
    return approvals.reopen(edition, by=by)
