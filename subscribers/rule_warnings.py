"""What is probably a slip in a rule: names and values that nobody, or hardly anybody, has.

Readers are looked at in a sample, so that a million cost no more than some thousands; that nobody has a name is only said when
nobody at all has it.
"""

import difflib
from collections.abc import Iterable, Mapping

from django.db import connection

from subscribers.models import List, Subscriber
from subscribers.segments import All, AnyOf, Leaf, Not, Rule
from subscribers.segments.rule import ATTRIBUTE_PREFIX

#: Of so many readers the names of attributes and tags are read; a name that fewer than this share of them have is rare.
SAMPLE = 20_000
RARE = 0.01
_SOME = f"(SELECT attributes, tags FROM subscribers_subscriber ORDER BY id DESC LIMIT {SAMPLE}) s"  # noqa: S608
_KEYS = f"SELECT key, count(*) FROM {_SOME} CROSS JOIN jsonb_object_keys(s.attributes) AS key GROUP BY key"  # noqa: S608
_TAGS = f"SELECT tag, count(*) FROM {_SOME} CROSS JOIN unnest(s.tags) AS tag GROUP BY tag"  # noqa: S608


def rule_warnings(publication_id: int, rule: Rule) -> list[str]:
    """Sentences about names in the rule that hardly anybody has, each with the nearest name that is in use."""
    leaves = list(_leaves(rule))
    keys = dict.fromkeys(leaf.key for leaf in leaves if leaf.field.startswith(ATTRIBUTE_PREFIX))
    tags = dict.fromkeys(str(tag) for leaf in leaves if leaf.field == "tags" for tag in leaf.values)
    slugs = dict.fromkeys(str(slug) for leaf in leaves if leaf.field == "lists" for slug in leaf.values)
    warnings: list[str] = []
    if keys:
        known = _counted(_KEYS)
        warnings += [said for key in keys if (said := _about_attribute(key, known))]
    if tags:
        known = _counted(_TAGS)
        warnings += [said for tag in tags if (said := _about_tag(tag, known))]
    if slugs:
        lists = set(List.objects.filter(publication_id=publication_id).values_list("slug", flat=True))
        warnings += [
            f"This publication has no list {slug!r}.{_nearest(slug, lists)}" for slug in slugs if slug not in lists
        ]
    return warnings


def _about_attribute(key: str, known: Mapping[str, int]) -> str:
    name = f"{ATTRIBUTE_PREFIX}{key}"
    nearest = _nearest(key, known, ATTRIBUTE_PREFIX)
    if key not in known and not Subscriber.objects.filter(attributes__has_key=key).exists():
        return f"No reader has {name}.{nearest}"
    return _rare(name, known.get(key, 0), nearest)


def _about_tag(tag: str, known: Mapping[str, int]) -> str:
    if tag not in known and not Subscriber.objects.filter(tags__contains=[tag]).exists():
        return f"No reader has the tag {tag!r}.{_nearest(tag, known)}"
    return ""


def _rare(name: str, having: int, nearest: str) -> str:
    looked_at = min(SAMPLE, Subscriber.objects.count()) if nearest else 0
    if nearest and having < RARE * looked_at:
        return f"Hardly any reader has {name}: {having} of {looked_at} looked at.{nearest}"
    return ""


def _nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """A question for the name in use that is written most like it, with a space before; empty where none is."""
    folded = {other.casefold(): other for other in known if other != name}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.7)
    return f" Did you mean {prefix}{folded[close[0]]}?" if close else ""


def _counted(sql: str) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return dict(cursor.fetchall())


def _leaves(rule: Rule) -> Iterable[Leaf]:
    if isinstance(rule, Leaf):
        yield rule
    elif isinstance(rule, Not):
        yield from _leaves(rule.rule)
    elif isinstance(rule, All | AnyOf):
        for child in rule.rules:
            yield from _leaves(child)
