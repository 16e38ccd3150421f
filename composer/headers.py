"""Message headers that are the same for every reader of an edition."""

import hashlib
from urllib.parse import urlsplit

from django.conf import settings

from composer.models import Edition, Publication


def of(edition: Edition) -> dict[str, str]:
    """From, Reply-To, List-Id (RFC 2919) and Feedback-ID (four parts, none of them about the reader).

    Values are text, not encoded: names may hold any letter. List-Unsubscribe differs by reader and is not here.
    """
    publication = edition.publication
    headers = {
        "From": address(publication.from_name, publication.from_email),
        "List-Id": f"<{publication.slug}.{_host()}>",
        "Feedback-ID": f"{edition.number}:{publication.slug}:newsdesk:{_sender_id(publication)}",
    }
    if publication.reply_to:
        headers["Reply-To"] = publication.reply_to
    return headers


def address(name: str, email: str) -> str:
    """A mailbox with its display name quoted, so that any name can be read back (`email.utils.parseaddr`)."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{email}>' if quoted else email


def _host() -> str:
    return urlsplit(settings.BASE_URL).hostname or "localhost"


def _sender_id(publication: Publication) -> str:
    """5 to 15 characters that stay the same for everything this domain sends (Gmail's feedback loop)."""
    domain = publication.from_email.rpartition("@")[2].lower()
    return hashlib.blake2b(domain.encode(), digest_size=6).hexdigest()
