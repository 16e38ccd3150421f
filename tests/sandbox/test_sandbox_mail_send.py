"""POST /v3/mail/send as a client sees it, the official one included."""

import gzip
from dataclasses import replace
from typing import Any

import orjson
import pytest
import sendgrid
from python_http_client.exceptions import BadRequestsError, ForbiddenError, UnauthorizedError
from sendgrid.helpers.mail import Content, Mail

from sandbox.options import SandboxOptions
from sandbox.server import Sandbox, running
from tests.waiting import LONG


def client(sandbox: Sandbox, key: str = "SG.test") -> Any:
    made = sendgrid.SendGridAPIClient(key, host=sandbox.url)
    made.client.timeout = LONG
    return made


def test_the_official_client_is_answered_with_202_and_an_id(sandbox: Sandbox) -> None:
    mail = Mail(
        from_email="news@example.org",
        to_emails=[("a@example.org", "A"), ("b@example.org", "B")],
        subject="Hello",
        plain_text_content=Content("text/plain", "Hi"),
        html_content=Content("text/html", "<p>Hi</p>"),
        is_multiple=True,
    )
    answers = [client(sandbox).send(mail) for _ in range(2)]
    assert [(answer.status_code, answer.body) for answer in answers] == [(202, b""), (202, b"")]
    assert len({answer.headers["X-Message-Id"] for answer in answers}) == 2
    assert sandbox.ledger.counts() == {"requests": 2, "accepted": 4, "distinct": 2, "duplicates": 2}


def test_the_official_client_sees_the_fields_of_a_400(sandbox: Sandbox, make_mail: Any) -> None:
    mail = make_mail("good@example.org", "bad", "invalid+one@example.org")
    with pytest.raises(BadRequestsError) as caught:
        client(sandbox).client.mail.send.post(request_body=mail)
    assert [each["field"] for each in caught.value.to_dict["errors"]] == ["personalizations.1.to.0.email"]
    assert sandbox.ledger.accepted() == 0


def test_invalid_addresses_are_refused_by_name(post: Any, make_mail: Any) -> None:
    answer = post(make_mail("a@example.org", "invalid+1@example.org", "b@example.org", "Invalid+2@example.org"))
    assert answer.status == 400
    fields = [each["field"] for each in answer.json()["errors"]]
    assert fields == ["personalizations.1.to.0.email", "personalizations.3.to.0.email"]


@pytest.mark.parametrize("key", ["SG.wrong", "SG.tes\u00e9"])
def test_a_wrong_key_is_401(sandbox: Sandbox, make_mail: Any, key: str) -> None:
    with pytest.raises(UnauthorizedError):
        client(sandbox, key).client.mail.send.post(request_body=make_mail())


def test_a_missing_key_is_401(post: Any, make_mail: Any) -> None:
    assert post(make_mail(), Authorization="").status == 401
    assert post(make_mail(), Authorization="Basic eDp5").status == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 400), (b'{"from": "\xff"}', 415), (b'{"a": "\\ud800"}', 400)],
)
def test_a_body_that_cannot_be_read(post: Any, body: bytes, status: int) -> None:
    assert post(body).status == status


def test_another_content_type_is_415(post: Any, make_mail: Any) -> None:
    assert post(make_mail(), **{"Content-Type": "text/plain"}).status == 415


def test_a_body_beyond_30_mb_is_413(post: Any, make_mail: Any) -> None:
    mail = make_mail(content=[{"type": "text/plain", "value": "x" * 30 * 1024 * 1024}])
    assert post(mail).status == 413


def test_a_gzipped_body_is_accepted(post: Any, make_mail: Any) -> None:
    assert post(gzip.compress(orjson.dumps(make_mail())), **{"Content-Encoding": "gzip"}).status == 202
    assert post(b"\x1f\x8bnonsense", **{"Content-Encoding": "gzip"}).status == 400


def test_a_chunked_body_is_accepted(sandbox: Sandbox, http: Any, make_mail: Any) -> None:
    body = orjson.dumps(make_mail())
    headers = {"Authorization": "Bearer SG.test", "Content-Type": "application/json"}
    pieces = iter([body[:100], body[100:]])
    answer = http.request("POST", f"{sandbox.url}/v3/mail/send", body=pieces, headers=headers, chunked=True)
    assert answer.status == 202


def test_sandbox_mode_checks_only(sandbox: Sandbox, post: Any, make_mail: Any) -> None:
    answer = post(make_mail(mail_settings={"sandbox_mode": {"enable": True}}))
    assert (answer.status, answer.data) == (200, b"")
    assert post(make_mail(subject="", mail_settings={"sandbox_mode": {"enable": True}})).status == 400
    assert sandbox.ledger.accepted() == 0


def test_an_unverified_sender_is_403(options: SandboxOptions, make_mail: Any) -> None:
    with running(replace(options, verified_senders=("news@example.org", "@example.net"))) as sandbox:
        send = client(sandbox).client.mail.send.post
        assert send(request_body=make_mail()).status_code == 202
        assert send(request_body=make_mail(**{"from": {"email": "any@example.net"}})).status_code == 202
        with pytest.raises(ForbiddenError) as caught:
            send(request_body=make_mail(**{"from": {"email": "other@example.org"}}))
        assert [each["field"] for each in caught.value.to_dict["errors"]] == ["from"]


def test_a_key_without_mail_send_is_403(options: SandboxOptions, make_mail: Any) -> None:
    with running(replace(options, scopes=("suppression.read",))) as sandbox:
        assert orjson.loads(client(sandbox).client.scopes.get().body) == {"scopes": ["suppression.read"]}
        with pytest.raises(ForbiddenError):
            client(sandbox).client.mail.send.post(request_body=make_mail())


def test_credits_run_out_also_across_a_restart(options: SandboxOptions, make_mail: Any) -> None:
    poor = replace(options, credits=3)
    with running(poor) as sandbox:
        assert client(sandbox).client.mail.send.post(request_body=make_mail("a@example.org", "b@example.org"))
    with running(poor) as sandbox:
        send = client(sandbox).client.mail.send.post
        with pytest.raises(UnauthorizedError, match="401") as caught:
            send(request_body=make_mail("c@example.org", "d@example.org"))
        assert caught.value.to_dict["errors"][0]["message"] == "Maximum credits exceeded"
        assert send(request_body=make_mail("c@example.org")).status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v3/mail/send", 405), ("GET", "/v3/nothing", 404), ("POST", "/v3/scopes", 405), ("GET", "/nothing", 404)],
)
def test_other_paths_and_methods(sandbox: Sandbox, http: Any, method: str, path: str, status: int) -> None:
    assert http.request(method, sandbox.url + path).status == status
