"""Mails to the editors about an alarm: what happened, what to do, and where. Their templates: email/alarm/."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string

from composer.models import Edition, Publication
from composer.permissions import Right, people_who_may
from tasks.messages import Message
from tasks.models import Alarm, TransactionalMail
from tasks.transactional.refused_addresses import refused_addresses
from tasks.transactional.writing import write_mail


class _Text(NamedTuple):
    #: For the subject; {what} is the send or the publication.
    headline: str
    #: One sentence or two; {send} is the send's id.
    advice: str


_TEXTS: Mapping[str, _Text] = {
    Alarm.Code.SEND_PAUSED: _Text(
        "{what} is paused",
        "Nothing more of it goes out until somebody resumes it. Mend the cause, then: newsdesk resume {send}. "
        "Or give up what is left: newsdesk cancel {send}.",
    ),
    Alarm.Code.LOST_ATTEMPTS: _Text(
        "{what} is paused: a batch has failed",
        "Look at the workers' logs, then: newsdesk resume {send}. Later, newsdesk send-rest {send} reaches those who "
        "were left out.",
    ),
    Alarm.Code.MANY_FAILED: _Text(
        "{what}: many readers were refused",
        "The recipient report says who, and in which words: newsdesk ledger {send}. A paused send goes on with: newsdesk "
        "resume {send}; later, newsdesk send-rest {send} reaches those who were left out.",
    ),
    Alarm.Code.MANY_BOUNCED: _Text(
        "{what} is paused: many addresses bounce",
        "Find out where these readers come from before more of it goes out, then: newsdesk resume {send}.",
    ),
    Alarm.Code.MANY_COMPLAINED: _Text(
        "{what} is paused: many readers complain",
        "Look at what it says, and whether they have asked for it, then: newsdesk resume {send}, or newsdesk cancel {send}.",
    ),
    Alarm.Code.MANY_DROPPED: _Text(
        "{what} is paused: the provider takes mails and drops them",
        "Look at the account's quota and standing at the provider; newsdesk ledger {send} says whom it dropped. Then: newsdesk resume "
        "{send}. Who was dropped does not get it by that: the provider had taken it.",
    ),
    Alarm.Code.FEW_DELIVERED: _Text(
        "{what}: fewer than half are reported to have got it",
        "What is known of each reader: newsdesk ledger {send}.",
    ),
    Alarm.Code.BOUNCE_RATE: _Text(
        "{what}: more addresses bounced than should",
        "Find out where these readers come from: newsdesk ledger {send} names them. They are not mailed again.",
    ),
    Alarm.Code.COMPLAINT_RATE: _Text(
        "{what}: more readers complained than should",
        "Mailbox providers begin to distrust a sender here. Look at what it said, at whether these readers had asked for it, and "
        "at how easily they find the link to leave. They are not mailed again.",
    ),
    Alarm.Code.FEW_READERS: _Text(
        "{what}: far fewer readers than last time, or none",
        "Look at who is on its lists, at its segment and at the last import. While it goes out: newsdesk pause {send}. Who should "
        "have got it and is on the list again gets it by: newsdesk send-rest {send}.",
    ),
    Alarm.Code.STALLED: _Text(
        "{what} has not got on for an hour",
        "It goes on with the first acceptance. What it waits for: newsdesk status {send}. To cancel it: newsdesk cancel {send}.",
    ),
    Alarm.Code.RECEIPT_UNREADABLE: _Text(
        "{what}: a report of the provider cannot be read",
        "It may tell what became of requests that are in doubt. Once Newsdesk was updated: newsdesk receipts --try-again. To give up what "
        "it says: newsdesk receipts --set-aside; then silence is judged without it, and what it proves may be sent a second time.",
    ),
    Alarm.Code.REPORTS_WAITING: _Text(
        "{what}: reports of the provider count for nothing yet",
        "Whoever runs this installation finds the reason in the log of the workers. What was reported is kept; the alarm goes once it is applied.",
    ),
    Alarm.Code.UNPREPARED: _Text(
        "{what} is due and cannot be prepared",
        "Look at the limits of the database's role (statement_timeout, temp_file_limit) and at its disk. To give the send up: newsdesk cancel {send}.",
    ),
    Alarm.Code.ACCEPTED_TWICE: _Text(
        "{what}: some readers may have it twice",
        "There is nothing to take back. Find out why the provider took a request it had not acknowledged before silence "
        "is believed again on this key.",
    ),
    Alarm.Code.IN_DOUBT: _Text(
        "{what}: some readers are in doubt",
        "What is known: newsdesk evidence {send}. Then decide, at the desk or by newsdesk settle: send it to them again, who may "
        "get it twice, or leave them, who may not have it. The send is not over before.",
    ),
    Alarm.Code.DATABASE_MOVED: _Text(
        "{what} is paused: the database has moved",
        "Find out what had gone out. What is in doubt is decided about first (newsdesk settle); then the send is resumed (newsdesk resume) or, "
        "where it says so above, cancelled (newsdesk cancel). The desk offers only what is right.",
    ),
    Alarm.Code.MARK_MISSING: _Text(
        "{what}: nothing goes out until you say that its database is the newest",
        "Whoever may send in all publications answers at the desk, under “Needs you”, or whoever has a command line there. With --newest sends go on, as is "
        "right after a new machine or a new home if nothing was restored; with --restored every send that is not over waits for you.",
    ),
    Alarm.Code.HOME_COPIED: _Text(
        "{what}: nothing goes out until you say whether anything was sent since its home was copied",
        "Whoever may send in all publications answers at the desk, under “Needs you”, or whoever has a command line there. With --newest sends go on; with "
        "--restored every send that is not over waits for you.",
    ),
    Alarm.Code.BREAKER_OPEN: _Text(
        "{what}: the provider does not answer",
        "Newsdesk tries one batch a minute and goes on by itself with the first answer. Look at the provider's status page "
        "and at this machine's connection. What was left without an answer is settled later; nothing is sent twice.",
    ),
    Alarm.Code.TIMEZONE_UNKNOWN: _Text(
        "{what}: its timezone is not known any more",
        "Give the publication another timezone at the desk. What was due meanwhile goes out then, or is held where it is too late.",
    ),
    Alarm.Code.SLOT_UNAPPROVED: _Text(
        "{what}: the next edition will not go out as it stands",
        "Look at it at the desk, and approve it before its time, or send it.",
    ),
    Alarm.Code.SOURCE_CHANGED: _Text(
        "{what}: a source has changed since its story was written",
        "Read the source again. To change the story, reopen the edition, mend it and approve it again before its time; "
        "nothing is held back by itself.",
    ),
    Alarm.Code.SEND_HELD: _Text(
        "{what} is held, and its time has passed",
        "Approve its edition again if nobody has. Then say whether it goes out now, at the desk, or: newsdesk release {send} --now, or "
        "--next-slot.",
    ),
    Alarm.Code.BOUNCES_UNREAD: _Text(
        "the mailbox of what comes back cannot be read",
        "Look at its password and its server. Until it can be read, dead addresses are mailed on; what lies there is taken in then.",
    ),
    Alarm.Code.ALARM_MAIL_SERVER: _Text(
        "the mail server for alarms does not take them",
        "Whoever runs this installation looks at NEWSDESK_ALARM_SMTP_URL. Until it is mended an alarm about the usual provider may reach nobody.",
    ),
    Alarm.Code.ALARM_URL: _Text(
        "alarms cannot be posted",
        "Whoever runs this installation looks at NEWSDESK_ALARM_URL and tries it: newsdesk alarms --test.",
    ),
    Alarm.Code.SUNSET: _Text(
        "{what}: readers who read nothing: shall they get nothing more?",
        "Look at their number at the desk and agree, or make the rule of the publication another one. Until then they are mailed.",
    ),
    Alarm.Code.SLOT_MISSED: _Text(
        "{what}: an edition did not go out", "Approve it and send it by hand, or leave it out and go on with the next."
    ),
}
_OTHER = _Text("{what} needs a look", "Look at it at the desk.")


def write_alarm_mails(alarm: Alarm) -> int:
    """Write one mail to each editor who can be written to; how many.

    None where there is no publication yet to write from: then the desk alone shows it. Raises the database's errors.
    """
    publication = _publication(alarm)
    editors = _editors(publication_of(alarm))
    if publication is None or not editors:
        return 0
    message = _message(alarm, publication)
    for editor in editors:
        write_mail(
            kind=TransactionalMail.Kind.ALARM,
            to_email=editor.email,
            to_name=editor.get_full_name(),
            publication=publication,
            edition=edition_of(alarm),
            message=message,
            asked_by="Newsdesk",
        )
    return len(editors)


def _editors(publication: Publication | None) -> list[Any]:
    """Active users who may approve the publication's editions (None: any) and have an address that may be written to, each address once."""
    users = people_who_may(Right.APPROVE, publication).exclude(email="").order_by("pk")
    by_address = {user.email.lower(): user for user in reversed(users)}
    refused = refused_addresses(by_address)
    return [user for address, user in sorted(by_address.items()) if address not in refused]


def _publication(alarm: Alarm) -> Publication | None:
    """Whose sender it comes from: that of what it is about, else of the oldest publication."""
    return publication_of(alarm) or Publication.objects.order_by("pk").first()


def publication_of(alarm: Alarm) -> Publication | None:
    """The publication it is about; None: the whole installation."""
    edition = edition_of(alarm)
    return edition.publication if edition is not None else alarm.publication


def headline_of(alarm: Alarm) -> str:
    """What it is about, in a few words without a stop."""
    return _TEXTS.get(alarm.code, _OTHER).headline.format(what=_what(alarm))


def advice_of(alarm: Alarm) -> str:
    """What to do, with the commands that do it."""
    return _TEXTS.get(alarm.code, _OTHER).advice.format(send=alarm.send_id)


def _message(alarm: Alarm, publication: Publication) -> Message:
    context = {
        "alarm": alarm,
        "edition": edition_of(alarm),
        "headline": headline_of(alarm),
        "advice": advice_of(alarm),
        "desk_url": desk_url(),
    }
    subject = render_to_string("email/alarm/subject.txt", context)
    return Message(
        from_email=publication.from_email,
        from_name=publication.from_name,
        reply_to=publication.reply_to,
        subject=" ".join(subject.split()),
        html=render_to_string("email/alarm/body.html", context),
        text=render_to_string("email/alarm/body.txt", context),
        # RFC 3834, section 5.
        headers={"Auto-Submitted": "auto-generated"},
    )


def edition_of(alarm: Alarm) -> Edition | None:
    """The edition it is about, by itself or through its send."""
    return alarm.edition or (alarm.send.edition if alarm.send else None)


def desk_url() -> str:
    """The desk's first page, where alarms stand."""
    return f"{settings.BASE_URL}/desk/"


def _what(alarm: Alarm) -> str:
    if alarm.send_id is not None:
        return f"send {alarm.send_id}"
    if alarm.edition is not None:
        return alarm.edition.publication.title
    return alarm.publication.title if alarm.publication else "this installation"
