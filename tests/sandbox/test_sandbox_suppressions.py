"""Who bounced or complained is dropped next time, until taken off the list."""

from typing import Any

import orjson
import pytest
import sendgrid

from sandbox.server import Sandbox
from tests.waiting import LONG

pytestmark = pytest.mark.integration


@pytest.fixture
def api(sandbox: Sandbox) -> Any:
    made = sendgrid.SendGridAPIClient("SG.test", host=sandbox.url)
    made.client.timeout = LONG
    return made.client.suppression


def settle(sandbox: Sandbox, until: Any) -> None:
    until(lambda: sandbox.events()["quiet"])


def test_a_bounced_address_is_dropped_next_time(
    sandbox: Sandbox, api: Any, post: Any, receiver: Any, make_mail: Any, until: Any
) -> None:
    people = ["bounce+a@example.org", "spam+b@example.org", "block+c@example.org", "late+d@example.org"]
    post(make_mail(*people))
    settle(sandbox, until)
    receiver.posts.clear()
    post(make_mail(*people))
    settle(sandbox, until)
    dropped = {event["email"]: event["reason"] for event in receiver.events if event["event"] == "dropped"}
    assert dropped == {
        "bounce+a@example.org": "Bounced Address",
        "spam+b@example.org": "Spam Reporting Address",
        "late+d@example.org": "Bounced Address",
    }
    assert receiver.of("block+c") == ["bounce", "processed"]
    assert [entry["email"] for entry in orjson.loads(api.blocks.get().body)] == ["block+c@example.org"]


def test_bypassing_lists_sends_all_the_same(
    sandbox: Sandbox, post: Any, receiver: Any, make_mail: Any, until: Any
) -> None:
    bypass = {"bypass_list_management": {"enable": True}}
    for _ in range(2):
        post(make_mail("bounce+a@example.org", mail_settings=bypass))
        settle(sandbox, until)
    assert receiver.of("bounce+a") == ["bounce", "bounce", "processed", "processed"]


def test_lists_are_read_in_pages_and_cleared(sandbox: Sandbox, api: Any, post: Any, make_mail: Any, until: Any) -> None:
    post(make_mail(*(f"bounce+{n}@example.org" for n in range(5))))
    settle(sandbox, until)
    first = orjson.loads(api.bounces.get(query_params={"limit": 3}).body)
    rest = orjson.loads(api.bounces.get(query_params={"limit": 3, "offset": 3}).body)
    assert sorted(entry["email"] for entry in first + rest) == [f"bounce+{n}@example.org" for n in range(5)]
    (one,) = orjson.loads(api.bounces._("bounce+0@example.org").get().body)
    assert (one["status"], one["reason"][:9]) == ("5.1.1", "550 5.1.1")
    assert api.bounces._("bounce+0@example.org").delete().status_code == 204
    api.bounces.delete(request_body={"emails": ["BOUNCE+1@example.org"]})
    assert len(orjson.loads(api.bounces.get().body)) == 3
    api.bounces.delete(request_body={"delete_all": True})
    assert orjson.loads(api.bounces.get().body) == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "bounces?limit=501", 400),
        ("GET", "bounces?offset=x", 400),
        ("DELETE", "bounces", 400),
        ("DELETE", "bounces/nobody@example.org", 404),
        ("GET", "nonsense", 404),
    ],
)
def test_wrong_questions_about_lists(sandbox: Sandbox, http: Any, method: str, path: str, status: int) -> None:
    headers = {"Authorization": "Bearer SG.test"}
    assert http.request(method, f"{sandbox.url}/v3/suppression/{path}", headers=headers).status == status


def test_lists_need_the_key(sandbox: Sandbox, http: Any) -> None:
    assert http.request("GET", f"{sandbox.url}/v3/suppression/bounces").status == 401
