"""The hand of a person at the desk: a process of the running home that does what it is told, a line of JSON at a time.

It calls what the desk and the command line call, without starting a Python for every word. It must not import pytest:
the settings would take it for a test.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 60.0


def main() -> None:
    import django

    django.setup()
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(_answer(order.pop("do"), order), default=str) + "\n")
        sys.stdout.flush()


def _answer(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Do it, again and again while the database or the broker is away: every order may be repeated."""
    from django.db import InterfaceError, OperationalError, connections

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return {"done": ORDERS[name](**given)}
        except (OperationalError, InterfaceError) as error:
            connections.close_all()
            if time.monotonic() > deadline:
                return {"problem": f"{type(error).__name__}: {error}"}
            time.sleep(0.1)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            return {"problem": f"{type(error).__name__}: {error}"}


def furnish(publication: str, lists: dict[str, str], segments: list[str]) -> None:
    """A publication, its lists from CSV files, and a segment for each attribute that is "yes"."""
    from pathlib import Path

    from composer.models import Publication
    from subscribers.importing import import_csv
    from subscribers.models import Segment

    made, _ = Publication.objects.get_or_create(
        slug=publication,
        defaults={
            "title": "The Weekly",
            "from_name": "The Weekly",
            "from_email": "news@example.com",
            "reply_to": "editors@example.com",
            "postal_address": "1 Main Street",
        },
    )
    for name, file in lists.items():
        report = import_csv(Path(file), publication_id=made.pk, list_slug=name)
        assert not report.rejected, report.rejected[:3]
    for segment in segments:
        rule = {"field": f"attributes.{segment}", "op": "eq", "value": "yes"}
        Segment.objects.get_or_create(publication=made, slug=segment, defaults={"name": segment, "rule": rule})


def everyone_back() -> None:
    """Undo what readers did in earlier runs: all are on their lists, nobody is suppressed."""
    from subscribers.models import Subscription, Suppression

    Suppression.objects.all().delete()
    Subscription.objects.exclude(status="active").update(status="active")


def compose(publication: str, digest: str, audiences: list[str]) -> dict[str, Any]:
    """The next edition, approved, its first stories for one segment each."""
    from pathlib import Path

    from composer.composition import compose
    from composer.digest import parse
    from composer.models import Publication
    from tasks.approvals.approving import approve_edition

    weekly = Publication.objects.get(slug=publication)
    edition = compose(weekly, digest=parse(Path(digest).read_bytes()))
    for at, audience in enumerate(audiences):
        edition.content[at].value["audience"] = audience
    edition.save_revision()
    approval = approve_edition(edition, None)
    return {"edition": edition.pk, "variants": approval.variants.count()}


def schedule(edition: int, lists: list[str], newer_than: int) -> int:
    """Schedule now; an earlier try whose answer was lost counts. `newer_than`: the newest send known of."""
    from composer.models import Edition
    from subscribers.models import List
    from tasks.models import Send
    from tasks.sends.scheduling import schedule

    made = Send.objects.filter(edition_id=edition, pk__gt=newer_than).first()
    if made is None:
        of = Edition.objects.get(pk=edition)
        made = schedule(of, lists=list(List.objects.filter(publication=of.publication_id, slug__in=lists)))
    return int(made.pk)


def pause(send: int) -> bool:
    from tasks.sends import control

    return control.pause(send, "Paused by a person.")


def resume(send: int) -> bool:
    from tasks.sends import control

    return control.resume(send)


def cancel(send: int) -> bool:
    from tasks.sends import control

    return control.cancel(send)


def settle(batch: int, decided: str) -> bool:
    from tasks.reconciliation import decisions

    decide = {"resend": decisions.resend, "leave": decisions.leave}[decided]
    return decide(batch, who="chaos")


def take_in_reports(about: list[dict[str, str]]) -> int:
    """Delivery reports as a mail server writes them; those taken in twice count once."""
    from tasks.feedback import delivery_reports
    from tests.delivery_reports import report

    mails = [report(one["envelope"], one["address"], action=one["action"], status=one["status"]) for one in about]
    return delivery_reports.take_in(mails).reports


def open_envelopes(sealed: list[str]) -> list[tuple[str, str]]:
    """Of each: the delivery, "send.subscriber", and the attempt."""
    from tasks.database import high_water
    from tasks.providers.smtp.provider import envelope_ids

    ids, installation = envelope_ids(), high_water.installation()
    opened = [ids.open(one, installation=installation) for one in sealed]
    return [(f"{one.send_id}.{one.subscriber_id}", str(one.attempt)) if one else ("", "") for one in opened]


def sweep() -> None:
    """Beat has one done every ten seconds; it may as well be due just now."""
    from tasks.submission import recovery

    recovery.recover()


def unsubscribe_urls(send: int, subscribers: list[int]) -> list[str]:
    from subscribers import reader_links
    from tasks.database import high_water
    from tasks.models import Send

    publication = Send.objects.values_list("edition__publication_id", flat=True).get(pk=send)
    links = reader_links.links_of_batch(
        subscribers, publication_id=publication, send_id=send, installation=high_water.installation()
    )
    return [leave for leave, _ in links]


def status(send: int) -> dict[str, Any]:
    """The JSON of `newsdesk status`."""
    from tasks.models import Send
    from tasks.sends.counts import as_json

    return as_json(Send.objects.get(pk=send))


ORDERS: dict[str, Callable[..., Any]] = {
    order.__name__: order
    for order in (
        furnish,
        everyone_back,
        compose,
        schedule,
        pause,
        resume,
        cancel,
        settle,
        take_in_reports,
        open_envelopes,
        sweep,
        unsubscribe_urls,
        status,
    )
}

if __name__ == "__main__":
    main()
