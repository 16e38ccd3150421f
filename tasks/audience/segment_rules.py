"""The rules of the segments that an edition's blocks are for, and who is in them."""

from collections.abc import Mapping
from typing import Any

from django.db import connection

from composer.models import Edition
from newsdesk.core.errors import InputError
from subscribers.models import List, Subscriber
from subscribers.saved_segments import rules_for
from subscribers.segments import RuleError, Scope, condition, parse


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


def segments_of(reader: Subscriber, rules: Mapping[str, Any], publication_id: int) -> frozenset[str]:
    """The slugs of those rules that hold of the reader now. Raises RuleError, which names the segment."""
    list_ids = list(List.objects.filter(publication_id=publication_id).values_list("pk", flat=True))
    scope = Scope(publication_id=publication_id, list_ids=list_ids)
    member_of = set()
    for slug, rule in rules.items():
        try:
            where = condition(parse(rule), scope)
        except RuleError as error:
            raise RuleError(f"segment {slug}", str(error)) from error
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT 1 FROM subscribers_subscriber s WHERE s.id = %s AND ({where.sql})",  # noqa: S608 - our own SQL
                (reader.pk, *where.params),
            )
            if cursor.fetchone():
                member_of.add(slug)
    return frozenset(member_of)
