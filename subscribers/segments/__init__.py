"""Segment rules: parsed from JSON, compiled to one SQL condition, said in words. No database is touched here.

What a rule means is written down in `subscribers.segments.rule`.
"""

from subscribers.segments.comparing import text as compare_text
from subscribers.segments.compiling import TRUE, Scope, condition
from subscribers.segments.engagement import answer_with
from subscribers.segments.nesting import expanded
from subscribers.segments.parsing import parse
from subscribers.segments.rule import All, AnyOf, Leaf, Not, Rule, RuleError
from subscribers.segments.words import in_words

__all__ = [
    "TRUE",
    "All",
    "AnyOf",
    "Leaf",
    "Not",
    "Rule",
    "RuleError",
    "Scope",
    "answer_with",
    "compare_text",
    "condition",
    "expanded",
    "in_words",
    "parse",
]
