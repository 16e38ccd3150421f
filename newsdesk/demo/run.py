"""One round of the demo against a running local stack: compose, send, wait until everything has come back, count."""

import json
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer.composition import compose
from composer.digest import parse
from composer.intake import take_in
from composer.models import Edition, Publication
from newsdesk.core import paths
from newsdesk.core.errors import OperationFailedError
from newsdesk.demo import readers
from subscribers.models import List, Segment
from tasks.approvals.approving import approve_edition
from tasks.models import Receipt, Send
from tasks.sends.counts import as_json
from tasks.sends.scheduling import schedule

SLUG = "plain-machine"
SEGMENT = "asia"
#: The sample that becomes the edition.
EDITION = "technology-week.txt"
#: One story of the edition is for members only, so that the send has two variants.
FOR_MEMBERS = ("members", 3)
#: Seconds until a send that makes no progress is given up.
PATIENCE = 240.0
#: Called with a step's name, what is done of it and the whole.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Demo:
    publication: str
    edition: int
    variants: int
    stories: int
    #: The JSON of `newsdesk status` for the send.
    send: dict[str, Any]
    #: Counted by the sandbox, not in our tables.
    duplicates: int
    missing: int
    seconds: float

    @property
    def ok(self) -> bool:
        return self.duplicates == 0 and self.missing == 0 and self.send["status"] == Send.Status.SENT

    def as_json(self) -> dict[str, Any]:
        return {
            **self.send,
            "stories": self.stories,
            "duplicates": self.duplicates,
            "missing": self.missing,
            "seconds": round(self.seconds, 1),
        }


def run(*, subscribers: int, sandbox_url: str, progress: Progress) -> Demo:
    """Send one more edition to the demo's readers. Raises OperationFailedError when it does not come to an end."""
    started = time.monotonic()
    publication = _publication()
    with tempfile.TemporaryDirectory() as folder:
        progress(f"importing {subscribers:,} readers", 0, 1)
        readers.enlist(publication, subscribers, Path(folder))
    progress("composing the edition", 0, 1)
    edition = _edition(publication)
    send = schedule(
        edition,
        lists=[List.objects.get(publication=publication, slug=readers.LIST)],
        segment=Segment.objects.get(publication=publication, slug=SEGMENT),
    )
    _wait_for_send(send, progress)
    _wait_for_quiet(sandbox_url, progress)
    ledger = _ask(sandbox_url, f"/sandbox/ledger?category=edition-{edition.pk}")
    send.refresh_from_db()
    report = as_json(send)
    excluded = report["excluded"]
    assert isinstance(excluded, dict)
    reached = report["candidates"] - sum(excluded.values()) - report["failed"]  # type: ignore[operator]
    return Demo(
        publication=publication.slug,
        edition=edition.pk,
        variants=send.approval.variants.count(),
        stories=edition.placements.count(),
        send=report,
        duplicates=ledger["duplicates"],
        missing=reached - ledger["distinct"],
        seconds=time.monotonic() - started,
    )


def _publication() -> Publication:
    publication, _ = Publication.objects.get_or_create(
        slug=SLUG,
        defaults={
            "title": "The Plain Machine",
            "tagline": "Computing without the fanfare",
            "from_name": "The Plain Machine",
            "from_email": "news@plainmachine.example",
            "reply_to": "editors@plainmachine.example",
            "postal_address": "The Plain Machine, 12 Quay Street, Singapore 049319",
            "website": "https://plainmachine.example",
            "timezone": "Asia/Singapore",
            "tracking": True,
            # Nobody there is a person.
            "track_unknown": True,
        },
    )
    return publication


def _edition(publication: Publication) -> Edition:
    """All samples as stories to pick from, and the next edition with one story for members only, approved."""
    for sample in sorted(paths.samples_dir().glob("*.txt")):
        take_in(publication, parse(sample.read_bytes()))
    digest = parse((paths.samples_dir() / EDITION).read_bytes())
    edition = compose(publication, digest=digest)
    segment, at = FOR_MEMBERS
    edition.content[at].value["audience"] = segment
    # Most readers get a story less than the sample's welcome promises.
    edition.introduction = edition.introduction.replace("the twelve stories", "the stories")
    edition.save_revision()
    approve_edition(edition, None)
    return edition


def _wait_for_send(send: Send, progress: Progress) -> None:
    last, since = -1, time.monotonic()
    while True:
        send.refresh_from_db()
        report = as_json(send)
        if report["status"] == Send.Status.PAUSED:
            raise OperationFailedError(f"the send was paused: {report['reason']}")
        done = int(str(report["submitted"])) + int(str(report["failed"]))
        progress("sending", done, max(int(str(report["candidates"])), 1))
        if report["status"] == Send.Status.SENT:
            return
        if done != last:
            last, since = done, time.monotonic()
        if time.monotonic() - since > PATIENCE:
            raise OperationFailedError(f"the send makes no progress: {json.dumps(report)}")
        time.sleep(0.1)


def _wait_for_quiet(sandbox_url: str, progress: Progress) -> None:
    """Until every event was posted and every receipt applied."""
    deadline = time.monotonic() + PATIENCE
    while True:
        events = _ask(sandbox_url, "/sandbox/events")
        waiting = events["pending"] + events["acts"]
        unapplied = Receipt.objects.filter(applied_at=None).count()
        whole = events["posted"] + waiting
        progress("hearing back", events["posted"], max(whole, 1))
        if events["quiet"] and not unapplied:
            return
        if time.monotonic() > deadline:
            raise OperationFailedError(
                f"the local SendGrid still has {waiting} events to post ({events['last_error']})"
            )
        time.sleep(0.2)


def _ask(sandbox_url: str, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{sandbox_url}{path}", timeout=10) as response:  # noqa: S310 - the local sandbox
        answer = json.loads(response.read())
    assert isinstance(answer, dict)
    return answer
