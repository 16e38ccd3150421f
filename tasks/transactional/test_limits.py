"""To whom a person may send tests, and how many: a desk is no way to write to strangers."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model

from composer.models import Publication
from composer.permissions import Right, may, people_who_may
from newsdesk.core.errors import InputError
from tasks.database import clock
from tasks.models import TransactionalMail

_WINDOW = timedelta(hours=1)


class CannotTestError(InputError):
    """The test cannot be sent as asked; nothing was sent. The message says what to do."""


def refuse_strangers(user: Any, publication: Publication, addresses: Sequence[str]) -> None:
    """Only publishers test to any address. Raises CannotTestError with those that are not allowed."""
    if may(user, Right.SEND, publication):
        return
    team = people_who_may(Right.SEE, publication).exclude(email="").values_list("email", flat=True)
    allowed = {address.lower() for address in team}
    allowed |= {entry.strip().lower() for entry in publication.test_addresses.splitlines()}
    strangers = [one for one in addresses if not {one.lower(), f"@{one.lower().rpartition('@')[2]}"} & allowed]
    if strangers:
        raise CannotTestError(
            f"{', '.join(strangers)}: tests go to the team's addresses and to those that the publication allows. "
            "Ask a publisher to send it, or an administrator to allow the address"
        )


def refuse_too_many(user: Any, wanted: int) -> None:
    """To be called in the transaction that writes the mails. Raises CannotTestError when the hour's number is used up."""
    # Two tests of one person at the same moment are counted one after the other.
    get_user_model()._default_manager.select_for_update(no_key=True).get(pk=user.pk)  # noqa: SLF001 - the public way to the manager
    recent = TransactionalMail.objects.filter(
        kind=TransactionalMail.Kind.TEST, asked_by=user.get_username(), created_at__gt=clock.now() - _WINDOW
    ).count()
    most = settings.TEST_MAILS_PER_HOUR
    if recent + wanted > most:
        left = max(0, most - recent)
        raise CannotTestError(
            f"a person may send {most} test mails in an hour, and {left} are left; wait, or name fewer addresses"
        )
