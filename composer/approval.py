"""A person's yes to exact bytes: check, render every variant, freeze. And taking that yes back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now
from wagtail.log_actions import log

from composer import headers, images
from composer.checks import Problem
from composer.content import Variant as VisibleVariant
from composer.content import segments_used
from composer.inspection import Inspection, inspect
from composer.models import Approval, Edition, Variant
from composer.rendering import Rendering
from newsdesk.core.errors import RefusedError


class ApprovalRefusedError(RefusedError):
    """The edition cannot be approved, or reopened, now; the message says why and what to do."""


class ApprovalBlockedError(ApprovalRefusedError):
    """Problems of level "error" stand in the way."""

    def __init__(self, problems: tuple[Problem, ...], inspection: Inspection) -> None:
        self.problems = problems
        self.inspection = inspection
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        super().__init__(f"{count} must be mended first: {'; '.join(problem.message for problem in problems)}")


class Approved(NamedTuple):
    approval: Approval
    #: What was inspected is what was frozen.
    inspection: Inspection


def approve(edition: Edition, *, by: User | None, audience_rules: Mapping[str, Any]) -> Approval:
    """`approve_inspected`, for whoever does not ask what the checks say besides."""
    return approve_inspected(edition, by=by, audience_rules=audience_rules).approval


@transaction.atomic
def approve_inspected(edition: Edition, *, by: User | None, audience_rules: Mapping[str, Any]) -> Approved:
    """Freeze the edition as it is stored now.

    `audience_rules` holds the rule of every segment its blocks name, by slug. Of two approvals at the same time one is
    refused. Raises ApprovalRefusedError, and ApprovalBlockedError where the checks find errors.
    """
    current = (
        Edition.objects.select_for_update(no_key=True, of=("self",)).select_related("publication").get(pk=edition.pk)
    )
    _refuse_wrong_person(current, by)
    if current.approvals.standing().exists():
        raise ApprovalRefusedError(f"{current} is approved already; reopen it to change it.")
    inspection = inspect(current, images=images.permanent)
    errors = (*inspection.errors, *unknown_audiences(inspection, audience_rules))
    if errors:
        raise ApprovalBlockedError(errors, inspection)
    approval = _freeze(current, inspection, by, audience_rules)
    log(
        instance=current,
        action="newsdesk.approve",
        user=by,
        revision=current.latest_revision,
        data={"approval": approval.pk, "content_hash": approval.content_hash},
    )
    return Approved(approval, inspection)


@transaction.atomic
def reopen(edition: Edition, *, by: User | None) -> Approval:
    """Void the standing approval, so that the edition can be edited again. Raises ApprovalRefusedError without one."""
    current = Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition.pk)
    approval = current.approvals.standing().select_for_update().first()
    if approval is None:
        raise ApprovalRefusedError(f"{current} is not approved; there is nothing to reopen.")
    approval.voided_at, approval.void_reason = now(), "reopened"
    approval.save(update_fields=["voided_at", "void_reason"])
    log(instance=current, action="newsdesk.reopen", user=by, data={"approval": approval.pk})
    return approval


def content_hash(approval: Approval, frozen: list[Variant]) -> str:
    """SHA-256, in hex, over everything a reader could notice.

    HTML and text (with the images' addresses, which name their bytes), subject, preheader, headers, who reads which
    variant, the rules that decide it, and what shapes the request. `frozen`: all variants, by position.
    """
    facts: dict[str, Any] = {
        "rules": approval.audience_rules,
        "merge_tags": approval.merge_tags,
        "timezone": approval.timezone,
        "variants": [
            [
                variant.audiences,
                variant.stories,
                variant.subject,
                variant.preheader,
                variant.html,
                variant.text,
                variant.headers,
            ]
            for variant in frozen
        ],
    }
    if approval.request:
        facts["request"] = approval.request
    exact = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(exact.encode()).hexdigest()


def _refuse_wrong_person(edition: Edition, by: User | None) -> None:
    if not edition.publication.second_approver:
        return
    if by is None:
        raise ApprovalRefusedError(f"{edition.publication} wants a second person to approve: do it at the desk.")
    if edition.latest_revision and edition.latest_revision.user_id == by.pk:
        raise ApprovalRefusedError(
            f"You edited {edition} last, and {edition.publication} wants a second person to approve."
        )


def unknown_audiences(inspection: Inspection, rules: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Segments the blocks name that have no rule."""
    missing = sorted((segments_used(inspection.content) if inspection.content else frozenset()) - set(rules))
    return tuple(
        Problem(
            level="error",
            code="audience.unknown",
            message=f"there is no segment “{slug}”; name one of the publication's, or show the block to everybody",
            where=", ".join(_naming(inspection, slug)),
        )
        for slug in missing
    )


def _naming(inspection: Inspection, slug: str) -> list[str]:
    blocks = inspection.content.blocks if inspection.content else ()
    return [f"block {position}" for position, block in enumerate(blocks, start=1) if block.audience == slug]


def _freeze(edition: Edition, inspection: Inspection, by: User | None, rules: Mapping[str, Any]) -> Approval:
    used = segments_used(inspection.content) if inspection.content else frozenset()
    approval = Approval(
        edition=edition,
        audience_rules={slug: rules[slug] for slug in sorted(used)},
        merge_tags=_merge_tags(inspection),
        timezone=edition.publication.timezone,
        request={
            "tracking": edition.publication.tracking,
            "track_unknown": edition.publication.track_unknown,
            "category": edition.publication.slug,
        },
        approved_by=by,
    )
    common = headers.of(edition)
    frozen = [
        _variant(approval, position, visible, rendering, common)
        for position, (visible, rendering) in enumerate(inspection.variants)
    ]
    approval.content_hash = content_hash(approval, frozen)
    approval.save()
    Variant.objects.bulk_create(frozen)
    return approval


def _variant(
    approval: Approval, position: int, visible: VisibleVariant, rendering: Rendering | None, common: dict[str, str]
) -> Variant:
    return Variant(
        approval=approval,
        position=position,
        audiences=[sorted(subset) for subset in visible.audiences],
        stories=len(visible.content.stories),
        subject=rendering.subject if rendering else "",
        preheader=rendering.preheader if rendering else "",
        html=rendering.html if rendering else "",
        text=rendering.text if rendering else "",
        headers=common,
    )


def _merge_tags(inspection: Inspection) -> dict[str, dict[str, Any]]:
    """Token in the bytes → its field, whether it is escaped for HTML, and the editor's default."""
    tags = {tag for _, rendering in inspection.variants if rendering for tag in rendering.tags}
    return {tag.token: {key: value for key, value in asdict(tag).items() if key != "token"} for tag in sorted(tags)}
