"""Whether opens and clicks of a reader may be reported: the answer, its proof, and what it means for a send."""

from dataclasses import dataclass

from django.db import transaction

from subscribers.models import Subscriber, TrackingAnswer

Tracking = Subscriber.Tracking
#: What a reader can say.
ANSWERS = (Tracking.GRANTED, Tracking.DENIED)


def may_track(tracking: str, *, track_unknown: bool) -> bool:
    """`track_unknown`: the publication tracks readers who were never asked."""
    return tracking == Tracking.GRANTED or (track_unknown and tracking == Tracking.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Question:
    """The box on the reader's page; ticked where they are tracked now."""

    wording: str
    is_ticked: bool


def question(subscriber_id: int, *, asks: bool, track_unknown: bool, wording: str) -> Question | None:
    """What to ask the reader; None where the publication asks nobody (`asks`) and there is no yes to take back."""
    said = Subscriber.objects.filter(pk=subscriber_id).values_list("tracking", flat=True).first()
    if said is None or not (asks or said == Tracking.GRANTED):
        return None
    return Question(wording=wording, is_ticked=may_track(said, track_unknown=asks and track_unknown))


def change(subscriber_id: int, *, ticked: bool, shown: bool | None, source: str, wording: str) -> bool:
    """Take the box as an answer where the reader changed it; whether there was one.

    `shown`: whether the page had it ticked; None where the request does not say. A box that was left as it was says nothing:
    whoever was never asked stays so.
    """
    if shown is None:
        shown = Subscriber.objects.filter(pk=subscriber_id, tracking=Tracking.GRANTED).exists()
    if ticked == shown:
        return False
    return answer(subscriber_id, Tracking.GRANTED if ticked else Tracking.DENIED, source=source, wording=wording)


@transaction.atomic
def answer(subscriber_id: int, said: Tracking, *, source: str, wording: str = "") -> bool:
    """Keep what the reader said, with its proof; False where they had said so before, or are gone. No subscription changes.

    Raises ValueError where `said` is none of ANSWERS.
    """
    if said not in ANSWERS:
        raise ValueError(f"{said!r} is no answer")
    known = Subscriber.objects.select_for_update(of=("self",)).filter(pk=subscriber_id).exclude(tracking=said)
    if not known.exists():
        return False
    Subscriber.objects.filter(pk=subscriber_id).update(tracking=said)
    TrackingAnswer.objects.create(subscriber_id=subscriber_id, answer=said, source=source[:200], wording=wording)
    return True
