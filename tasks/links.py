"""A reader's own links, signed."""

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings

from subscribers.tokens import LinkKind, TokenSigner


@lru_cache(maxsize=1)
def signer() -> TokenSigner:
    """One for the process; links of earlier secret keys still verify."""
    return TokenSigner(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)


def for_send(*, publication_id: int, send_id: int) -> Callable[[int], tuple[str, str]]:
    """A function from a subscriber's id to their unsubscribe and preferences URLs in one send."""
    sign, base = signer().sign, settings.BASE_URL

    def links(subscriber_id: int) -> tuple[str, str]:
        token = sign(LinkKind.UNSUBSCRIBE, publication_id, send_id, subscriber_id)
        return f"{base}/u/{token}", f"{base}/p/{token}"

    return links
