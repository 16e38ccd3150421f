"""Each fault as the client sees it, and whether the request counted."""

import socket
import time
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import HTTPError, ProtocolError

from sandbox.faults import FaultScript, Occasion, parse
from sandbox.server import Sandbox
from tests.sandbox.conftest import raw_request

pytestmark = pytest.mark.integration


def set_fault(sandbox: Sandbox, **source: Any) -> None:
    sandbox.faults.add([source])


@pytest.mark.parametrize("what", ["accept", "reject"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_connection_that_ends_without_an_answer(
    sandbox: Sandbox, post: Any, make_mail: Any, what: str, how: str
) -> None:
    set_fault(sandbox, kind=f"{what}-then-{how}", times=1)
    with pytest.raises(ProtocolError, match="Connection aborted") as caught:
        post(make_mail())
    assert ("reset" in str(caught.value)) is (how == "reset")
    assert sandbox.ledger.accepted() == (1 if what == "accept" else 0)
    assert post(make_mail()).status == 202


@pytest.mark.parametrize(("what", "accepted"), [("accept", 1), ("reject", 0)])
def test_an_answer_that_never_comes(sandbox: Sandbox, until: Any, make_mail: Any, what: str, accepted: int) -> None:
    set_fault(sandbox, kind=f"{what}-then-hang")
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))) as client:
        client.sendall(raw_request(make_mail()))
        until(lambda: sandbox.faults.as_json()[0]["struck"] == 1)
        until(lambda: sandbox.ledger.accepted() >= accepted)
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
    assert sandbox.ledger.accepted() == accepted


@pytest.mark.parametrize(
    ("source", "status", "accepted"),
    [
        ({"kind": "error"}, 500, 0),
        ({"kind": "error", "status": 503}, 503, 0),
        ({"kind": "accept-then-error"}, 500, 1),
        ({"kind": "accept-then-error", "status": 503}, 503, 1),
        ({"kind": "credits-exceeded"}, 401, 0),
        ({"kind": "answer", "status": 418, "json": {"errors": []}}, 418, 0),
        ({"kind": "answer", "status": 200, "json": {"errors": []}, "accepted": True}, 200, 1),
    ],
)
def test_answers_in_json(
    sandbox: Sandbox, post: Any, make_mail: Any, source: dict[str, Any], status: int, accepted: int
) -> None:
    set_fault(sandbox, **source)
    answer = post(make_mail())
    assert (answer.status, list(answer.json())) == (status, ["errors"])
    assert sandbox.ledger.accepted() == accepted


@pytest.mark.parametrize(
    ("source", "accepted"), [({"kind": "bad-gateway"}, 0), ({"kind": "accept-then-error", "status": 502}, 1)]
)
def test_502_is_a_page(sandbox: Sandbox, post: Any, make_mail: Any, source: dict[str, Any], accepted: int) -> None:
    set_fault(sandbox, **source)
    answer = post(make_mail())
    assert (answer.status, answer.headers["Content-Type"]) == (502, "text/html")
    assert b"Bad Gateway" in answer.data
    assert sandbox.ledger.accepted() == accepted


def test_429_with_and_without_headers(sandbox: Sandbox, post: Any, make_mail: Any) -> None:
    set_fault(sandbox, kind="rate-limit", retry_after=7, times=1)
    set_fault(sandbox, kind="rate-limit", headers=False, times=1)
    before = time.time()
    told, silent = post(make_mail()), post(make_mail())
    assert (told.status, told.headers["Retry-After"], told.headers["X-RateLimit-Remaining"]) == (429, "7", "0")
    assert float(told.headers["X-RateLimit-Reset"]) >= before + 7 - 1
    assert silent.json() == {"errors": [{"field": None, "message": "too many requests"}]}
    assert not {"retry-after", "x-ratelimit-reset"} & {name.lower() for name in silent.headers}
    assert post(make_mail()).status == 202


@pytest.mark.parametrize("cut", ["status", "body"])
def test_a_truncated_answer(sandbox: Sandbox, post: Any, make_mail: Any, cut: str) -> None:
    set_fault(sandbox, kind="truncated", cut=cut)
    with pytest.raises(HTTPError):
        post(make_mail())
    assert sandbox.ledger.accepted() == 1


def test_an_answer_truncated_in_its_headers_and_not_accepted(sandbox: Sandbox, post: Any, make_mail: Any) -> None:
    set_fault(sandbox, kind="truncated", cut="headers", accepted=False)
    assert post(make_mail()).status == 500
    assert sandbox.ledger.accepted() == 0


def test_a_redirect_leads_to_a_false_success(sandbox: Sandbox, post: Any, http: Any, make_mail: Any) -> None:
    set_fault(sandbox, kind="redirect")
    answer = post(make_mail())
    assert answer.status == 302
    assert http.request("GET", sandbox.url + answer.headers["Location"]).status == 200
    assert sandbox.ledger.accepted() == 0


def test_latency_comes_before_the_answer(sandbox: Sandbox, post: Any, make_mail: Any) -> None:
    set_fault(sandbox, kind="latency", seconds=0.2)
    started = time.monotonic()
    assert post(make_mail()).status == 202
    assert time.monotonic() - started >= 0.2


def test_bad_recipients_are_named_where_they_are(sandbox: Sandbox, post: Any, make_mail: Any) -> None:
    set_fault(sandbox, kind="bad-recipient", addresses=["B@example.org"], personalizations=[3])
    answer = post(make_mail("a@example.org", "b@example.org", "c@example.org", "d@example.org"))
    assert answer.status == 400
    fields = [each["field"] for each in answer.json()["errors"]]
    assert fields == ["personalizations.1.to.0.email", "personalizations.3.to.0.email"]
    assert post(make_mail("a@example.org", "c@example.org")).status == 202


def test_an_invalid_request_is_refused_even_where_a_fault_would_accept(
    sandbox: Sandbox, post: Any, make_mail: Any
) -> None:
    set_fault(sandbox, kind="accept-then-close")
    assert post(make_mail(subject="")).status == 400


def test_faults_are_set_and_removed_over_http(sandbox: Sandbox, post: Any, http: Any, make_mail: Any) -> None:
    url = f"{sandbox.url}/sandbox/faults"
    made = http.request("POST", url, json=[{"kind": "error", "category": "send-1"}, {"kind": "bad-gateway"}])
    assert (made.status, [fault["id"] for fault in made.json()]) == (201, [1, 2])
    assert post(make_mail()).status == 500
    assert post(make_mail(categories=["other"])).status == 502
    assert [fault["struck"] for fault in http.request("GET", url).json()] == [1, 1]
    assert http.request("DELETE", f"{url}/2").json() == {"removed": 1}
    assert http.request("DELETE", url).json() == {"removed": 1}
    assert post(make_mail()).status == 202


def test_a_wrong_fault_is_refused_whole(sandbox: Sandbox, http: Any) -> None:
    answer = http.request("POST", f"{sandbox.url}/sandbox/faults", json=[{"kind": "error"}, {"kind": "eror"}])
    assert answer.status == 400
    assert answer.json()["error"].startswith("kind: 'eror' is unknown; known are latency, rate-limit")
    assert sandbox.faults.as_json() == []


def test_another_web_page_may_not_steer_the_sandbox(sandbox: Sandbox, http: Any) -> None:
    headers = {"Origin": "https://evil.example"}
    answer: urllib3.BaseHTTPResponse = http.request("DELETE", f"{sandbox.url}/sandbox/faults", headers=headers)
    assert answer.status == 403


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "error", "seconds": 1}, "seconds: unknown for error"),
        ({"kind": "error", "status": 1000}, "status: 1000"),
        ({"kind": "latency", "seconds": "1"}, "seconds: '1'"),
        ({"kind": "error", "probability": 2}, "probability: 2"),
        ({"kind": "error", "times": "2"}, "times: '2'"),
        ({"kind": "error", "requests": [0]}, "requests: "),
        ({"kind": "error", "requests": {"from": 1}}, "requests: "),
        ({"kind": "truncated", "cut": "tail"}, "cut: 'tail'"),
        ({"kind": "rate-limit", "headers": "no"}, "headers: 'no'"),
        ({"kind": "bad-recipient", "addresses": "a@example.org"}, "addresses: 'a@example.org'"),
        ("error", "a fault is a JSON object"),
    ],
)
def test_a_wrong_fault_says_what_is_wrong(source: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(source)
    assert str(caught.value).startswith(message)


def struck(script: FaultScript, requests: int, **occasion: Any) -> list[int]:
    """Numbers of the requests a fault decided."""
    outcomes = [script.strike(Occasion(number=script.next_number(), **occasion)) for _ in range(requests)]
    return [number for number, (_latency, fault) in enumerate(outcomes, start=1) if fault]


def test_faults_strike_by_number_counted_from_when_they_were_set() -> None:
    script = FaultScript(faults=[{"kind": "error", "requests": [2, 4]}])
    assert struck(script, 5) == [2, 4]
    script.add([{"kind": "error", "requests": {"first": 2, "last": 3}}])
    assert struck(script, 5) == [2, 3]


def test_faults_strike_so_often_and_no_more() -> None:
    assert struck(FaultScript(faults=[{"kind": "error", "times": 2}]), 5) == [1, 2]


def test_chance_is_repeatable_by_its_seed() -> None:
    fault = {"kind": "error", "probability": 0.3}
    runs = [struck(FaultScript(seed=seed, faults=[fault]), 500) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert 100 < len(runs[0]) < 200
