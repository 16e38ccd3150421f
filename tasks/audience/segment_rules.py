"""The rules of the segments that an edition's blocks are for."""

from composer.models import Edition
from newsdesk.core.errors import InputError
from subscribers.saved_segments import rules_for


def rules_of_edition(edition: Edition) -> dict[str, object]:
    """The rules of the segments the edition's blocks name, by slug; those that do not exist are left out."""
    slugs = {(child.value.get("audience") or "").strip() for child in edition.content} - {""}
    rules: dict[str, object] = {}
    for slug in sorted(slugs):
        try:
            rules |= rules_for(edition.publication_id, [slug])
        except InputError:
            continue
    return rules
