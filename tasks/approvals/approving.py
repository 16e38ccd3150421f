"""Approving and reopening where both sides meet: what the edition says, and whom its segments name."""

from django.contrib.auth.models import User
from django.db import transaction

from composer import approval as approvals
from composer.checks import Problem
from composer.inspection import inspect, links_of
from composer.models import Approval, Edition
from tasks import queue
from tasks.approvals import reopened_sends, spam_score
from tasks.audience.segment_rules import rules_of_edition
from tasks.links import checks
from tasks.slots import deciding


@transaction.atomic
def approve_edition(edition: Edition, by: User | None) -> Approval:
    """Approve the edition with its segments' rules as they stand now; its held sends and its slot go on from there.

    Raises ApprovalRefused, and ApprovalBlocked where the checks find errors; a block that names an unknown segment is one.
    """
    approval = approvals.approve(edition, by=by, audience_rules=rules_of_edition(edition))
    current = Edition.objects.select_related("publication").get(pk=edition.pk)
    reopened_sends.restore_sends(current, approval, by=by)
    deciding.decide(edition.pk)
    return approval


def check_edition(edition: Edition) -> tuple[Problem, ...]:
    """What approving would find, and what is known of its links: errors first.

    Links that nobody has followed lately are followed in the background; until then they are said to be unchecked.
    """
    found = inspect(edition, links=checks.known, spam=spam_score.score)
    if edition.pk and found.content and checks.due(links_of(found.content, found.variants)):
        queue.on_commit(queue.enqueue_link_check, edition.pk)
    return (*approvals.unknown_audiences(found, rules_of_edition(edition)), *found.problems)


@transaction.atomic
def reopen_edition(edition: Edition, by: User | None) -> Approval:
    """Take the approval back; its sends that are not prepared yet are held until it is approved again.

    Raises ApprovalRefused while a send of it is under way.
    """
    # Scheduling locks the same row: no send can appear between the question and the answer.
    Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition.pk)
    reopened_sends.hold_sends(edition, by=by)
    return approvals.reopen(edition, by=by)
