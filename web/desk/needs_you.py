"""What waits for a person: alarms in words with the buttons that settle them, held sends, doubts, sources that fail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.urls import reverse

from composer.models import Approval, Edition, Review, Source
from composer.permissions import Right, may, may_approve, within
from composer.review import waiting
from tasks.models import Alarm, Batch, Send
from tasks.sends import database_doubts
from web.desk import database_question
from web.desk.alarms import in_words, publication_of, visible_alarms
from web.desk.scheduling import edit_url
from web.desk.sends import LABELS

ALARMS_SHOWN = 10
OTHERS_SHOWN = 5

#: What an alarm is about, for people. The codes are for programs.
TITLES = {
    Alarm.Code.SEND_PAUSED: "A send is paused",
    Alarm.Code.MANY_FAILED: "The provider refused many readers of a send",
    Alarm.Code.MANY_BOUNCED: "Many readers of a send bounced",
    Alarm.Code.MANY_COMPLAINED: "Many readers of a send complained of spam",
    Alarm.Code.FEW_READERS: "A send goes to nobody, or to far fewer than last time",
    Alarm.Code.MANY_DROPPED: "The provider took many mails of a send and dropped them",
    Alarm.Code.FEW_DELIVERED: "Fewer than half are reported to have got a send",
    Alarm.Code.STALLED: "A send has not got on for an hour",
    Alarm.Code.UNPREPARED: "A send is due and cannot be prepared",
    Alarm.Code.LOST_ATTEMPTS: "A part of a send has failed",
    Alarm.Code.BOUNCE_RATE: "More readers of a send bounced than should",
    Alarm.Code.COMPLAINT_RATE: "More readers of a send complained than should",
    Alarm.Code.LEFT_OUT: "Readers get an edition from no send",
    Alarm.Code.ACCEPTED_TWICE: "The provider took a part of a send twice",
    Alarm.Code.IN_DOUBT: "Readers are in doubt and wait for your decision",
    Alarm.Code.DATABASE_MOVED: "The database was restored or moved under a send",
    Alarm.Code.MARK_MISSING: "Nothing goes out: is this the newest database?",
    Alarm.Code.HOME_COPIED: "Nothing goes out: was anything sent since this home was copied?",
    Alarm.Code.BREAKER_OPEN: "The provider does not answer",
    Alarm.Code.TIMEZONE_UNKNOWN: "A publication’s timezone is not known any more: its slots wait",
    Alarm.Code.SLOT_UNAPPROVED: "A slot is near and its edition will not go out as it stands",
    Alarm.Code.SOURCE_CHANGED: "A source has changed since its story was written",
    Alarm.Code.SLOT_MISSED: "A slot was missed",
    Alarm.Code.SEND_HELD: "A send is held, and its time has passed",
    Alarm.Code.RECEIPT_UNREADABLE: "A report of the provider cannot be read",
    Alarm.Code.REPORTS_WAITING: "Reports of the provider count for nothing yet",
    Alarm.Code.BOUNCES_UNREAD: "The mailbox of what comes back cannot be read",
    Alarm.Code.CLOCK_AHEAD: "The database’s clock was ahead",
    Alarm.Code.DISK_SPACE: "The disk is nearly full",
    Alarm.Code.ALARM_MAIL_SERVER: "The mail server for alarms does not take them",
    Alarm.Code.ALARM_URL: "Alarms cannot be posted to where they should be",
    Alarm.Code.SUNSET: "Readers who read nothing: shall they get nothing more?",
    Alarm.Code.SUPPRESSIONS_MISSING: "The provider stopped mailing readers, and had not said so",
}
_RELEASE_LINKS = (("Send now", "release-now"), ("Send with the next slot", "release-next-slot"))


@dataclass(frozen=True, kw_only=True)
class Button:
    label: str
    url: str
    #: What a screen reader says instead of the label.
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Need:
    """One thing that waits; `buttons` lead to what settles it, none of them mails anybody in one click."""

    title: str
    text: str = ""
    since: datetime | None = None
    buttons: tuple[Button, ...] = ()
    #: The alarm that "Done" takes off the list.
    alarm: int | None = None


def needs(user: Any) -> tuple[list[Need], int]:
    """What waits for this user, the most urgent first, and how many open alarms are not among it. Nine queries, and two where it is asked what the database is."""
    open_alarms = visible_alarms(user).filter(cleared_at=None)
    newest = list(open_alarms.select_related("send__edition__publication", "edition__publication", "publication"))
    # Nothing else goes on before these are answered.
    newest.sort(key=lambda alarm: alarm.code not in Alarm.DATABASE_UNCONFIRMED)
    alarms = newest[:ALARMS_SHOWN]
    settled_there = {alarm.send_id for alarm in alarms if alarm.send_id}
    held = _held_sends(user, settled_there)
    known = _known_of([*(alarm.send for alarm in alarms if alarm.send), *held])
    found = [
        _of_question(user, alarm) if database_question.is_asked_by(alarm) else _of_alarm(user, alarm, known)
        for alarm in alarms
    ]
    told = {alarm.send_id for alarm in alarms if alarm.code == Alarm.Code.IN_DOUBT}
    found += [*(_of_held(send, known) for send in held), *_in_doubt(user, told)]
    found += [*_reviews(user), *_failing_sources(user)]
    return found, len(newest) - len(alarms)


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What a send's buttons depend on, asked once for all: editions with a standing approval, and sends that may be out already."""

    approved: set[int]
    may_be_out: set[int]


def _known_of(sends: list[Send]) -> _Known:
    standing = Approval.objects.standing().filter(edition__in={send.edition_id for send in sends})
    return _Known(
        approved=set(standing.values_list("edition", flat=True)), may_be_out=database_doubts.may_be_out_of(sends)
    )


def _of_alarm(user: Any, alarm: Alarm, known: _Known) -> Need:
    send = alarm.send
    edition = alarm.edition or (send.edition if send else None)
    may_control = bool(send) and may(user, Right.SEND, publication_of(alarm))
    buttons = _buttons(send, known) if send and may_control else ()
    if send and may_control and alarm.code == Alarm.Code.LEFT_OUT:
        buttons = (_leading(send, LABELS["left-out"], "left-out"),)
    opening = (_opening(edition),) if edition else ()
    if alarm.code == Alarm.Code.SUNSET and alarm.publication_id and may(user, Right.PUBLICATION, alarm.publication_id):
        opening = (
            Button(label="Decide", url=reverse("desk_sunset", args=[alarm.publication_id]), about="Decide about them"),
        )
    if edition and may_control and alarm.code == Alarm.Code.IN_DOUBT:
        opening = (_deciding(edition),)
    return Need(
        title=TITLES.get(alarm.code, "Something needs a look"),  # type: ignore[call-overload]  # stored codes are texts
        text=in_words(alarm.message),
        since=alarm.raised_at,
        buttons=(*buttons, *opening),
        alarm=alarm.pk if may_approve(user, publication_of(alarm)) else None,
    )


def _of_question(user: Any, alarm: Alarm) -> Need:
    """It goes with its answer: “Done” would hide why nothing goes out."""
    text = in_words(alarm.message)
    may_answer = database_question.may_answer(user)
    answering = Button(label="Answer", url=database_question.url(), about="Answer what this database is")
    return Need(
        title=TITLES[Alarm.Code(alarm.code)],
        text=text if may_answer else f"{text} Whoever may send in all publications answers it.",
        since=alarm.raised_at,
        buttons=(answering,) if may_answer else (),
    )


def _opening(edition: Edition) -> Button:
    return Button(label=f"Open No. {edition.number}", url=edit_url(edition))


def _deciding(edition: Edition) -> Button:
    """To the edition's page, where readers in doubt are decided about."""
    return Button(label="Decide", url=edit_url(edition), about=f"Decide about {edition}")


def _buttons(send: Send, known: _Known) -> tuple[Button, ...]:
    """What may be done with a send as it stands; each leads to a page that asks first."""
    if send.status != Send.Status.PAUSED:
        return ()
    if send.pk in known.may_be_out:
        return (_leading(send, "Cancel", "cancel"),)
    if send.held_at is None:
        return _leading(send, "Resume", "resume"), _leading(send, "Cancel", "cancel")
    if send.edition_id not in known.approved:
        return (_leading(send, "Cancel", "cancel"),)
    weekly = send.edition.publication.cadence_weekday is not None
    releases = (_leading(send, label, what) for label, what in _RELEASE_LINKS if weekly or what == "release-now")
    return *releases, _leading(send, "Cancel", "cancel")


def _leading(send: Send, label: str, what: str) -> Button:
    """To the page that asks before it does so."""
    url = reverse("wagtailsnippets_composer_edition:send_action", args=[send.edition_id, send.pk, what])
    return Button(label=label, url=url, about=f"{label}: No. {send.edition.number}")


def _held_sends(user: Any, known: set[int]) -> list[Send]:
    held = _controlled(Send.objects.filter(status=Send.Status.PAUSED, held_at__isnull=False), user).exclude(
        pk__in=known
    )
    return list(held.select_related("edition__publication").order_by("held_at")[:OTHERS_SHOWN])


def _of_held(send: Send, known: _Known) -> Need:
    return Need(
        title=f"A send of No. {send.edition.number} of {send.edition.publication} is held",
        text=in_words(send.pause_reason),
        since=send.held_at,
        buttons=(*_buttons(send, known), _opening(send.edition)),
    )


def _controlled(sends: "QuerySet[Send]", user: Any) -> "QuerySet[Send]":
    """Those the user may pause, resume and decide about."""
    return within(sends, user, Right.SEND, path="edition__publication_id")


def _in_doubt(user: Any, told: set[int | None]) -> list[Need]:
    """Batches nobody saw the end of, and about which no person has decided yet; `told`: sends whose alarm says so."""
    unknown = within(Batch.objects.undecided(), user, Right.SEND, path="send__edition__publication_id")
    by_send = (
        unknown.exclude(send__in=[send for send in told if send])
        .values("send")
        .annotate(readers=Sum(F("size") - F("excluded") - F("failed")))
    )
    readers = dict(by_send.order_by("-send").values_list("send", "readers")[:OTHERS_SHOWN])
    sends = Send.objects.filter(pk__in=readers).select_related("edition__publication").order_by("-pk")
    return [
        Need(
            title=f"{readers[send.pk]:,} reader{'' if readers[send.pk] == 1 else 's'} of No. {send.edition.number} in doubt",
            text="Nobody saw whether the provider took their mails. Nothing is sent again before you decide.",
            buttons=(_deciding(send.edition),),
        )
        for send in sends
    ]


def _reviews(user: Any) -> list[Need]:
    """Editions that wait for this user's approval, and those that came back to them with a note."""
    to_them = within(waiting(Review.Kind.SENT_BACK).filter(to=user), user, Right.SEE, path="edition__publication_id")
    back = to_them[:OTHERS_SHOWN]
    found = [_of_review(review, "came back with a note", review.note) for review in back]
    for_them = within(waiting(Review.Kind.ASKED), user, Right.APPROVE, path="edition__publication_id")
    asked = [review for review in for_them[:OTHERS_SHOWN] if not _wrote(review.edition, user)]
    found += [_of_review(review, "waits for your approval", _asked_by(review)) for review in asked]
    return found


def _wrote(edition: Edition, user: Any) -> bool:
    """Whether it is for somebody else to approve, since the user edited it last."""
    last = edition.latest_revision
    return bool(edition.publication.second_approver and last and last.user_id == user.pk)


def _asked_by(review: Review) -> str:
    by = review.by
    return f"{by.get_full_name() or by.get_username()} asked for it. {review.note}".strip() if by else review.note


def _of_review(review: Review, what: str, text: str) -> Need:
    edition = review.edition
    title = f"No. {edition.number} of {edition.publication} {what}"
    return Need(title=title, text=text, since=review.at, buttons=(_opening(edition),))


def _failing_sources(user: Any) -> list[Need]:
    sources = within(Source.objects.filter(is_active=True).exclude(error=""), user, Right.SOURCES)
    failing = sources.order_by("-failures", "pk")[:OTHERS_SHOWN]
    return [
        Need(
            title=f"The source “{source}” fails",
            text=source.error,
            since=source.polled_at,
            buttons=(
                Button(
                    label="Open the source",
                    url=reverse("wagtailsnippets_composer_source:edit", args=[source.pk]),
                    about=f"Open the source {source}",
                ),
            ),
        )
        for source in failing
    ]
