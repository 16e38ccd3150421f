"""Segments by name, and who is in them."""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from newsdesk.core.errors import InputError
from subscribers.audience import audience
from subscribers.models import List, Segment, Subscriber
from subscribers.segments import Scope, condition, expanded, parse

#: Memory for a set of a million readers: whoever opened, whoever is on a list.
_FOR_SETS = "SELECT set_config('work_mem', '128MB', true)"


def save_segment(publication_id: int, slug: str, rule: object, *, name: str | None = None) -> tuple[Segment, bool]:
    """The segment of that slug, made (True) or given this rule (False); sends and approvals keep the rule they copied.

    Without a name a known segment keeps its own, a new one is called as its slug. Raises RuleError or ValidationError.
    """
    whole_rule(publication_id, rule, of=slug)
    with transaction.atomic():
        draft = Segment(publication_id=publication_id, slug=slug, name=name or slug, rule=rule)
        draft.full_clean(exclude=["publication"], validate_unique=False, validate_constraints=False)
        _, made = Segment.objects.get_or_create(
            publication_id=publication_id, slug=slug, defaults={"name": draft.name, "rule": rule}
        )
        segment = Segment.objects.select_for_update().get(publication_id=publication_id, slug=slug)
        segment.rule = rule
        segment.name = name or segment.name
        segment.save(update_fields=["rule", "name"])
    return segment, made


def rules_for(publication_id: int, slugs: Iterable[str]) -> dict[str, object]:
    """The rules (JSON) of a publication's segments, with the rules of the segments that they name.

    Raises InputError for a slug the publication does not have; the message names those it has.
    """
    known = dict(Segment.objects.filter(publication_id=publication_id).values_list("slug", "rule"))
    wanted = sorted(set(slugs))
    for slug in wanted:
        if slug not in known:
            others = ", ".join(sorted(known)) or "none"
            raise InputError(f"segment {slug!r}: no such segment; this publication has: {others}.")
    return {slug: expanded(known[slug], known.get, known=list(known), of=slug) for slug in wanted}


def whole_rule(publication_id: int, rule: object, *, of: str = "") -> object:
    """The rule (JSON) with the rules of the publication's segments that it names; `of` is its own segment's slug, if any.

    Raises RuleError.
    """
    known = dict(Segment.objects.filter(publication_id=publication_id).values_list("slug", "rule"))
    return expanded(rule, known.get, known=list(known), of=of)


def subscribers_matching(segment: Segment) -> QuerySet[Subscriber]:
    """Everyone the rule is true of, whether or not we may mail them; dates are those of the publication's lists."""
    scope = Scope(publication_id=segment.publication_id, list_ids=_lists(segment.publication_id))
    rule = whole_rule(segment.publication_id, segment.rule, of=segment.slug)
    where = condition(parse(rule), scope)
    # Made of our own SQL, with every value of the rule as a parameter.
    ids = RawSQL(f"SELECT s.id FROM subscribers_subscriber s WHERE {where.sql}", where.params)  # noqa: S608, S611
    return Subscriber.objects.filter(pk__in=ids)


def count_readers(publication_id: int, rule: object) -> int:
    """How many readers a send to all lists of the publication and this rule (JSON) would reach now. Raises RuleError."""
    whole = parse(whole_rule(publication_id, rule))
    chosen = audience(_lists(publication_id), publication_id=publication_id, rule=whole)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FOR_SETS)
        # As a condition "reason IS NULL" would be guessed to be true of one in two hundred, and the others be looked up one by one.
        counted = f"SELECT count(*) FILTER (WHERE reason IS NULL) FROM ({chosen.sql}) AS candidate"  # noqa: S608 - our own SQL
        cursor.execute(counted, chosen.params)
        (count,) = cursor.fetchone()
    return int(count)


def _lists(publication_id: int) -> list[int]:
    return list(List.objects.filter(publication_id=publication_id).values_list("pk", flat=True))
