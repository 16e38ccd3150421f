"""A reader's own links, signed."""

from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings

from subscribers.tokens import LinkKind, TokenSigner


@lru_cache(maxsize=2)
def signer(installation: str) -> TokenSigner:
    """Of the installation with this id; links of earlier secret keys, and those that are bound to no installation, still verify."""
    return TokenSigner(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS, installation=installation)


def links_of_batch(
    subscriber_ids: Sequence[int], *, publication_id: int, send_id: int, installation: str
) -> list[tuple[str, str]]:
    """The unsubscribe and the preferences URL of each reader in one send, in their order."""
    unsubscribe, preferences = f"{settings.BASE_URL}/u/", f"{settings.BASE_URL}/p/"
    tokens = signer(installation).sign_many(LinkKind.UNSUBSCRIBE, publication_id, send_id, subscriber_ids)
    return [(unsubscribe + token, preferences + token) for token in tokens]
