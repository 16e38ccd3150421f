"""Which opens and clicks of one delivery are a machine's: pure, and the same in whatever order they became known.

Security gateways fetch every link of a mail before, or just after, they hand it over, and some open it with the agent
string of a common browser. So two things tell them: what they call themselves, and that nobody reads three links in ten
seconds. A proxy that fetches an image because somebody opened the mail (Gmail's, Yahoo's) is that reader's open, and
Outlook calls itself "Microsoft Office" when a person reads with it: neither stands here. What Safe Links and Proofpoint
do behind a browser's name is caught by its pace.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from tasks.providers.events import EventKind

#: Distinct links within this many seconds of each other that only a machine follows.
LINKS = 3
WINDOW_SECONDS = 10
#: Such a burst counts when it begins at most this many seconds after the delivery. One before it is a gateway's too: it
#: looks before it takes the mail, and nobody can read what is not there.
AFTER_DELIVERY_SECONDS = 60

#: In any case, as they stand in agent strings. A word is enough where the product names itself.
_AGENTS = (
    # Mail gateways that say so: "Barracuda Sentinel (EE)", "Mimecast…", "…Proofpoint…", "CiscoSecureEmail".
    r"barracuda|mimecast|proofpoint|ciscosecureemail|ironport",
    # Crawlers and link previews ("Googlebot", "Slackbot-LinkExpanding", "bingpreview"). CUBOT is a maker of telephones.
    r"(?<!cu)bot\b|crawler|spider|bingpreview|skypeuripreview|facebookexternal(?:hit|ua)",
    # Browsers without a screen, by the name they bring.
    r"headlesschrome|phantomjs",
    # Libraries and tools; okhttp, CFNetwork and Dalvik are missing, for mail apps on telephones use them.
    r"python-requests|python-urllib|aiohttp|python-httpx|curl/|wget/|go-http-client|apache-httpclient|\bjava/|libwww-perl",
)
_MACHINE = re.compile("|".join(_AGENTS), re.IGNORECASE)

#: The kinds that are judged. Of OPENED_BY_MACHINE the provider says so itself.
OPENS = frozenset({EventKind.OPENED.value, EventKind.OPENED_BY_MACHINE.value})
CLICKS = frozenset({EventKind.CLICKED.value})
KINDS = OPENS | CLICKS


class Act(NamedTuple):
    """One open or click; `at` in Unix seconds."""

    kind: str
    at: float
    url: str
    agent: str


@lru_cache(maxsize=4096)
def names_itself(agent: str) -> bool:
    """Whether this agent string is a known machine's. An empty one says nothing."""
    return bool(agent) and _MACHINE.search(agent) is not None


def by_machines(acts: Sequence[Act], *, delivered: float | None) -> list[bool]:
    """For each open and click of one delivery whether a machine did it.

    `delivered`: Unix seconds of its (last) delivery; None while nobody has told: then the pace alone decides.
    """
    bursts = _bursts([act for act in acts if act.kind in CLICKS], delivered)
    return [
        act.kind == EventKind.OPENED_BY_MACHINE or names_itself(act.agent) or _within(act.at, bursts) for act in acts
    ]


def _within(at: float, bursts: Sequence[tuple[float, float]]) -> bool:
    """Anybody may follow the links of their own mail ten thousand times: each act is looked up, not compared with all."""
    before = bisect_right(bursts, (at, float("inf")))
    return before > 0 and at <= bursts[before - 1][1]


def _bursts(clicks: Collection[Act], delivered: float | None) -> list[tuple[float, float]]:
    """The times in which more links were followed than a reader follows: (first, last) click, apart and in order."""
    if len({click.url for click in clicks}) < LINKS:
        return []
    in_order = sorted(clicks, key=lambda click: click.at)
    latest = float("inf") if delivered is None else delivered + AFTER_DELIVERY_SECONDS
    bursts: list[tuple[float, float]] = []
    end, links = 0, dict[str, int]()
    for click in in_order:
        if click.at > latest:
            break
        while end < len(in_order) and in_order[end].at <= click.at + WINDOW_SECONDS:
            links[in_order[end].url] = links.get(in_order[end].url, 0) + 1
            end += 1
        if len(links) >= LINKS:
            last = in_order[end - 1].at
            if bursts and click.at <= bursts[-1][1]:
                bursts[-1] = (bursts[-1][0], last)
            else:
                bursts.append((click.at, last))
        links[click.url] -= 1
        if not links[click.url]:
            del links[click.url]
    return bursts
