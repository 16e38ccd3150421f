"""Approving and reopening where both sides meet: what the edition says, and whom its segments name."""

from django.contrib.auth.models import User
from django.db import transaction

from composer import approval as approvals
from composer.checks import Problem
from composer.inspection import inspect, links_of
from composer.models import Approval, Edition
from newsdesk.errors import InputError
from subscribers.saved_segments import rules_for
from tasks import doorbells, holding, link_checks, slots, spam_score


@transaction.atomic
def approve_edition(edition: Edition, by: User | None) -> Approval:
    """Approve the edition with its segments' rules as they stand now; its held sends and its slot go on from there.

    Raises ApprovalRefused, and ApprovalBlocked where the checks find errors; a block that names an unknown segment is one.
    """
    approval = approvals.approve(edition, by=by, audience_rules=rules_of(edition))
    current = Edition.objects.select_related("publication").get(pk=edition.pk)
    holding.give_back(current, approval, by=by)
    slots.decide(edition.pk)
    return approval


def check_edition(edition: Edition) -> tuple[Problem, ...]:
    """What approving would find, and what is known of its links: errors first.

    Links that nobody has followed lately are followed in the background; until then they are said to be unchecked.
    """
    found = inspect(edition, links=link_checks.known, spam=spam_score.score)
    if edition.pk and found.content and link_checks.due(links_of(found.content, found.variants)):
        doorbells.on_commit(doorbells.ring_links, edition.pk)
    return (*approvals.unknown_audiences(found, rules_of(edition)), *found.problems)


def rules_of(edition: Edition) -> dict[str, object]:
    """The rules of the segments the edition's blocks name, by slug; those that do not exist are left out."""
    slugs = {(child.value.get("audience") or "").strip() for child in edition.content} - {""}
    found: dict[str, object] = {}
    for slug in sorted(slugs):
        try:
            found |= rules_for(edition.publication_id, [slug])
        except InputError:
            continue
    return found


@transaction.atomic
def reopen_edition(edition: Edition, by: User | None) -> Approval:
    """Take the approval back; its sends that are not prepared yet are held until it is approved again.

    Raises ApprovalRefused while a send of it is under way.
    """
    # Scheduling locks the same row: no send can appear between the question and the answer.
    Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition.pk)
    holding.hold_sends(edition, by=by)
    return approvals.reopen(edition, by=by)
