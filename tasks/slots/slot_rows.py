"""The row of `tasks_slot` for one publication and moment: found or made, locked, and given its outcome once."""

from django.db.models.functions import Now

from composer.models import Edition
from tasks.models import Slot


def locked_row(edition: Edition) -> Slot | None:
    """The row of the slot that the edition has, locked until the transaction ends; None where there is none yet.

    The edition must have a slot.
    """
    assert edition.slot is not None
    rows = Slot.objects.select_for_update(no_key=True, of=("self",))
    return rows.filter(publication=edition.publication_id, at=edition.slot).first()


def locked_or_new_row(edition: Edition) -> Slot:
    """As `locked_row`; a row that is missing is made. The edition must have a slot."""
    assert edition.slot is not None
    slot, _ = Slot.objects.get_or_create(
        publication_id=edition.publication_id, at=edition.slot, defaults={"edition": edition}
    )
    return Slot.objects.select_for_update(no_key=True, of=("self",)).get(pk=slot.pk)


def state_outcome(slot: Slot, outcome: str) -> bool:
    """Write the outcome (a Slot.Outcome) down; False when another has been stated before."""
    return bool(Slot.objects.filter(pk=slot.pk, outcome="").update(outcome=outcome, decided_at=Now()))
