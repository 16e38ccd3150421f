"""Addresses to which not even a test goes."""

from collections.abc import Iterable

from subscribers.address_forms import forms
from subscribers.models import Suppression

Reason = Suppression.Reason
#: An unsubscribe is from what is sent to readers: whoever left may still try out what others get.
_REASONS = (Reason.HARD_BOUNCE, Reason.COMPLAINT, Reason.INVALID, Reason.ERASED)
_EXPLANATIONS = {
    Reason.HARD_BOUNCE: "mail to it bounced for good (hard_bounce)",
    Reason.COMPLAINT: "its owner called a mail of ours spam (complaint)",
    Reason.INVALID: "the provider says it is no address (invalid)",
    Reason.ERASED: "its owner asked to be erased (erased)",
}


def refused_addresses(addresses: Iterable[str]) -> dict[str, str]:
    """Those of the addresses that must not be written to at all, each with the explanation."""
    named = {address: forms(address) for address in addresses}
    every = [form for each in named.values() for form in each]
    suppressions = Suppression.objects.filter(address__in=every, reason__in=_REASONS).order_by("-pk")
    reasons = {row.address: Reason(row.reason) for row in suppressions}
    found = {address: [reasons[form] for form in each if form in reasons] for address, each in named.items()}
    return {address: _EXPLANATIONS[why[0]] for address, why in found.items() if why}
