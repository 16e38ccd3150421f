"""What settled an attempt, appended in the order in which it was learned."""

import json
from collections.abc import Mapping

from django.db.models import F, Func, JSONField, Value
from django.db.models.expressions import Combinable


class _Append(Func):
    template = "(%(expressions)s)"
    arg_joiner = " || "
    output_field = JSONField()


def with_fact(fact: Mapping[str, object]) -> Combinable:
    """An expression for `Attempt.evidence`: the list with one more fact, stamped with the database's time."""
    stamped = Func(
        Value(json.dumps(dict(fact), default=str).replace("\\u0000", "")),
        template="jsonb_build_array(%(expressions)s::jsonb || jsonb_build_object('at', statement_timestamp()))",
        output_field=JSONField(),
    )
    return _Append(F("evidence"), stamped)
