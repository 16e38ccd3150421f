"""What a person decided about lines that could be read in two ways: by line, “headline” or “text”."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

Decision: TypeAlias = Literal["headline", "text"]
#: By the line on which a block begins, counted from 1.
Decisions: TypeAlias = Mapping[int, Decision]
NO_DECISIONS: Decisions = MappingProxyType({})
