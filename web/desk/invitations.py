"""How somebody who was added to the team gets in. The one place: whoever sends invitations by mail does it here."""

from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode


def invite(person: Any) -> str:
    """The link at which the person sets a password; the administrator hands it on.

    It works once, for as long as Django's PASSWORD_RESET_TIMEOUT says (three days), and no longer once the person has logged in.
    """
    key = urlsafe_base64_encode(force_bytes(person.pk))
    token = default_token_generator.make_token(person)
    return f"{settings.BASE_URL}{reverse('wagtailadmin_password_reset_confirm', args=[key, token])}"
