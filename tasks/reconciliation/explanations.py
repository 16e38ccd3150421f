"""What settled an attempt, and what keeps its silence from being believed, in plain text. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tasks.reconciliation.silence_conditions import FEED_PASSES, HEARD_SHARE, LATER_REQUESTS, PASSES, Doubt

_HOUR, _MINUTE = 3600, 60


class Condition(NamedTuple):
    """One condition of believing that an attempt's silence is a refusal."""

    is_met: bool
    text: str


def explain_fact(fact: Mapping[str, Any]) -> str:
    """One fact of Attempt.evidence, without its time."""
    kind = str(fact.get("kind") or "")
    explain = _EXPLANATIONS.get(kind)
    if explain is not None:
        return explain(fact)
    values = ", ".join(f"{name} {value}" for name, value in sorted(fact.items()) if name not in {"kind", "at"})
    return f"{kind or 'something'}{f': {values}' if values else ''}"


def _answer(fact: Mapping[str, Any]) -> str:
    if fact.get("proves") == "accepted":
        text = f"the provider's answer: accepted{_with_status(fact)}"
        return f"{text}, message id {fact['provider_id']}" if fact.get("provider_id") else text
    return f"the provider's answer: {fact.get('said') or 'none that could be understood'}"


def _with_status(fact: Mapping[str, Any]) -> str:
    return f" (HTTP {fact['http_status']})" if fact.get("http_status") else ""


def _event(fact: Mapping[str, Any]) -> str:
    receipt = f" (receipt {fact['receipt']})" if fact.get("receipt") else ""
    return f"an event named it{receipt}: it was accepted"


def _silence(fact: Mapping[str, Any]) -> str:
    return (
        f"silence: nothing was heard of it for {span(fact.get('seconds', 0))} (grace {span(fact.get('grace', 0))}) in "
        f"{fact.get('passes', 0)} passes, while {fact.get('later_requests_heard', 0)} later requests were heard of: "
        "it was refused"
    )


def _activity(fact: Mapping[str, Any]) -> str:
    if fact.get("proves") == "accepted":
        return "the provider's activity feed knows a message of it: it was accepted"
    asked = f"asked for {_counted(fact.get('readers', 0), 'reader')}"
    knew = f"knew no message of it ({asked}), but {_counted(fact.get('later_requests_known', 0), 'later request')}"
    if fact.get("proves") != "refused":
        return f"the provider's activity feed {knew}: it may have been refused"
    return (
        f"silence for {span(fact.get('seconds', 0))} (grace {span(fact.get('grace', 0))}), and the provider's activity feed {knew}, "
        f"in {fact.get('passes', 0)} passes: it was refused"
    )


def _person(fact: Mapping[str, Any]) -> str:
    decided = {
        "resend": "send it again, for it was not accepted",
        "leave": "leave it: nobody will know, and it is not sent again",
    }.get(str(fact.get("decided")), str(fact.get("decided")))
    return f"{fact.get('who') or 'somebody'} decided: {decided}"


def _database_moved(fact: Mapping[str, Any]) -> str:
    why = f": {fact['why']}" if fact.get("why") else ""
    return f"the database moved under it, so that its silence proves nothing{why}"


def _recovered(fact: Mapping[str, Any]) -> str:
    return f"recovery found it without an end: {fact.get('why') or 'its worker is gone'}"


def _released(fact: Mapping[str, Any]) -> str:
    return f"its worker took it back before a byte had left: {fact.get('why') or 'no reason given'}"


def _lost(fact: Mapping[str, Any]) -> str:
    send = f" of send {fact['send']}" if fact.get("send") else ""
    return f"an event named this request{send}, which the database has forgotten: it was accepted"


def _answers(fact: Mapping[str, Any]) -> str:
    outcomes = ("accepted", "refused", "put_off", "not_tried", "unknown")
    numbers = ", ".join(f"{fact[name]} {name.replace('_', ' ')}" for name in outcomes if fact.get(name))
    message = f"; {fact['said']}" if fact.get("said") else ""
    return f"the server's answers: {numbers or 'none'}{message}"


def _divided(fact: Mapping[str, Any]) -> str:
    return f"it has the readers of batch {fact.get('from_batch')} whose outcome was another"


def _reported(fact: Mapping[str, Any]) -> str:
    receipt = f" (receipt {fact['receipt']})" if fact.get("receipt") else ""
    return f"the mail server reported of its readers{receipt}, who were in doubt in batch {fact.get('from_batch')}: it had accepted their mails"


#: By the kind of the stored fact; these are evidence and keep their names.
_EXPLANATIONS = {
    "answer": _answer,
    "event": _event,
    "silence": _silence,
    "activity": _activity,
    "person": _person,
    "ground_moved": _database_moved,
    "sweep": _recovered,
    "withdrawn": _released,
    "lost": _lost,
    "answers": _answers,
    "divided": _divided,
    "reported": _reported,
}


def conditions(doubt: Doubt, *, grace: float) -> list[Condition]:
    """Each condition of believing this silence, and how far it is. `grace` in seconds; all must be met."""
    later = min(doubt.later_heard, LATER_REQUESTS)
    share = f"{HEARD_SHARE:.0%}"
    return [
        Condition(doubt.age > grace, f"grace: {span(min(doubt.age, grace))} of {span(grace)}"),
        Condition(doubt.passes >= PASSES, f"passes: {min(doubt.passes, PASSES)} of {PASSES}"),
        Condition(
            later >= LATER_REQUESTS,
            f"later requests heard of (for {share} of their readers): {later} of {LATER_REQUESTS}",
        ),
        Condition(
            doubt.others_heard,
            f"accepted about the same time and silent too: {'none' if doubt.others_heard else 'some'}",
        ),
        Condition(doubt.all_applied, f"receipts that wait to be applied: {'none' if doubt.all_applied else 'some'}"),
        Condition(doubt.webhook_accepted, f"webhook calls refused since: {'no' if doubt.webhook_accepted else 'yes'}"),
        Condition(doubt.enabled, f"silence believed on this key: {'yes' if doubt.enabled else 'no'}"),
    ]


def sooner_conditions(doubt: Doubt, note: Mapping[str, Any], *, grace: float) -> list[Condition]:
    """What must hold instead of the long grace, so that a silence is believed which the activity feed confirms.

    `note` is what the feed last said of the attempt (`activity_notes`), empty when it was not asked; `grace` in seconds.
    """
    known = min(int(note.get("later_known", 0)), LATER_REQUESTS)
    passes = min(doubt.feed_passes, FEED_PASSES)
    return [
        Condition(doubt.age > grace, f"grace: {span(min(doubt.age, grace))} of {span(grace)}"),
        Condition(known >= LATER_REQUESTS, f"later requests that the feed knows: {known} of {LATER_REQUESTS}"),
        Condition(
            passes >= FEED_PASSES,
            f"passes in which it knew those and no message of this one: {passes} of {FEED_PASSES}",
        ),
    ]


def explain_feed(note: Mapping[str, Any], *, has_none: bool, trouble: str) -> str:
    """What the activity feed said of an attempt, or why it is not asked. `note` as above; `trouble` in its own words."""
    if has_none:
        return f"this account or key has none, and is asked again within a day ({trouble})"
    last = _last_answer(note)
    return f"{last}; it cannot be asked now ({trouble})" if trouble else last


def _last_answer(note: Mapping[str, Any]) -> str:
    if not note:
        return "not asked yet"
    at = datetime.fromtimestamp(float(note.get("at", 0)), UTC)
    said = {"absent": "it knew no message of it", "found": "it knew a message of it"}.get(
        str(note.get("said")), "whether a message it knew is of it could not be told"
    )
    readers = _counted(int(note.get("readers", 0)), "reader")
    return f"asked at {at:%H:%M:%S} UTC for {readers}: {said}"


def never_believed(evidence: list[Mapping[str, Any]], *, reports: bool) -> str:
    """Why this attempt's silence will never be believed; empty when it may be."""
    if any(fact.get("decided") == "leave" for fact in evidence):
        return "somebody decided to leave it"
    if any(fact.get("kind") == "ground_moved" for fact in evidence):
        return "the database moved under it: the proof may be lost too"
    if not reports:
        return "silence proves nothing on this transport: not every mail is reported of"
    return ""


def span(seconds: float) -> str:
    """Seconds in the unit people use: 3 h, 20 min, 10 s."""
    if seconds >= _HOUR:
        return f"{_short(seconds / _HOUR)} h"
    return f"{_short(seconds / _MINUTE)} min" if seconds >= 2 * _MINUTE else f"{_short(seconds)} s"


def _short(number: float) -> str:
    """One decimal where it matters, cut and not rounded: a grace that is not over must not look over."""
    cut = int(number * 10) / 10
    return f"{cut:g}" if cut < 10 else f"{int(cut)}"


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
