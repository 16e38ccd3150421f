"""Test sends: an edition as it stands, to a few addresses, marked as a test. Nobody's subscription changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models.functions import Lower

from composer import headers, images, merge_tags
from composer.inspection import inspect
from composer.models import Edition
from subscribers import reader_links
from subscribers.models import Subscriber
from subscribers.segments import RuleError
from subscribers.tokens import LinkKind
from tasks.audience import segment_rules
from tasks.database import high_water
from tasks.messages import Message
from tasks.models import TransactionalMail
from tasks.transactional import test_limits, writing
from tasks.transactional.refused_addresses import refused_addresses
from tasks.transactional.test_limits import CannotTestError

MOST_ADDRESSES = 20
MARK = "[Test] "
EXAMPLE_NAME = "Sample Reader"

Segments = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class _Version:
    """What readers in any of these sets of segments see."""

    audiences: tuple[Segments, ...]
    message: Message


def send_test(
    edition: Edition,
    addresses: Sequence[str],
    *,
    segments: Sequence[str] | None = None,
    seen_by: str = "",
    by: Any = None,
    who: str = "",
) -> list[TransactionalMail]:
    """Write and enqueue one mail for each address; all of them. Raises CannotTestError.

    `segments`: the test shows what readers in exactly these see; by default what `seen_by` would, else readers in no
    segment. `seen_by`: the address of a subscriber whose values fill the merge tags; by default each address's own
    subscriber, else examples. `by`: the person at the desk, whose addresses and number of tests are limited; without one
    (the command line) they are not.
    """
    wanted = _addresses(addresses)
    person = _subscriber(seen_by) if seen_by else None
    current = Edition.objects.select_related("publication").get(pk=edition.pk)
    approval = current.approvals.standing().first()
    if by is not None:
        test_limits.refuse_strangers(by, current.publication, wanted)
    versions = _drafted(current) if approval is None else _approved(approval)
    rules = segment_rules.rules_of_edition(current) if approval is None else approval.audience_rules
    chosen = _chosen(versions, rules, segments, person, current)
    message = replace(chosen.message, subject=MARK + chosen.message.subject)
    asked_by = who or (by.get_username() if by is not None else "")
    with transaction.atomic():
        if by is not None:
            test_limits.refuse_too_many(by, len(wanted))
        return _write_mails(current, message, wanted, person=person, asked_by=asked_by)


def _write_mails(
    edition: Edition, message: Message, addresses: Sequence[str], *, person: Subscriber | None, asked_by: str
) -> list[TransactionalMail]:
    known = {one.email.lower(): one for one in _subscribers(addresses)}
    unsubscribe_url, preferences_url = test_links(edition.publication_id)
    tags = merge_tags.tags_in(message.subject, message.html, message.text)
    with transaction.atomic():
        return [
            writing.write_mail(
                kind=TransactionalMail.Kind.TEST,
                to_email=address,
                publication=edition.publication,
                edition=edition,
                message=message,
                substitutions=merge_tags.values(
                    tags,
                    name=reader.name if (reader := person or known.get(address.lower())) else EXAMPLE_NAME,
                    email=person.email if person else address,
                    unsubscribe_url=unsubscribe_url,
                    preferences_url=preferences_url,
                ),
                unsubscribe_url=unsubscribe_url,
                asked_by=asked_by,
            )
            for address in addresses
        ]


def test_links(publication_id: int) -> tuple[str, str]:
    """Unsubscribe and preferences URLs that belong to nobody: the pages say that it was a test."""
    sign, base = reader_links.signer(high_water.installation()).sign, settings.BASE_URL
    return (
        f"{base}/u/{sign(LinkKind.UNSUBSCRIBE, publication_id, 0, 0)}",
        f"{base}/p/{sign(LinkKind.PREFERENCES, publication_id, 0, 0)}",
    )


def _addresses(as_typed: Sequence[str]) -> list[str]:
    """Each address once, as it was written first."""
    by_address: dict[str, str] = {}
    for address in filter(None, map(str.strip, as_typed)):
        by_address.setdefault(address.lower(), address)
    unique = list(by_address.values())
    if not unique:
        raise CannotTestError("name at least one address")
    if len(unique) > MOST_ADDRESSES:
        raise CannotTestError(f"{len(unique)} addresses: a test goes to {MOST_ADDRESSES} at most")
    for address in unique:
        try:
            validate_email(address)
        except ValidationError as error:
            raise CannotTestError(f"{address!r} is not an address") from error
    refused = refused_addresses(unique)
    if refused:
        reasons = "; ".join(f"{address}: {why}" for address, why in refused.items())
        raise CannotTestError(f"not even a test goes there: {reasons}")
    return unique


def _subscribers(addresses: Sequence[str]) -> list[Subscriber]:
    lowered = [address.lower() for address in addresses]
    return list(Subscriber.objects.annotate(lower=Lower("email")).filter(lower__in=lowered))


def _subscriber(address: str) -> Subscriber:
    subscribers = _subscribers([address.strip()])
    if not subscribers:
        raise CannotTestError(f"no subscriber has the address {address!r}")
    return subscribers[0]


def _approved(approval: Any) -> list[_Version]:
    """The frozen bytes, those that will be sent."""
    return [
        _Version(
            audiences=tuple(frozenset(slugs) for slugs in variant.audiences),
            message=_message(variant.headers, variant.subject, variant.html, variant.text),
        )
        for variant in approval.variants.filter(stories__gt=0)
    ]


def _drafted(edition: Edition) -> list[_Version]:
    """Rendered now, as approving would; only problems that keep it from being rendered matter."""
    inspection = inspect(edition, images=images.permanent)
    if not inspection.variants:
        raise CannotTestError("; ".join(problem.message for problem in inspection.errors) or "there is nothing to show")
    common = headers.of(edition)
    return [
        _Version(
            audiences=visible.audiences, message=_message(common, rendering.subject, rendering.html, rendering.text)
        )
        for visible, rendering in inspection.variants
        if rendering is not None
    ]


def _message(common: Mapping[str, str], subject: str, html: str, text: str) -> Message:
    from_name, from_email = parseaddr(common["From"])
    own_fields = {"From", "Reply-To", "Subject"}
    return Message(
        from_email=from_email,
        from_name=from_name,
        reply_to=parseaddr(common.get("Reply-To", ""))[1],
        subject=subject,
        html=html,
        text=text,
        headers={name: value for name, value in common.items() if name not in own_fields},
    )


def _chosen(
    versions: Sequence[_Version],
    rules: Mapping[str, Any],
    segments: Sequence[str] | None,
    person: Subscriber | None,
    edition: Edition,
) -> _Version:
    if not versions:
        raise CannotTestError("the edition has no story to show")
    by_set = {audience: version for version in versions for audience in version.audiences}
    if segments is not None:
        wanted = frozenset(slug.strip() for slug in segments if slug.strip())
        unknown = sorted(wanted - set(rules))
        if unknown:
            used = ", ".join(sorted(rules)) or "none"
            raise CannotTestError(f"no block of the edition is for {', '.join(unknown)}; its segments are: {used}")
    elif person is not None:
        try:
            wanted = segment_rules.segments_of(person, rules, edition.publication_id)
        except RuleError as error:
            raise CannotTestError(str(error)) from error
    else:
        # Whoever names nobody sees what most readers do; where those see nothing, what the first do who see something.
        return by_set.get(frozenset(), versions[0])
    if wanted not in by_set:
        readers = f"in {' and '.join(sorted(wanted))}" if wanted else "in none of its segments"
        raise CannotTestError(f"readers {readers} see no story of the edition")
    return by_set[wanted]
