"""A reader of whom something is held everywhere, and another one whose data must stay."""

from dataclasses import dataclass
from io import BytesIO

import orjson
from django.contrib.contenttypes.models import ContentType
from wagtail.models import ModelLogEntry

from subscribers import suppression, tracking
from subscribers.lifting import lift
from subscribers.models import Consent, List, MergedReader, Subscriber, Suppression
from tasks.feedback import inbox
from tasks.models import Action, Alarm, Exclusion, Send, TransactionalMail, WarmUp
from tests import factories
from tests.reports import World, deliver, make_world

ADDRESS = "Ada.O'Neil+news@Example.com"
NEIGHBOUR = "bada.o'neil+news@example.com"


@dataclass
class Held:
    world: World
    ada: Subscriber
    neighbour: Subscriber
    readers: List


def hold_everywhere() -> Held:
    """Fill every table that can hold a person with both of them."""
    world = make_world(2)
    ada, neighbour = world.readers
    Subscriber.objects.filter(pk=ada.pk).update(
        email=ADDRESS, name="Ada O'Neil-Unique", tags=["vip"], attributes={"city": "Oslo-Unique"}
    )
    Subscriber.objects.filter(pk=neighbour.pk).update(email=NEIGHBOUR)
    ada.refresh_from_db()
    neighbour.refresh_from_db()
    readers = world.send.lists.get()
    for reader in (ada, neighbour):
        _hold(world, reader, readers)
    return Held(world, ada, neighbour, readers)


def _hold(world: World, reader: Subscriber, readers: List) -> None:
    address, lower, publication = reader.email, reader.email.lower(), world.send.edition.publication
    Consent.objects.create(subscriber=reader, list=readers, kind="given", source="form", wording="I agree")
    Consent.objects.create(list=readers, kind="given", source=f"form of {address}", wording=f"{address} agrees")
    tracking.answer(reader.pk, tracking.Tracking.GRANTED, source="page", wording="You may")
    MergedReader.objects.create(gone_id=10**9 + reader.pk, kept=reader, who="a test")
    for reason in ("manual", "hard_bounce"):
        suppression.suppress(address, reason, detail=f"550 <{address}> is unknown")
    lift(address, why=f"{address} called", really=True)
    suppression.suppress(address, "manual", detail=f"{address} wrote")
    suppression.unsubscribe(reader.pk, publication.pk, "webhook")
    at = [one.pk for one in world.readers].index(reader.pk)
    deliver(
        world.report(at, "delivered", email=address, ip=f"203.0.113.{9 + at}"),
        world.report(at, "click", email=address, url=f"https://e.example/?to={lower.replace('@', '%40')}"),
    )
    inbox.store(BytesIO(orjson.dumps([world.report(at, "open", email=lower)])), provider="sendgrid")
    inbox.store(BytesIO(f"no json, but {address}".encode()), provider="sendgrid")
    other = factories.make_send(status=Send.Status.SENT)
    Exclusion.objects.create(send_id=other.pk, subscriber_id=reader.pk, kind="failed", reason=f"550 {address}")
    factories.make_transactional_mail(address)
    mail = factories.make_transactional_mail("editor@example.com", kind="alarm")
    TransactionalMail.objects.filter(pk=mail.pk).update(text=f"Somebody ({address}) bounced", said=f"250 {lower}")
    Alarm.objects.create(code=Alarm.Code.MANY_FAILED, message=f"Failed: {address}", send=world.send)
    Action.objects.create(send=world.send, what="paused", why=f"{address} complained", who="Newsdesk")
    Send.objects.filter(pk=other.pk).update(pause_reason=f"The provider refuses {address}")
    WarmUp.objects.create(domain=f"d{reader.pk}.example", starts_on="2026-01-01", throttle_reason=f"{address}: wait")
    of_readers = ContentType.objects.get_for_model(Subscriber)
    ModelLogEntry.objects.create(
        content_type=of_readers, object_id=str(reader.pk), label=address, action="wagtail.edit", data={"to": address},
        timestamp=world.send.scheduled_at,
    )  # fmt: skip
    Suppression.objects.create(address="@" + lower.partition("@")[2] + str(reader.pk), reason="manual", detail=address)


def merged_world() -> tuple[World, Subscriber, Subscriber]:
    """The other record got a send that the kept one is no candidate of."""
    world = make_world(1)
    (other,) = world.readers
    keep = factories.make_subscriber(email="ada@example.com")
    deliver(world.report(0, "delivered"))
    return world, keep, other
