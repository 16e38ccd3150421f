"""Letters to the editors about an alarm: what happened, what to do, and where."""

from html import escape
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model

from composer.models import Publication
from composer.permissions import APPROVE_EDITION
from tasks.messages import Message
from tasks.models import Alarm, TransactionalMail
from tasks.transactional.refused_addresses import refused_addresses
from tasks.transactional.writing import write_mail

_BACKEND = "django.contrib.auth.backends.ModelBackend"


class _Words(NamedTuple):
    #: For the subject; {what} is the send or the publication.
    headline: str
    #: One sentence or two; {send} is the send's id.
    advice: str


_WORDS = {
    "send_paused": _Words(
        "{what} is paused",
        "Nothing more of it goes out until somebody resumes it. Mend the cause, then: newsdesk resume {send}. "
        "Or give up what is left: newsdesk cancel {send}.",
    ),
    "lost_attempts": _Words(
        "{what} is paused: a batch has failed",
        "Look at the workers' logs, then: newsdesk resume {send}. Later, newsdesk send-rest {send} reaches those who "
        "were left out.",
    ),
    "accepted_twice": _Words(
        "{what}: some readers may have it twice",
        "There is nothing to take back. Find out why the provider took a request it had not acknowledged before silence "
        "is believed again on this key.",
    ),
    "ground_moved": _Words(
        "{what} is paused: the database has moved",
        "Find out what had gone out, decide about each unknown batch (newsdesk settle), then: newsdesk resume {send}.",
    ),
    "breaker_open": _Words(
        "{what}: the provider does not answer",
        "Newsdesk tries one batch a minute and goes on by itself with the first answer. Look at the provider's status page "
        "and at this machine's connection. What was left without an answer is settled later; nothing is sent twice.",
    ),
    "slot_unapproved": _Words(
        "{what}: the next edition is not approved yet", "Look at it at the desk, and approve it before its time."
    ),
    "send_held": _Words(
        "{what} waits for an answer: now, or with the next slot?",
        "It was approved again after its time. Answer at the desk, or: newsdesk release {send} --now, or --next-slot.",
    ),
    "slot_missed": _Words(
        "{what}: an edition did not go out", "Approve it and send it by hand, or leave it out and go on with the next."
    ),
}
_OTHER = _Words("{what} needs a look", "Look at it at the desk.")


def write_alarm_mails(alarm: Alarm) -> int:
    """Write one letter to each editor who can be written to; how many.

    None where there is no publication yet to write from: then the desk alone shows it.
    """
    publication = _publication(alarm)
    editors = _editors()
    if publication is None or not editors:
        return 0
    message = _message(alarm, publication)
    for editor in editors:
        write_mail(
            kind=TransactionalMail.Kind.ALARM,
            to_email=editor.email,
            to_name=editor.get_full_name(),
            publication=publication,
            edition=alarm.edition or (alarm.send.edition if alarm.send else None),
            message=message,
            asked_by="Newsdesk",
        )
    return len(editors)


def _editors() -> list[Any]:
    """Active users who may approve editions and have an address that may be written to, each address once."""
    users = get_user_model().objects.with_perm(APPROVE_EDITION, backend=_BACKEND).exclude(email="").order_by("pk")
    by_address = {user.email.lower(): user for user in reversed(users)}
    unwanted = refused_addresses(by_address)
    return [user for address, user in sorted(by_address.items()) if address not in unwanted]


def _publication(alarm: Alarm) -> Publication | None:
    """Whose sender it comes from: that of what it is about, else of the oldest publication."""
    if alarm.send is not None:
        return alarm.send.edition.publication
    if alarm.edition is not None:
        return alarm.edition.publication
    return alarm.publication or Publication.objects.order_by("pk").first()


def _message(alarm: Alarm, publication: Publication) -> Message:
    words = _WORDS.get(alarm.code, _OTHER)
    subject = "Newsdesk: " + words.headline.format(what=_what(alarm))
    advice = words.advice.format(send=alarm.send_id)
    desk = f"{settings.BASE_URL}/desk/"
    about = _about(alarm)
    paragraphs = [alarm.message, *([about] if about else []), advice]
    text = (
        "\n\n".join([*paragraphs, f"The desk shows what is open: {desk}", f"({alarm.code}, alarm {alarm.pk})"]) + "\n"
    )
    html = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(subject)}</title></head>'
        '<body style="font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;margin:24px;max-width:36em">'
        + "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
        + f'<p><a href="{escape(desk)}">Open the desk</a></p>'
        f'<p style="color:#595959;font-size:14px">{escape(alarm.code)}, alarm {alarm.pk}</p></body></html>'
    )
    return Message(
        from_email=publication.from_email,
        from_name=publication.from_name,
        reply_to=publication.reply_to,
        subject=" ".join(subject.split()),
        html=html,
        text=text,
        headers={"Auto-Submitted": "auto-generated"},
    )


def _what(alarm: Alarm) -> str:
    if alarm.send_id is not None:
        return f"send {alarm.send_id}"
    if alarm.edition is not None:
        return alarm.edition.publication.title
    return alarm.publication.title if alarm.publication else "this installation"


def _about(alarm: Alarm) -> str:
    edition = alarm.edition or (alarm.send.edition if alarm.send else None)
    return f"It is about {edition} of {edition.publication}." if edition else ""
