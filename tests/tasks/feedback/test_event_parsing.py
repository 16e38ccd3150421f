from hashlib import blake2b
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.feedback.kinds import BITS, reason_to_suppress
from tasks.providers.events import ReportedEvent, UnreadableBodyError
from tasks.providers.sendgrid.events import parse

ATTEMPT = "0b51e5a0-7c0e-4f0e-9d53-6ad8a1f0c001"


def one(**fields: object) -> ReportedEvent:
    return parse(orjson.dumps([fields])).events[0]


def test_it_reads_a_body_as_it_is_really_separated() -> None:
    body = (
        b'[{"email":"A@Example.com","timestamp":1600112492,"event":"delivered","nd_delivery":"7.42","nd_attempt":"'
        + ATTEMPT.encode()
        + b'","response":"250 OK"},\r\n{"email":"b@example.com","timestamp":1600112493,"event":"open",'
        b'"useragent":"Mail/1","category":"weekly"}]\r\n'
    )

    first, second = parse(body).events

    assert (first.kind, first.at, first.address) == ("delivered", 1600112492, "a@example.com")
    assert (first.send_id, first.subscriber_id, first.attempt) == (7, 42, UUID(ATTEMPT))
    assert (first.reason, second.agent) == ("250 OK", "Mail/1")
    assert (second.send_id, second.subscriber_id, second.attempt) == (None, None, None)


@pytest.mark.parametrize(
    "written", ["", "7", "7.", ".42", "7.42.1", "a.b", "-7.42", "7.-42", "7.4٢", "9" * 30 + ".1", 7.42, None, ["7.42"]]
)
def test_ids_that_are_not_ids_are_no_ids(written: object) -> None:
    event = parse(orjson.dumps([{"event": "open", "timestamp": 1, "nd_delivery": written}])).events[0]

    assert (event.send_id, event.subscriber_id) == (None, None)


def test_ids_as_large_as_they_ever_get_are_read() -> None:
    large = "9" * 18

    assert one(event="open", nd_delivery=f"{large}.{large}")[4:6] == (int(large), int(large))
    assert one(event="open", nd_delivery=f"{large}9.1")[4:6] == (None, None)
    assert one(event="open", nd_delivery=f"1.{large}9")[4:6] == (None, None)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1600112492, 1600112492),
        (1, 1),
        (1.0, 1),
        (0.0, None),
        ("0", None),
        (253_402_300_799, 253_402_300_799),
        (253_402_300_799.0, 253_402_300_799),
        (253_402_300_800, None),
        (253_402_300_800.0, None),
        ("253402300800", None),
        (f"{5:018}", 5),
        (f"{5:019}", None),
        ("1600112492", 1600112492),
        (1600112492.9, 1600112492),
        (None, None),
        (0, None),
        (-5, None),
        (10**17, None),
        (1e300, None),
        ("yesterday", None),
        ("9" * 400, None),
        (True, None),
        ([], None),
    ],
)
def test_a_bad_timestamp_is_missing(written: object, read: int | None) -> None:
    assert parse(orjson.dumps([{"event": "open", "timestamp": written}])).events[0].at == read


def test_one_bad_entry_costs_only_itself() -> None:
    parsed = parse(b'[null, {"event":"open"}, 7, "x", [], {"event":{"deep":1},"email":3,"url":[],"useragent":false}]')

    assert [event.kind for event in parsed.events] == ["opened", "other:"]
    assert [problem.split(" is")[0] for problem in parsed.problems] == ["entry 0", "entry 2", "entry 3", "entry 4"]


def test_a_single_object_is_one_event() -> None:
    assert [event.kind for event in parse(b'{"event":"open"}').events] == ["opened"]


@pytest.mark.parametrize("body", [b"", b"[", b"7", b'"x"', b"null", b"<html>", b"[" * 100_000, b"\xff\xfe"])
def test_a_body_without_events_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableBodyError):
        parse(body)


@pytest.mark.parametrize(
    "body",
    [
        b'[{"event":"open","useragent":"caf\xe9"}]',
        b'\xef\xbb\xbf[{"event":"open","useragent":"x"}]',
        b'[{"event":"open","useragent":"\\ud83d"}]',
        b'[{"event":"open","useragent":"a\\u0000b"}]',
    ],
)
def test_text_the_database_cannot_hold_is_made_to_fit(body: bytes) -> None:
    (event,) = parse(body).events

    assert event.kind == "opened"
    assert "\0" not in event.agent
    event.agent.encode()


def test_the_key_is_the_same_for_the_same_report_and_no_other() -> None:
    same = {"email": "a@example.com", "timestamp": 5, "event": "click", "url": "https://x/1", "nd_delivery": "1.2"}
    others = [
        {**same, "timestamp": 6},
        {**same, "event": "open"},
        {**same, "url": "https://x/2"},
        {**same, "nd_delivery": "1.3"},
        {**same, "nd_delivery": ""},
    ]

    assert one(**same).key == one(**{**same, "sg_event_id": "x", "email": "A@b.example"}).key
    assert len({one(**fields).key for fields in [same, *others]}) == 6
    assert len(one(**same).key) == 16


def test_a_report_has_the_key_that_it_had_before_an_upgrade() -> None:
    """Without the reader's program, but where it tells two readers apart: an agent beside a click."""
    click = {"timestamp": 5, "event": "click", "url": "https://x/1", "nd_delivery": "1.2"}
    delivered = {**click, "event": "delivered"}

    assert one(**click).key == blake2b(b"1.2\0click\x005\0https://x/1", digest_size=16).digest()
    assert one(**click, useragent="a").key == blake2b(b"1.2\0click\x005\0https://x/1\0a", digest_size=16).digest()
    assert one(**delivered, useragent="a").key == one(**delivered).key


@pytest.mark.parametrize(
    ("fields", "kind", "why"),
    [
        ({"event": "bounce", "type": "bounce"}, "hard_bounce", "hard_bounce"),
        ({"event": "bounce", "type": "blocked"}, "soft_bounce", None),
        ({"event": "bounce"}, "soft_bounce", None),
        ({"event": "bounce", "type": "expired"}, "soft_bounce", None),
        ({"event": "deferred", "response": "400 try again later"}, "deferred", None),
        ({"event": "spamreport"}, "complaint", "complaint"),
        ({"event": "unsubscribe"}, "unsubscribed", "unsubscribed"),
        ({"event": "group_unsubscribe"}, "unsubscribed", "unsubscribed"),
        ({"event": "group_resubscribe"}, "other:group_resubscribe", None),
        ({"event": "open"}, "opened", None),
        ({"event": "click", "url": "https://example.com/u/token"}, "clicked", None),
        ({"event": "open", "sg_machine_open": True}, "opened_by_machine", None),
        ({"event": "dropped", "reason": "Invalid"}, "dropped", "invalid"),
        ({"event": "dropped", "reason": "Bounced Address"}, "dropped", "hard_bounce"),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, "dropped", "complaint"),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, "dropped", "unsubscribed"),
        ({"event": "dropped", "reason": "Invalid SMTPAPI header"}, "dropped", None),
        ({"event": "dropped", "reason": "Spam Content"}, "dropped", None),
        # A receiving server may use the same words.
        ({"event": "deferred", "response": "Invalid"}, "deferred", None),
        ({"event": "processed", "reason": "Bounced Address"}, "processed", None),
        ({"event": "dropped", "reason": "Recipient List over Package Quota"}, "dropped", None),
        ({"event": "account_status_change"}, "other:account_status_change", None),
    ],
)
def test_what_an_event_says_about_writing_to_its_reader(fields: dict[str, object], kind: str, why: str | None) -> None:
    event = parse(orjson.dumps([{"timestamp": 1, **fields}])).events[0]

    assert (event.kind, reason_to_suppress(event)) == (kind, why)


def test_an_address_beyond_ascii_is_the_readers_however_it_is_written() -> None:
    assert one(event="bounce", email=" Ann@BU\u0308CHER.example").address == "ann@xn--bcher-kva.example"


def test_a_machine_does_not_read() -> None:
    assert "opened_by_machine" not in BITS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("event", "email", "timestamp", "url", "nd_delivery", "nd_attempt", "type", "reason", "useragent", "category")


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON, max_size=5))
def test_no_array_is_refused_and_every_entry_is_accounted_for(entries: list[object]) -> None:
    import json

    parsed = parse(json.dumps(entries).encode())

    assert len(parsed.events) + len(parsed.problems) == len(entries)
    assert all(len(event.kind) <= 30 and len(event.key) == 16 for event in parsed.events)
