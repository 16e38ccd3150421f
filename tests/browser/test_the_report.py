"""An edition goes out to the sandbox, and its page tells what came of it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from composer.models import Edition, Publication
from sandbox.options import SandboxOptions
from sandbox.server import running
from sandbox.webhook_settings import WebhookSettings
from subscribers.models import List, Subscriber, Subscription
from tasks.approvals.approving import approve_edition
from tasks.feedback import applying
from tasks.models import Batch, Send
from tasks.preparation import preparing
from tasks.providers import registry
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends.scheduling import schedule
from tasks.submission import posting
from tests.browser.pictures import picture
from tests.waiting import LONG, eventually

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

API_KEY = "SG.test"
#: What the sandbox makes of each of them.
READERS = ("click+ann@example.org", "click+bob@example.org", "bounce+cy@example.org", "dee@example.org")


@pytest.fixture
def sendgrid(
    tmp_path: Path, live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SendGridTransport]:
    """The sandbox, which reports to this server's webhook."""
    webhooks = WebhookSettings(url=f"{live_server.url}/webhooks/sendgrid", delay=0.0)
    options = SandboxOptions(home=tmp_path / "sandbox", api_key=API_KEY, outbox=0, webhooks=webhooks)
    monkeypatch.setattr("tasks.queue._enqueue", lambda *_args, **_options: True)
    with running(options) as sandbox:
        settings.SENDGRID_WEBHOOK_PUBLIC_KEYS = (sandbox.public_key,)
        made = SendGridTransport(api_key=API_KEY, host=sandbox.url, deadline=LONG)
        monkeypatch.setitem(registry._transports, os.getpid(), made)
        yield made


@pytest.fixture
def out(edition: Edition, publication: Publication, sendgrid: SendGridTransport) -> Send:
    """An edition that the sandbox has taken, and reported of."""
    publication.tracking = publication.track_unknown = True
    publication.save()
    approve_edition(edition, None)
    readers = List.objects.create(publication=publication, slug="readers", name="Readers")
    for address in READERS:
        Subscription.objects.create(list=readers, subscriber=Subscriber.objects.create(email=address), status="active")
    send = schedule(edition, lists=[readers])
    assert preparing.prepare(send.pk) is not None
    Send.objects.update(undo_until=None)
    posting.submit_batch(Batch.objects.get().pk, transport=sendgrid)

    def reported() -> bool:
        applying.apply_waiting()
        told = Batch.objects.get()
        return (told.delivered, told.bounced, told.clicked) == (3, 1, 2)

    assert eventually(reported)
    return Send.objects.get()


def test_the_page_of_a_sent_edition_is_its_result(desk: Any, live_server: Any, out: Send) -> None:
    page = desk
    page.goto(f"{live_server.url}/desk/editions/edit/{out.edition_id}/")

    page.locator(".desk-send__status", has_text="Sent").wait_for()
    figures = page.locator(".desk-figures")
    assert "3 delivered" in " ".join(figures.inner_text().split())
    assert "2 people clicked of 4 tracked readers" in " ".join(figures.inner_text().split())
    assert "1 bounced of 4 handed to the provider" in " ".join(figures.inner_text().split())
    first = page.get_by_role("region", name="Clicks by story").locator("tbody tr").first
    assert first.get_by_role("cell").first.inner_text() == "1"
    assert page.get_by_role("img", name="People who clicked, hour by hour").is_visible()

    mail = page.frame_locator(".desk-mail iframe")
    mail.locator("h2").first.wait_for()
    frame = page.locator(".desk-mail iframe")
    wide = frame.bounding_box()["width"]
    page.get_by_role("radio", name="Phone").check()
    assert frame.bounding_box()["width"] == 375 < wide
    assert not page.locator("#desk-contents .w-panel").first.is_visible()
    page.get_by_text("Contents", exact=True).click()
    assert page.locator("#desk-contents .w-panel").first.is_visible()
    picture(page, "report")


def test_the_result_is_refreshed_and_what_is_open_stays_open(desk: Any, live_server: Any, out: Send) -> None:
    page = desk
    page.goto(f"{live_server.url}/desk/editions/edit/{out.edition_id}/")
    page.get_by_text("Clicks by link").click()
    page.locator("#clicks-by-link[open]").wait_for()

    Batch.objects.update(complained=1)

    page.locator(".desk-figures li", has_text="complained of spam").get_by_text("1", exact=True).wait_for()
    assert page.locator("#clicks-by-link[open]").count() == 1
