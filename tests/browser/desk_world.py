"""A desk as it looks in its third month: editions in every state, stories from sources, people, alarms, results."""

import datetime as dt
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import PIL.Image as Pillow
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from wagtail.images.models import Image

from composer.composition import compose
from composer.digest import parse
from composer.intake import take_in
from composer.models import Edition, Holiday, Membership, Publication, Role, Source, Story
from newsdesk.core.paths import samples_dir
from subscribers.models import Consent, List, Segment
from tasks.alarms.raising import raise_alarm
from tasks.approvals.approving import approve_edition
from tasks.models import Alarm, Batch, Send
from tests import factories
from tests.reports import deliver, make_world

HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class DeskWorld:
    publication: Publication
    #: By state.
    editions: dict[str, Edition]
    sends: dict[str, Send]
    story: Story
    image: Any
    source: Source
    person: Any


def make_desk_world(publication: Publication) -> DeskWorld:
    Publication.objects.filter(pk=publication.pk).update(cadence_weekday=1, cadence_time="09:00", tracking=True)
    publication.refresh_from_db()
    for sample in ("city-week.txt", "science-week.txt"):
        take_in(publication, parse((samples_dir() / sample).read_bytes()))
    story, image = Story.objects.order_by("pk")[0], _image()
    Story.objects.filter(pk=story.pk).update(image=image, topics="Transport")
    story.refresh_from_db()
    story.save_revision()
    readers = List.objects.create(publication=publication, slug="readers", name="Readers")
    for number in range(12):
        reader = factories.make_subscriber(readers, attributes={"country": "SG"}, name=f"Reader {number}")
        Consent.objects.create(subscriber=reader, list=readers, kind="given", source="form")
    rule = {"field": "attributes.country", "op": "in", "value": ["SG", "MY"]}
    Segment.objects.create(publication=publication, slug="asia", name="Asia", rule=rule)
    editions, sends = _editions(publication, readers)
    Holiday.objects.create(
        publication=publication, day=timezone.now().date() + dt.timedelta(days=2), name="Founders' day"
    )
    raise_alarm(Alarm.Code.SLOT_MISSED, "No. 3 was not approved in time.", publication_id=publication.pk)
    return DeskWorld(
        publication=publication,
        editions=editions,
        sends=sends,
        story=story,
        image=image,
        source=_sources(publication),
        person=_people(publication),
    )


def _editions(publication: Publication, readers: List) -> tuple[dict[str, Edition], dict[str, Send]]:
    """One in each state, the draft last: the coming one."""
    digest = parse((samples_dir() / "technology-week.txt").read_bytes())
    editions: dict[str, Edition] = {}
    sends: dict[str, Send] = {}
    now = timezone.now()
    for status in ("sent", "paused", "sending", "scheduled", "approved", "draft"):
        edition = editions[status] = compose(publication, digest=digest)
        if status == "draft":
            continue
        approval = approve_edition(edition, None)
        if status == "approved":
            continue
        if status == "scheduled":
            sends[status] = factories.make_send(approval=approval, lists=[readers], scheduled_at=now + 48 * HOUR)
            continue
        world = make_world(
            0,
            approval=approval,
            lists=[readers],
            candidates=12,
            prepared_at=now - 3 * HOUR,
            scheduled_at=now - 3 * HOUR,
        )
        batch = Batch.objects.filter(send=world.send)
        batch.update(size=12)
        if status == "sent":
            deliver(
                *(world.report(reader, "delivered") for reader in range(10)),
                *(world.report(reader, "click", url="https://example.com/story") for reader in range(4)),
                world.report(10, "bounce", type="bounce", reason="550 no such user"),
            )
        else:
            batch.update(status=Batch.Status.PENDING)
        Send.objects.filter(pk=world.send.pk).update(
            status=status,
            sender_domain="example.com",
            pause_reason="paused by Ada" if status == "paused" else "",
        )
        sends[status] = Send.objects.get(pk=world.send.pk)
    return editions, sends


def _sources(publication: Publication) -> Source:
    Source.objects.create(
        publication=publication,
        url="https://example.org/an/address/that/is/quite/long/and/has/no/spaces/feed.xml",
        title="The other paper",
        failures=3,
        error="example.org does not answer: the connection timed out after 10 s",
        polled_at=timezone.now(),
    )
    return Source.objects.create(
        publication=publication, url="https://example.com/feed", title="The paper", polled_at=timezone.now()
    )


def _people(publication: Publication) -> Any:
    person = None
    for name, role in (("Grace Hopper", Role.EDITOR), ("Konrad Zuse", Role.WRITER), ("Edith Clarke", Role.PUBLISHER)):
        first, last = name.split()
        person = get_user_model().objects.create_user(
            first.lower(), f"{first.lower()}.{last.lower()}@newsroom.example.com", first_name=first, last_name=last
        )
        Membership.objects.create(user=person, publication=publication, role=role)
    return person


def _image() -> Any:
    stream = BytesIO()
    Pillow.new("RGB", (600, 400), "#406080").save(stream, "PNG")
    file = SimpleUploadedFile("harbour.png", stream.getvalue(), "image/png")
    return Image.objects.create(title="The harbour", file=file, description="Ships in the harbour at noon")
