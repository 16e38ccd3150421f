"""Approving, checking and reopening an edition together with the rules of the segments that it names."""

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
from tasks.slots import slot_outcomes


@transaction.atomic
def approve_edition(edition: Edition, by: User | None) -> Approval:
    """Approve the edition with its segments' rules as they stand now; its held sends and its slot go on from there.

    Raises ApprovalRefusedError, and ApprovalBlockedError where the checks find errors; a block that names an unknown segment is one.
    """
    approval = approvals.approve(edition, by=by, audience_rules=rules_of_edition(edition))
    current = Edition.objects.select_related("publication").get(pk=edition.pk)
    reopened_sends.restore_sends(current, approval, by=by)
    slot_outcomes.decide(edition.pk)
    return approval


def check_edition(edition: Edition) -> tuple[Problem, ...]:
    """What approving would find, and what is known of its links: errors first.

    Links that were not checked lately are checked in the background; until then they are reported as unchecked.
    """
    inspection = inspect(edition, links=checks.known, spam=spam_score.score)
    if edition.pk and inspection.content and checks.due(links_of(inspection.content, inspection.variants)):
        queue.on_commit(queue.enqueue_link_check, edition.pk)
    return (*approvals.unknown_audiences(inspection, rules_of_edition(edition)), *inspection.problems)


@transaction.atomic
def reopen_edition(edition: Edition, by: User | None) -> Approval:
    """Take the approval back; its sends that are not prepared yet are held until it is approved again.

    Raises ApprovalRefusedError while a send of it is under way.
    """
    # Scheduling locks the same row: no send can appear in between.
    Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition.pk)
    reopened_sends.hold_sends(edition, by=by)
    return approvals.reopen(edition, by=by)
