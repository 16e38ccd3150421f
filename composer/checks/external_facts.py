"""What the checks are told of the world beyond the edition, as plain data: they fetch and query nothing themselves."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from composer.claims.source_changes import SourceChange
from composer.content import EditionContent

#: answered: the address led to a page; moved: it leads there by a permanent redirect; broken: the server says there is
#: no such page, or there is no such server; unclear: no answer, or one meant for robots (403, 429, 5xx); private: it
#: leads to an address that only exists inside a network.
Outcome = Literal["answered", "moved", "broken", "unclear", "private"]


@dataclass(frozen=True, kw_only=True)
class LinkReport:
    """What came of following one link."""

    outcome: Outcome
    #: HTTP status of the last answer; 0 without one.
    status: int = 0
    #: Where the redirects ended, when it is another address.
    target: str = ""
    #: In words, when nothing answered.
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class SpamReport:
    """SpamAssassin's opinion of the finished message."""

    score: float
    #: Rules that added to the score, with their points.
    rules: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class History:
    """What the publication's earlier editions said."""

    #: The edition before this one.
    last: EditionContent | None = None
    #: Key of a story block → number of the edition in which the same story ran.
    ran: Mapping[str, int] = field(default_factory=dict)
    #: Key of a story block → where another story that tells the same news ran: “No. 118 as #4, 17 November: “…””.
    told: Mapping[str, str] = field(default_factory=dict)
    #: Parts of the frame ("closing") that still are the last edition's, and that nobody has confirmed.
    untouched: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class ExternalFacts:
    """Everything the checks are told. What is None is unknown, and no check speaks of it."""

    today: dt.date | None = None
    history: History = field(default_factory=History)
    #: By address as it stands in the mail; an address that is missing here has not been checked yet.
    links: Mapping[str, LinkReport] | None = None
    spam: SpamReport | None = None
    #: Keys of two story blocks → how alike they are in meaning, from 0 to 1; pairs of which nothing is known are missing.
    similarity: Mapping[frozenset[str], float] = field(default_factory=dict)
    #: Key of a story block → the stored text of its source; blocks without one are missing.
    sources: Mapping[str, str] = field(default_factory=dict)
    #: Key of a story block → what had changed in its source when it was fetched again before the edition's time.
    source_changes: Mapping[str, Sequence[SourceChange]] = field(default_factory=dict)
