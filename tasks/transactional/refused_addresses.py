"""Addresses to which not even a test goes."""

from collections.abc import Iterable

from subscribers.models import Suppression
from subscribers.suppression import erased_address

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
    forms = {form: address for address in addresses for form in (address.lower(), erased_address(address))}
    suppressions = Suppression.objects.filter(address__in=list(forms), reason__in=_REASONS).order_by("pk")
    return {forms[row.address]: _EXPLANATIONS[Reason(row.reason)] for row in suppressions}
