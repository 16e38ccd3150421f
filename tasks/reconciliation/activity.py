"""The provider's own record of the messages it accepted, as evidence about attempts nobody saw the end of.

A message that it knows of an attempt proves that the request was accepted. That it knows none proves nothing alone: the feed runs
behind, and may not be whole. But where all holds that silence demands, except its long grace, and the feed knows later requests, two
independent channels are silent about the attempt, and know later ones (docs/adr/0008). Whatever goes wrong, nothing is concluded.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from tasks.attempts.proof import prove_accepted
from tasks.database import high_water
from tasks.models import Attempt, evidence
from tasks.providers import registry
from tasks.providers.base import ActivityAnswer, ActivityFeed, ActivityUnavailableError, NoActivityError, Transport
from tasks.reconciliation import activity_notes
from tasks.reconciliation.activity_questions import Doubtful, Questions, accepted_ids, doubtful, questions_about
from tasks.reconciliation.settling import settle_as_refused
from tasks.reconciliation.silence_conditions import FEED_PASSES, LATER_REQUESTS, Doubt

log = structlog.get_logger(__name__)

#: Seconds from the beginning of one pass that asks to that of the next, for all workers. A pass asks half of what the feed answers in a
#: minute and takes at most 30 s, so that no minute has more than two passes in it.
TURN_EVERY = 50.0
#: Seconds for which an attempt must have been unknown: most events come within them.
ASK_AFTER = 180.0
#: Attempts in doubt that one pass asks about: they share a request, but each that is found takes one more.
_DOUBTS_A_PASS = 4


def feed_of(transport: str) -> ActivityFeed | None:
    """The feed of a transport's provider."""
    known = registry.provider_of(transport)
    return known.activity_feed if known else None


def is_wanted(transport: str, silence_grace: float) -> bool:
    """Whether the feed is to be asked, as far as the account has one: the provider has, and it would be sooner than silence."""
    return 0 < settings.ACTIVITY_GRACE < silence_grace and feed_of(transport) is not None


def grace_of(transport: str, silence_grace: float) -> float:
    """Seconds after which the feed's word and silence together are believed; 0.0 where there is no feed to ask."""
    if not is_wanted(transport, silence_grace) or activity_notes.trouble(transport)[0]:
        return 0.0
    return float(settings.ACTIVITY_GRACE)


def ask(*, transport: Transport, doubts: Callable[[], Sequence[Doubt]], grace: float) -> None:
    """One pass: ask about some attempts in doubt, and settle what that proves.

    `doubts` gives those whose silence may be believed, as they are at that moment; `grace` in seconds is that of silence. Never raises
    for the feed's sake; raises the database's errors.
    """
    short = grace_of(transport.name, grace)
    feed = feed_of(transport.name)
    waiting = doubtful(transport.name, older_than=min(ASK_AFTER, short / 5)) if short else []
    if feed is None or not waiting or not activity_notes.take_turn(transport.name, every=TURN_EVERY):
        return
    believable = _believable(doubts, short)
    chosen = _least_recently_asked(transport.name, waiting)
    questions = questions_about(transport.name, chosen, with_later=believable)
    if not questions.doubts:
        return
    answer = _answer(feed, transport, questions)
    if answer is None:
        return
    _note(transport.name, questions, answer)
    # While it was asked, seconds, an event may have come, or the database may have been found to be another.
    believable = _believable(doubts, short) if believable else {}
    for doubt in chosen:
        if doubt.attempt in answer.found:
            _found(doubt)
        elif doubt.attempt in answer.absent and doubt.attempt in believable:
            _absent(believable[doubt.attempt], questions, answer, grace=short)


def _believable(doubts: Callable[[], Sequence[Doubt]], grace: float) -> dict[UUID, Doubt]:
    """Those of which everything but the feed's word is there."""
    return {doubt.attempt: doubt for doubt in doubts() if doubt.proves_refusal(grace)}


def _answer(feed: ActivityFeed, transport: Transport, questions: Questions) -> ActivityAnswer | None:
    """None when the feed gave none."""
    try:
        return feed.ask(
            transport,
            questions.all,
            others=accepted_ids(transport.name, since=min(question.begun_at for question in questions.doubts)),
            installation=high_water.installation(),
            requests=feed.requests_a_minute // 2,
        )
    except NoActivityError as error:
        activity_notes.has_none(transport.name, str(error))
    except ActivityUnavailableError as error:
        activity_notes.failed(transport.name, str(error))
    return None


def _least_recently_asked(transport: str, waiting: list[Doubtful]) -> list[Doubtful]:
    """One about which nothing can be said must not keep the others from being asked about: of those asked together the last is the first next time."""
    noted = activity_notes.noted(transport, (doubt.attempt for doubt in waiting))
    return sorted(waiting, key=lambda doubt: noted.get(doubt.attempt, {}).get("at", 0.0))[:_DOUBTS_A_PASS]


def _note(transport: str, questions: Questions, answer: ActivityAnswer) -> None:
    told: dict[UUID, dict[str, Any]] = {}
    now = time.time()
    for place, question in enumerate(questions.doubts):
        said = "found" if question.attempt in answer.found else "absent" if question.attempt in answer.absent else ""
        later = questions.later.get(question.attempt)
        told[question.attempt] = {"at": now - place / 1000, "said": said, "readers": len(question.addresses)}
        if later is not None:
            told[question.attempt] |= {
                "later_asked": len(later),
                "later_known": _known(questions, answer, question.attempt),
            }
    activity_notes.note(transport, told)


def _known(questions: Questions, answer: ActivityAnswer, attempt: UUID) -> int:
    """How many of the later requests the feed knows."""
    return sum(question.attempt in answer.found for question in questions.later.get(attempt, ()))


def _found(doubt: Doubtful) -> None:
    with transaction.atomic():
        prove_accepted({doubt.attempt: doubt.send_id}, by={"kind": "activity"})


def _absent(doubt: Doubt, questions: Questions, answer: ActivityAnswer, *, grace: float) -> None:
    """Count a pass in which all was so, and believe it when there were enough."""
    known = _known(questions, answer, doubt.attempt)
    if known < LATER_REQUESTS:
        return
    readers = next(len(question.addresses) for question in questions.doubts if question.attempt == doubt.attempt)
    fact: Mapping[str, Any] = {
        "kind": "activity",
        "seconds": round(doubt.age),
        "grace": grace,
        "readers": readers,
        "later_requests_known": known,
        "later_requests_heard": doubt.later_heard,
        "passes": doubt.feed_passes + 1,
    }
    if doubt.feed_passes + 1 < FEED_PASSES:
        Attempt.objects.filter(pk=doubt.attempt, outcome=Attempt.Outcome.UNKNOWN).update(
            evidence=evidence.with_fact(fact)
        )
        return
    fact = {**fact, "proves": "refused"}
    if settle_as_refused(doubt.batch_id, doubt.attempt, fact=fact, unless_receipts_wait=True):
        log.info("refused_by_activity", batch=doubt.batch_id, attempt=str(doubt.attempt), **fact)
