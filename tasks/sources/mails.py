"""A mail that was sent to a publication becomes stories in its inbox: once, and only from those who may send."""

from collections.abc import Iterable
from dataclasses import replace

import structlog
from django.db import DataError, transaction
from django.utils import timezone

from composer.intake import take_in
from composer.models import Source, SourceEntry, Story
from composer.reading.characters import clean, cut
from composer.reading.errors import DigestError
from composer.reading.mail import STUMBLES, Mail
from composer.reading.mail_stories import stories_of
from composer.sanitising import printable
from tasks.sources.filters import is_wanted

log = structlog.get_logger(__name__)

#: Of a mail with all that is attached; SendGrid takes no larger ones either.
MOST_BYTES = 30 * 1024 * 1024
_LONGEST_ERROR = 300
#: What reading can stumble over in a mail that nobody thought of.
READING_ERRORS = (*STUMBLES, DataError)


def may_send(source: Source, addresses: Iterable[str]) -> bool:
    """Whether all that a mail is from are among the source's senders, by their address or its domain."""
    allowed = {one.strip().removeprefix("@").lower() for one in source.senders.split(",") if one.strip(" @")}
    found = list(addresses)
    return bool(found) and all(one in allowed or one.rpartition("@")[2] in allowed for one in found)


@transaction.atomic
def take_mail(source: Source, mail: Mail) -> int:
    """How many new stories came of it; none where it came before. Raises one of READING_ERRORS."""
    Source.objects.select_for_update().get(pk=source.pk)
    if source.entries.filter(key_hash=SourceEntry.hash_of(mail.key)).exists():
        return 0
    digest = stories_of(mail)
    wanted = tuple(one for one in digest.stories if is_wanted(source, f"{one.headline} {one.lede}"))
    intake = take_in(source.publication, replace(digest, stories=wanted))
    repeats = {story.pk for story in intake.repeats}
    new = [story.pk for story in intake.stories if story.pk not in repeats]
    if source.topic:
        Story.objects.filter(pk__in=new).update(topics=source.topic)
    _remember(source, mail, intake.stories)
    log.info("mail_taken", source=source.pk, stories=len(new), repeats=len(repeats))
    return len(new)


def _remember(source: Source, mail: Mail, stories: Iterable[Story]) -> None:
    """The mail by its own key, which also stands for its first story; further stories by theirs."""
    made: list[Story | None] = list(stories)
    keys = [mail.key, *(f"{mail.key} {number}" for number in range(2, len(made) + 1))]
    SourceEntry.objects.bulk_create(
        [
            SourceEntry(source=source, key_hash=SourceEntry.hash_of(key), story=story)
            for key, story in zip(keys, made or [None], strict=True)
        ],
        ignore_conflicts=True,
    )


def note_problem(source: Source, why: str) -> None:
    """For the operator: in the log, and with the source."""
    reason = cut(clean(printable(why)), _LONGEST_ERROR)
    log.warning("mail_not_taken", source=source.pk, reason=reason)
    Source.objects.filter(pk=source.pk).update(error=reason)


def note_taken(source: Source) -> None:
    Source.objects.filter(pk=source.pk).update(error="", polled_at=timezone.now())


def foreign(addresses: Iterable[str]) -> str:
    """Why a mail from these was refused."""
    who = ", ".join(addresses) or "nobody who can be told"
    return f"a mail was refused: {cut(who, 120)} is not among the senders"


def unreadable(error: Exception) -> str:
    """Why a mail could not be read: our own words, or what kind of rubbish it was."""
    return error.message if isinstance(error, DigestError) else f"it cannot be read ({type(error).__name__})"
