"""Where readers' errands may lead, and what becomes of those that lead nowhere."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from sandbox.options import SandboxOptions
from sandbox.server import running

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8000/u/1", True),
        ("http://localhost/u/1", True),
        ("http://news.localhost:8000/", True),
        ("http://[::1]:8000/", True),
        ("http://web:8000/u/1", True),
        ("https://example.org/", False),
        ("http://10.0.0.1/", False),
        ("http://127.0.0.1.example.org/", False),
        ("file:///etc/passwd", False),
        ("http://[broken/", False),
        ("", False),
    ],
)
def test_links_are_followed_on_this_machine_and_the_webhooks_host_only(
    options: SandboxOptions, url: str, allowed: bool
) -> None:
    webhooks = replace(options.webhooks, url="http://web:8000/webhook", withhold=True)
    with running(replace(options, webhooks=webhooks)) as sandbox:
        assert sandbox._errands.allows(url) is allowed


def test_everywhere_when_told_so(options: SandboxOptions) -> None:
    with running(replace(options, fetch_anywhere=True)) as sandbox:
        assert sandbox._errands.allows("https://example.org/")


def test_an_unsubscribe_that_may_not_be_followed_is_skipped(
    options: SandboxOptions, post: Any, sandbox: Any, make_mail: Any, until: Any
) -> None:
    post(make_mail("unsub+reader@example.org"))
    until(lambda: sandbox.events()["acts_skipped"] == 1)
    assert sandbox.events()["acts"] == 0


def test_public_addresses_can_be_mapped_to_this_machine(
    options: SandboxOptions, receiver: Any, make_mail: Any, until: Any
) -> None:
    mapped = replace(options, map_urls=(("https://example.org/", receiver.url + "/here/"),))
    with running(mapped) as sandbox:
        sandbox.ledger.accept(
            message_id="one",
            body=orjson.dumps(make_mail("unsub+reader@example.org")),
            categories=[],
            recipients=[],
            now=1.0,
            due_at=1.0,
        )
        until(lambda: sandbox.events()["acts_done"] == 1)
    assert [path[:8] for _method, path, _headers, _body in receiver.visits] == ["/here/u/"]
