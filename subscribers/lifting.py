"""Taking a suppression away: always by a person, always with a reason that is kept."""

from django.db import transaction

from newsdesk.core.errors import InputError
from subscribers.address_forms import as_hash, domain_form, own_forms
from subscribers.addresses import stored_form
from subscribers.erased import erased_address
from subscribers.models import LiftedSuppression, Subscriber, Suppression

_Reason = Suppression.Reason
#: What a reader has told us themselves, and would not forgive.
_NEVER_LIGHTLY = {
    _Reason.COMPLAINT: "its owner called a mail of ours spam",
    _Reason.ERASED: "its owner asked to be erased",
}


@transaction.atomic
def lift(text: str, *, why: str, publication_id: int | None = None, really: bool = False) -> list[Suppression]:
    """The suppressions of an address, domain ("@example.com") or hash that were taken away; `why` is kept.

    With a publication only those of it. Nobody is put on a list by it. Raises InputError where there is nothing to lift, and for
    complaints and erasures without `really`.
    """
    wanted = stored_form(text)
    if not why.strip():
        raise InputError("--why: say why; it is kept")
    named = [wanted] if wanted.startswith("@") else [as_hash(wanted), *own_forms(wanted)]
    chosen = Suppression.objects.select_for_update().filter(address__in=named).order_by("address", "pk")
    if publication_id is not None:
        chosen = chosen.filter(publication_id=publication_id)
    rows = list(chosen)
    if not rows:
        wider = Suppression.objects.filter(address=domain_form(wanted)).exists() and not wanted.startswith("@")
        whole = f"; its whole domain is: unsuppress {domain_form(wanted)}" if wider else ""
        raise InputError(f"ADDRESS: {text} is not suppressed{whole}")
    for row in rows:
        if not really and (grave := _NEVER_LIGHTLY.get(_Reason(row.reason))):
            raise InputError(f"ADDRESS: {grave} ({row.reason}); --really lifts it all the same")
    LiftedSuppression.objects.bulk_create(
        LiftedSuppression(
            address=erased_address(wanted) if "@" in row.address[1:] else row.address,
            publication_id=row.publication_id,
            reason=row.reason,
            why=why.strip()[:500],
        )
        for row in rows
    )
    Suppression.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return rows


def lift_sunset(subscriber_id: int, publication_id: int, *, why: str) -> None:
    """The reader shows that they are there: who was left out for silence is mailed again."""
    email = Subscriber.objects.filter(pk=subscriber_id).values_list("email", flat=True).first() or ""
    silent = Suppression.objects.filter(address=email.lower(), publication_id=publication_id, reason=_Reason.SUNSET)
    if silent.delete()[0]:
        LiftedSuppression.objects.create(
            address=erased_address(email), publication_id=publication_id, reason=_Reason.SUNSET, why=why[:500]
        )
