"""What comes back: signed events, in good order and in bad."""

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sendgrid.helpers.eventwebhook import EventWebhook

from sandbox import events
from sandbox.options import SandboxOptions
from sandbox.server import Sandbox, running

pytestmark = pytest.mark.integration


@pytest.fixture
def settled(sandbox: Sandbox, until: Any) -> Any:
    return lambda: until(lambda: sandbox.events()["quiet"])


def test_each_recipient_is_processed_and_delivered(
    sandbox: Sandbox, post: Any, receiver: Any, make_mail: Any, settled: Any
) -> None:
    answer = post(make_mail(*(f"r{n}@example.org" for n in range(700)), categories=["send-1", "weekly"]))
    settled()
    assert Counter(event["event"] for event in receiver.events) == {"processed": 700, "delivered": 700}
    assert sorted(body.count(b'"event"') for _headers, body in receiver.posts) == [400, 1000]
    assert len({event["sg_event_id"] for event in receiver.events}) == 1400
    event = next(event for event in receiver.events if event["email"] == "r7@example.org")
    assert (event["nd_delivery"], event["nd_attempt"]) == ("1.7", "attempt-1")
    assert event["sg_message_id"].startswith(answer.headers["X-Message-Id"] + ".")
    assert event["category"] == ["send-1", "weekly"]
    assert event["smtp-id"].startswith("<")
    assert sandbox.events() == {
        "pending": 0,
        "posted": 1400,
        "acts": 0,
        "acts_done": 0,
        "acts_failed": 0,
        "acts_skipped": 0,
        "quiet": True,
        "failed_posts": 0,
        "last_status": 200,
        "last_error": None,
    }


def test_posts_are_laid_out_and_signed_as_the_official_verifier_expects(
    sandbox: Sandbox, post: Any, receiver: Any, make_mail: Any, settled: Any, options: SandboxOptions, http: Any
) -> None:
    post(make_mail("a@example.org", "b@example.org"))
    settled()
    ((headers, body),) = receiver.posts
    assert body.endswith(b"}]\r\n")
    assert body.count(b"},\r\n{") == 3
    signature = headers["x-twilio-email-event-webhook-signature"]
    timestamp = headers["x-twilio-email-event-webhook-timestamp"]
    verifier = EventWebhook(sandbox.public_key)
    assert verifier.verify_signature(body.decode(), signature, timestamp)
    assert not verifier.verify_signature(body.decode() + " ", signature, timestamp)
    assert not verifier.verify_signature(body.decode(), signature, "1")
    assert (options.home / "webhook-public-key").read_text().strip() == sandbox.public_key
    assert http.request("GET", f"{sandbox.url}/sandbox/public-key").data.decode().strip() == sandbox.public_key


def test_addresses_say_how_their_readers_behave(post: Any, receiver: Any, make_mail: Any, settled: Any) -> None:
    expected = {
        "bounce+": ["bounce", "processed"],
        "block+": ["bounce", "processed"],
        "defer+": ["deferred", "delivered", "processed"],
        "spam+": ["delivered", "processed", "spamreport"],
        "drop+": ["dropped"],
        "open+": ["delivered", "open", "processed"],
        "machine+": ["delivered", "open", "processed"],
        "late+": ["bounce", "delivered", "processed"],
        "click": ["delivered", "processed"],  # without the plus an ordinary reader
        "strange+": ["delivered", "processed"],
    }
    post(make_mail(*(f"{prefix}reader@example.org" for prefix in expected)))
    settled()
    assert {prefix: receiver.of(prefix) for prefix in expected} == expected
    machine = {event["email"]: event["sg_machine_open"] for event in receiver.events if event["event"] == "open"}
    assert machine == {"open+reader@example.org": False, "machine+reader@example.org": True}


def test_bounces_and_blocks_differ_in_type(post: Any, receiver: Any, make_mail: Any, settled: Any) -> None:
    post(make_mail("bounce+a@example.org", "block+b@example.org"))
    settled()
    bounces = {event["email"]: event for event in receiver.events if event["event"] == "bounce"}
    assert (bounces["bounce+a@example.org"]["type"], bounces["block+b@example.org"]["type"]) == ("bounce", "blocked")
    assert bounces["bounce+a@example.org"]["bounce_classification"] == "Invalid Address"


def test_late_bounces_name_nothing_but_the_address(post: Any, receiver: Any, make_mail: Any, settled: Any) -> None:
    post(make_mail("late+reader@example.org"))
    settled()
    (bounce,) = [event for event in receiver.events if event["event"] == "bounce"]
    assert (bounce["email"], bounce["sg_message_id"]) == ("late+reader@example.org", "")
    assert not {"nd_delivery", "nd_attempt", "category", "smtp-id"} & bounce.keys()


def test_readers_click_the_first_tracked_links(post: Any, receiver: Any, make_mail: Any, settled: Any) -> None:
    mail = make_mail("click+reader@example.org")
    mail["content"][1]["value"] = (
        '<a href="-whole-">no</a><a clicktracking=off href="https://example.org/u">no</a>'
        '<a class="x" href="https://example.org/-path-?a=1&amp;b=2">yes</a><a href=\'https://example.org/two\'>yes</a>'
        '<a href="https://example.org/three">third</a>'
    )
    post(mail)
    settled()
    clicks = [event["url"] for event in receiver.events if event["event"] == "click"]
    assert sorted(clicks) == ["https://example.org/story-0?a=1&b=2", "https://example.org/two"]
    assert receiver.of("click") == ["click", "click", "delivered", "open", "processed"]


def test_without_tracking_nobody_is_seen_to_read(post: Any, receiver: Any, make_mail: Any, settled: Any) -> None:
    off = {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}}
    post(make_mail("click+reader@example.org", tracking_settings=off))
    settled()
    assert receiver.of("click") == ["delivered", "processed"]


def test_rates_are_drawn_from_the_seed(options: SandboxOptions, receiver: Any, make_mail: Any, until: Any) -> None:
    with running(replace(options, open_rate=0.3, click_rate=0.1)) as sandbox:
        planner = sandbox._planning._planner
        runs = []
        for name in ("one", "two"):
            request = sandbox.ledger.request(_accept(sandbox, make_mail, name))
            plan = events.Plan()
            planner.plan(request, plan, settings=options.webhooks, now=1.0)
            runs.append(sorted(_opened(plan)))
    assert runs[0] == runs[1]
    assert 40 < len(runs[0]) < 120


def _accept(sandbox: Sandbox, make_mail: Any, name: str) -> int:
    body = orjson.dumps(make_mail(*(f"r{n}@example.org" for n in range(200))))
    return sandbox.ledger.accept(message_id=name, body=body, categories=[], recipients=[], now=1.0, due_at=9e12)


def _opened(plan: events.Plan) -> list[str]:
    later = [orjson.loads(event) for _due, event in plan.later]
    return [event["email"] for event in later if event["event"] == "open"]


def test_scanners_fetch_every_link_and_change_nothing(post: Any, receiver: Any, make_mail: Any, settled: Any) -> None:
    mail = make_mail("scanner+reader@example.org")
    mail["content"] = [
        {"type": "text/plain", "value": f"read {receiver.url}/plain"},
        {"type": "text/html", "value": f'<a href="{receiver.url}/-path-">x</a><a href="https://far.example/">x</a>'},
    ]
    mail["personalizations"][0]["headers"]["List-Unsubscribe"] = f"<{receiver.url}/u/1>"
    post(mail)
    settled()
    assert {(method, path) for method, path, _headers, _body in receiver.visits} == {
        ("GET", "/plain"),
        ("GET", "/story-0"),
        ("GET", "/u/1"),
    }


def test_a_mailbox_provider_unsubscribes_in_one_click(
    post: Any, receiver: Any, make_mail: Any, sandbox: Sandbox, until: Any, settled: Any
) -> None:
    sandbox.change_webhooks(withhold=True)
    receiver.statuses = [503]
    mail = make_mail("unsub+reader@example.org")
    mail["personalizations"][0]["headers"]["List-Unsubscribe"] = f"<mailto:out@example.org>, <{receiver.url}/u/token>"
    post(mail)
    until(lambda: len(receiver.visits) == 2)  # the first was answered 503 and is tried again
    method, path, headers, body = receiver.visits[-1]
    assert (method, path, body) == ("POST", "/u/token", b"List-Unsubscribe=One-Click")
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert "cookie" not in headers
    until(lambda: sandbox.events()["acts_done"] == 1)


def test_events_are_withheld_and_released_at_run_time(
    sandbox: Sandbox, post: Any, http: Any, receiver: Any, make_mail: Any, until: Any, settled: Any
) -> None:
    url = f"{sandbox.url}/sandbox/webhooks"
    assert http.request("POST", url, json={"withhold": True, "url": "http://127.0.0.1:1/"}).json()["withhold"] is True
    post(make_mail("a@example.org", "b@example.org"))
    until(lambda: sandbox.events()["pending"] == 4 and sandbox.ledger.value("SELECT count(*) FROM post"))
    assert receiver.posts == []
    http.request("POST", url, json={"withhold": False})
    until(lambda: sandbox.events()["failed_posts"] >= 1)
    assert "refused" in sandbox.events()["last_error"]
    http.request("POST", url, json={"url": receiver.webhook})
    settled()
    assert len(receiver.events) == 4


@pytest.mark.parametrize("changes", [{"speed": 1}, {"withhold": 1}, {"lost": 2}, {"url": "ftp://x"}, {"batch": 0}, []])
def test_wrong_settings_are_refused(sandbox: Sandbox, http: Any, changes: Any) -> None:
    assert http.request("POST", f"{sandbox.url}/sandbox/webhooks", json=changes).status == 400


def test_scheduled_mail_waits_for_its_time(
    sandbox: Sandbox, post: Any, receiver: Any, make_mail: Any, until: Any
) -> None:
    post(make_mail("later@example.org", send_at=int(time.time()) + 3600))
    post(make_mail("now@example.org", send_at=1))
    until(lambda: receiver.of("now") == ["delivered", "processed"])
    until(lambda: sandbox.events()["pending"] == 2)
    assert {event["email"] for event in receiver.events} == {"now@example.org"}


def test_custom_args_cannot_pose_as_the_events_own_fields(
    post: Any, receiver: Any, make_mail: Any, settled: Any
) -> None:
    post(make_mail(custom_args={"email": "other@example.org", "event": "bounce", "mine": "kept"}))
    settled()
    assert receiver.of("reader@example.org") == ["delivered", "processed"]
    assert {event["mine"] for event in receiver.events} == {"kept"}


def test_posts_are_repeated_until_they_are_answered_2xx(
    sandbox: Sandbox, post: Any, receiver: Any, make_mail: Any, settled: Any
) -> None:
    receiver.statuses = [500, 302, 403]
    post(make_mail())
    settled()
    bodies = {body for _headers, body in receiver.posts}
    assert (len(receiver.posts), len(bodies)) == (4, 1)
    assert sandbox.events()["failed_posts"] == 3


def test_events_can_be_doubled_stripped_lost_and_strange(
    options: SandboxOptions, receiver: Any, make_mail: Any
) -> None:
    with running(options) as sandbox:
        planner = sandbox._planning._planner

        def planned(**changes: float) -> list[dict[str, Any]]:
            plan = events.Plan()
            request = sandbox.ledger.request(_accept(sandbox, make_mail, repr(changes)))
            planner.plan(request, plan, settings=replace(options.webhooks, **changes), now=1.0)
            return [orjson.loads(event) for event in [*plan.events, *(event for _due, event in plan.later)]]

        ids = Counter(event["sg_event_id"] for event in planned(duplicate=1.0))
        assert set(ids.values()) == {2}
        assert len(ids) == 400
        assert len({event["sg_event_id"] for event in planned(duplicate_new_id=1.0)}) == 800
        assert all("sg_event_id" not in event for event in planned(no_event_id=1.0))
        assert planned(lost=1.0) == []
        assert 140 < len(planned(lost=0.5)) < 260
        assert sum(event["event"] == "quarantined" for event in planned(unknown=1.0)) == 200
        assert sum(event["event"] == "bounce" for event in planned(late_bounce=1.0)) == 200


def test_posts_stay_below_the_size_limit() -> None:
    event = b'{"event":"processed","pad":"' + b"x" * 1000 + b'"}'
    made = list(events.bodies([event] * 2000, batch=5000, max_bytes=768 * 1024))
    assert sum(count for count, _body in made) == 2000
    assert all(len(body) <= 768 * 1024 and len(orjson.loads(body)) == count for count, body in made)
    assert len(made) == 3
