"""The email activity feed: what was accepted, asked for in SendGrid's query language."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from sandbox.__main__ import options_from
from sandbox.activity_query import parsed
from sandbox.options import ALL_SCOPES, SandboxOptions
from sandbox.server import Sandbox, running
from tests.waiting import LONG

pytestmark = pytest.mark.integration

Ask = Callable[..., tuple[int, Any]]
BEARER = {"Authorization": "Bearer SG.test"}


@pytest.fixture
def ask(sandbox: Sandbox, http: Any) -> Ask:
    """GET a path of the feed; (status, decoded answer)."""

    def get(path: str = "", **query: Any) -> tuple[int, Any]:
        url = f"{sandbox.url}/v3/messages{path}"
        answer = http.request("GET", url, fields=query, headers=BEARER, timeout=LONG)
        return answer.status, orjson.loads(answer.data)

    return get


def stamp(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_accepted_message_is_listed_and_told_in_full(ask: Ask, post: Any, make_mail: Any) -> None:
    post(make_mail("A@example.org", "b@example.org"))

    status, found = ask(query='to_email="a@example.org"')
    (message,) = found["messages"]
    details_status, details = ask(f"/{message['msg_id']}")

    assert (status, details_status) == (200, 200)
    assert set(message) == {
        "from_email",
        "msg_id",
        "subject",
        "to_email",
        "status",
        "opens_count",
        "clicks_count",
        "last_event_time",
    }
    assert (message["from_email"], message["to_email"]) == ("news@example.org", "a@example.org")
    assert (message["subject"], message["status"], message["opens_count"]) == ("Hello Reader 0", "delivered", 0)
    assert message["last_event_time"] <= stamp(0)
    assert {name: details[name] for name in message} == message
    assert orjson.loads(details["unique_args"]) == {"nd_attempt": "attempt-1", "nd_delivery": "1.0"}
    assert [event["event_name"] for event in details["events"]] == ["processed", "delivered"]


def test_what_was_refused_is_not_known(sandbox: Sandbox, ask: Ask, post: Any, make_mail: Any) -> None:
    sandbox.faults.add([{"kind": "error", "status": 500, "times": 1}])
    assert post(make_mail("a@example.org")).status == 500
    assert post(make_mail("invalid+a@example.org")).status == 400

    assert ask(query='to_email IN ("a@example.org", "invalid+a@example.org")') == (200, {"messages": []})


def test_the_newest_come_first_up_to_the_limit(ask: Ask, post: Any, make_mail: Any) -> None:
    for number in range(12):
        post(make_mail("a@example.org", subject=f"Number {number}"))

    assert [each["subject"] for each in ask(query='to_email="a@example.org"', limit=2)[1]["messages"]] == [
        "Number 11",
        "Number 10",
    ]
    assert len(ask(query='to_email="a@example.org"')[1]["messages"]) == 10


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('to_email="a@example.org"', "a"),
        ('to_email="A@EXAMPLE.ORG"', "a"),
        ('(to_email="a@example.org" OR to_email="bounce+b@example.org")', "ab"),
        ('to_email="a@example.org" AND to_email="bounce+b@example.org"', ""),
        ('to_email IN ("a@example.org","bounce+b@example.org") AND status="not_delivered"', "b"),
        ('status="delivered"', "a"),
        ('to_email="a@example.org" OR status="not_delivered"', "ab"),
        ('to_email!="a@example.org"', "b"),
        ('from_email="news@example.org" AND last_event_time>TIMESTAMP "{ago}"', "ab"),
        ('last_event_time BETWEEN TIMESTAMP "{ago}" AND TIMESTAMP "{soon}"', "ab"),
        ('last_event_time BETWEEN TIMESTAMP "{soon}" AND TIMESTAMP "{later}" AND to_email="a@example.org"', ""),
        ('last_event_time<"{ago}"', ""),
    ],
)
def test_queries(ask: Ask, post: Any, make_mail: Any, query: str, found: str) -> None:
    post(make_mail("a@example.org", "bounce+b@example.org"))
    times = {"ago": stamp(-60), "soon": stamp(60), "later": stamp(120)}

    status, answer = ask(query=query.format(**times))

    assert status == 200, answer
    names = sorted(message["to_email"].partition("@")[0][-1] for message in answer["messages"])
    assert names == sorted(found)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('bad_field="x"', "invalid syntax: 'bad_field' is not a known field"),
        ("to_email=a@example.org", "invalid syntax: unexpected"),
        ("to_email=status", "invalid syntax: 'status' stands where"),
        ('to_email LIKE "a%"', "invalid syntax: 'LIKE' is not a known operator"),
        ('to_email="a" AND', "invalid syntax: unexpected end"),
        ('(to_email="a"', "invalid syntax: ) is missing"),
        ('to_email="a" to_email="b"', "invalid syntax: unexpected 'to_email'"),
        ('last_event_time>"yesterday"', "invalid syntax: 'yesterday' is not a timestamp"),
        ("(" * 30 + 'status="a"' + ")" * 30, "too many parentheses"),
        ("", "query is required"),
    ],
)
def test_a_question_it_does_not_understand_is_refused_in_its_words(ask: Ask, query: str, words: str) -> None:
    status, answer = ask(query=query)

    assert status == 400
    assert words in answer["errors"][0]["message"]


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1"])
def test_limits_it_refuses(ask: Ask, limit: str) -> None:
    assert ask(query='to_email="a@example.org"', limit=limit)[0] == 400


@pytest.mark.parametrize("path", ["/nothing", "/nothing.recvd-sandbox-0"])
def test_a_message_it_does_not_know(ask: Ask, path: str) -> None:
    status, answer = ask(path)

    assert (status, bool(answer["errors"][0]["message"])) == (404, True)


def test_a_message_is_known_after_the_lag(sandbox: Sandbox, ask: Ask, post: Any, make_mail: Any) -> None:
    post(make_mail("a@example.org"))
    (message,) = ask(query='to_email="a@example.org"')[1]["messages"]

    sandbox.change_activity(lag=3600.0)

    assert ask(query='to_email="a@example.org"')[1]["messages"] == []
    assert ask(f"/{message['msg_id']}")[0] == 404


def test_the_add_on_may_not_have_been_bought(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.change_activity(available=False)

    assert ask(query='to_email="a@example.org"')[0] == 403
    assert ask("/x")[0] == 403


def test_a_key_without_the_scope_is_refused(options: SandboxOptions, http: Any) -> None:
    scopes = tuple(scope for scope in ALL_SCOPES if scope != "email_activity.read")
    with running(replace(options, scopes=scopes)) as sandbox:
        url = f"{sandbox.url}/v3/messages"
        assert http.request("GET", url, fields={"query": 'status="x"'}, headers=BEARER).status == 403
        assert http.request("GET", url, fields={"query": 'status="x"'}).status == 401


def test_the_seventh_question_within_a_minute_is_one_too_many(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.change_activity(per_minute=6)

    statuses = [ask(query='status="delivered"')[0] for _ in range(7)]

    assert statuses == [200] * 6 + [429]


def test_it_may_be_broken(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.change_activity(broken=True)

    assert ask(query='status="delivered"')[0] == 500


def test_its_settings_are_changed_while_it_runs(sandbox: Sandbox, http: Any) -> None:
    url = f"{sandbox.url}/sandbox/activity"

    changed = http.request("POST", url, body=orjson.dumps({"lag": 5, "available": False}))

    assert changed.status == 200
    shown = orjson.loads(http.request("GET", url).data)
    assert shown == {"available": False, "lag": 5, "per_minute": 0, "broken": False}
    for wrong in ({"lags": 1}, {"lag": "1"}, {"per_minute": -1}, {"available": 1}, [1]):
        assert http.request("POST", url, body=orjson.dumps(wrong)).status == 400, wrong


def test_its_settings_on_the_command_line(tmp_path: Any) -> None:
    words = ["--home", str(tmp_path), "--no-activity-available", "--activity-lag", "30", "--activity-per-minute", "6"]

    made = options_from(words).activity

    assert (made.available, made.lag, made.per_minute, made.broken) == (False, 30.0, 6, False)


def test_a_query_says_which_addresses_can_match() -> None:
    assert parsed('to_email="A" AND status="x"').addresses == {"a"}
    assert parsed('to_email="a" OR to_email IN ("b","c")').addresses == {"a", "b", "c"}
    assert parsed('to_email="a" OR status="x"').addresses is None
    assert parsed('to_email="say \\"hi\\""').addresses == {'say "hi"'}


def test_a_message_that_was_opened(ask: Ask, post: Any, make_mail: Any, until: Any) -> None:
    post(make_mail("open+a@example.org"))

    until(lambda: ask(query='to_email="open+a@example.org"')[1]["messages"][0]["opens_count"] == 1)
