"""A run for the public is started only with settings that Django's deployment checks find nothing wrong with."""

from django.conf import settings
from django.core import checks

from newsdesk.core.errors import OperationFailedError


def refuse_unsafe_settings() -> None:
    """Raise OperationFailedError with what `check --deploy` says, when BASE_URL is https and it says anything."""
    if not settings.BASE_URL.startswith("https://"):
        return
    found = checks.run_checks(tags=[checks.Tags.security], include_deployment_checks=True)
    said = [f"{one.msg} ({one.id})" for one in found if not one.is_silenced()]
    if said:
        raise OperationFailedError(
            f"Not started at {settings.BASE_URL}, since its settings are unsafe: {' '.join(said)}"
        )
