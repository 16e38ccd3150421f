"""Segment rules: parsed from JSON, compiled to one SQL condition. No database is touched here.

What a rule means is written down in `subscribers.segments.rule`.
"""

from subscribers.segments.compiling import condition
from subscribers.segments.parsing import parse
from subscribers.segments.rule import All, AnyOf, Leaf, Not, Rule, RuleError

__all__ = ["All", "AnyOf", "Leaf", "Not", "Rule", "RuleError", "condition", "parse"]
