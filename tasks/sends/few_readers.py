"""A send that goes to nobody, or to far fewer than the last one to the same lists: it would be `sent`, and nobody would ask.

A file that was cut off and mirrored, a rule that means nobody any more, lists whose readers have all left: each candidate has a reason
that is stated, so the numbers add up. Said when the audience is frozen, while the send can still be taken back, and at its end when all
who were left then dropped out.
"""

from collections.abc import Mapping
from datetime import timedelta

from django.db.models import Q, Sum
from django.db.models.functions import Now

from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Batch, Send

#: Fewer say nothing about how many should be next time.
LEAST = 20
#: Left out by what only spreads readers over sends, or by what an edition says: they were there.
_STILL_THERE = ("already_received", "frequency_cap", "warm_up", "no_stories")
#: Whoever prepared or finished one may have died before its alarm.
_CAUGHT_UP = timedelta(hours=1)


def look(send_id: int) -> bool:
    """Raise the alarm about a send that was prepared, once, however often it is called; whether there was reason to.

    A send to those whom another missed tells who makes it how few they are. Raises the database's errors.
    """
    send = Send.objects.select_related("edition__publication").get(pk=send_id)
    if send.prepared_at is None or send.rest_of_id or send.in_place_of_id or send.status == Send.Status.CANCELLED:
        return False
    why = _nobody(send) or _fewer(send)
    if why and not Alarm.objects.filter(send_id=send_id, code=Alarm.Code.FEW_READERS).exists():
        raise_alarm(Alarm.Code.FEW_READERS, why, send_id=send_id, mail=True)
    return bool(why)


def catch_up() -> None:
    """The same for sends of the last hour. Raises the database's errors."""
    prepared = Send.objects.filter(prepared_at__gt=Now() - _CAUGHT_UP)
    finished = Send.objects.filter(finished_at__gt=Now() - _CAUGHT_UP, status=Send.Status.SENT)
    for send_id in (prepared | finished).values_list("pk", flat=True):
        look(send_id)


def _nobody(send: Send) -> str:
    """Why it reaches nobody, for an operator; empty when it reaches somebody, or all of them have it."""
    gets = _deliveries(send)
    if send.status == Send.Status.SENT:
        sums = Batch.objects.filter(send=send).aggregate(out=Sum("excluded"), size=Sum("size"))
        gets = (sums["size"] or 0) - (sums["out"] or 0)
    if gets or (send.candidates and send.excluded.get("already_received") == send.candidates):
        return ""
    if not send.candidates:
        return f"Send {send.pk} goes to nobody: nobody is on its lists, or none of them is in its segment."
    return f"Send {send.pk} goes to nobody: of {send.candidates:,} candidates {_reasons(send.excluded) or 'all have dropped out since'}."


def _fewer(send: Send) -> str:
    before = _last(send)
    if before is None:
        return ""
    there, were_there = _readers(send), _readers(before)
    if were_there < LEAST or 2 * there >= were_there:
        return ""
    left_out = _reasons(send.excluded)
    return (
        f"Send {send.pk} goes to {_deliveries(send):,} readers; the last to the same lists, send {before.pk}, went to "
        f"{_deliveries(before):,}. Now {send.candidates:,} are candidates{f', {left_out}' if left_out else ''}. Pause it if that is wrong."
    )


def _last(send: Send) -> Send | None:
    """The last send before it to the same lists and segment."""
    lists = set(send.lists.values_list("pk", flat=True))
    same_rule = Q(segment_rule=send.segment_rule) if send.segment_rule is not None else Q(segment_rule__isnull=True)
    earlier = Send.objects.filter(
        same_rule,
        edition__publication_id=send.edition.publication_id,
        prepared_at__lt=send.prepared_at,
        status=Send.Status.SENT,
        rest_of=None,
        in_place_of=None,
    )
    for one in earlier.exclude(edition_id=send.edition_id).order_by("-prepared_at").prefetch_related("lists")[:10]:
        if {found.pk for found in one.lists.all()} == lists:
            return one
    return None


def _deliveries(send: Send) -> int:
    return int(send.candidates - sum(send.excluded.values()))


def _readers(send: Send) -> int:
    """Who got it, and who was there to get it."""
    return _deliveries(send) + sum(int(send.excluded.get(reason, 0)) for reason in _STILL_THERE)


def _reasons(excluded: Mapping[str, int]) -> str:
    """For example "3,990 are unsubscribed and 10 hard bounce", the most first."""
    most = sorted(excluded.items(), key=lambda pair: -pair[1])[:3]
    return " and ".join(f"{number:,} are left out as {reason.replace('_', ' ')}" for reason, number in most if number)
