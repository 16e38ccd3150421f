"""The ledger, messages and their looks."""

import email
import email.policy
import json
import mailbox
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.options import SandboxOptions
from sandbox.server import Sandbox
from tests.sandbox.conftest import cpu_seconds

pytestmark = pytest.mark.integration


def get(sandbox: Sandbox, http: Any, path: str) -> Any:
    answer = http.request("GET", f"{sandbox.url}{path}")
    assert answer.status == 200
    return answer.json() if answer.headers["Content-Type"] == "application/json" else answer.data


def test_the_ledger_counts_by_category(sandbox: Sandbox, post: Any, http: Any, make_mail: Any) -> None:
    for mail in (
        make_mail("a@example.org", "b@example.org"),
        make_mail("B@example.org", custom_args={"nd_attempt": "attempt-2"}),
        make_mail("a@example.org", categories=["send-2", "weekly"]),
        make_mail("a@example.org", categories=None),
    ):
        assert post(mail).status == 202
    counts = {"requests": 2, "accepted": 3, "distinct": 2, "duplicates": 1}
    assert get(sandbox, http, "/sandbox/ledger?category=send-1") == counts
    assert get(sandbox, http, "/sandbox/ledger?category=weekly")["accepted"] == 1
    assert get(sandbox, http, "/sandbox/ledger?category=none")["accepted"] == 0
    assert get(sandbox, http, "/sandbox/ledger") == {"requests": 4, "accepted": 5, "distinct": 4, "duplicates": 1}
    assert get(sandbox, http, "/sandbox/duplicates?category=send-1") == [
        {"category": "send-1", "address": "b@example.org", "accepted": 2, "attempts": ["attempt-1", "attempt-2"]}
    ]


def test_a_category_is_told_message_by_message_with_its_deliveries(
    sandbox: Sandbox, post: Any, http: Any, make_mail: Any, until: Any
) -> None:
    before = time.time()
    assert post(make_mail("a@example.org", "bounce+b@example.org")).status == 202
    assert post(make_mail("defer+c@example.org", custom_args={"nd_attempt": "attempt-2"})).status == 202
    assert post(make_mail("d@example.org", categories=["send-2"])).status == 202
    until(lambda: get(sandbox, http, "/sandbox/events")["quiet"])

    told = get(sandbox, http, "/sandbox/accepted?category=send-1")

    assert [(one["address"], one["attempt"]) for one in told["messages"]] == [
        ("a@example.org", "attempt-1"),
        ("bounce+b@example.org", "attempt-1"),
        ("defer+c@example.org", "attempt-2"),
    ]
    assert all(before <= one["accepted_at"] <= time.time() for one in told["messages"])
    # Who bounced was not delivered to; who was deferred was, in the end.
    assert told["delivered"] == 2
    assert get(sandbox, http, "/sandbox/accepted?category=none") == {"messages": [], "delivered": 0}
    assert http.request("GET", f"{sandbox.url}/sandbox/accepted").status == 400


def test_the_ledger_keeps_what_the_client_never_heard_of(sandbox: Sandbox, post: Any, make_mail: Any) -> None:
    sandbox.faults.add([{"kind": "accept-then-close", "times": 1}])
    with pytest.raises(Exception, match="Connection aborted"):
        post(make_mail())
    assert post(make_mail()).status == 202
    counts = sandbox.ledger.counts("send-1")
    assert counts == {"requests": 2, "accepted": 2, "distinct": 1, "duplicates": 1}


def test_messages_are_found_by_address_delivery_and_category(
    sandbox: Sandbox, post: Any, http: Any, make_mail: Any
) -> None:
    answer = post(make_mail("a@example.org", "B@example.org"))
    (found,) = get(sandbox, http, "/sandbox/messages?address=b%40example.org")
    assert found["delivery"] == "1.1"
    assert found["attempt"] == "attempt-1"
    assert found["subject"] == "Hello Reader 1"
    assert found["message_id"] == answer.headers["X-Message-Id"]
    assert found["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [each["address"] for each in get(sandbox, http, "/sandbox/messages?delivery=1.0")] == ["a@example.org"]
    assert len(get(sandbox, http, "/sandbox/messages?category=send-1&limit=1")) == 1
    assert get(sandbox, http, "/sandbox/messages?category=send-9") == []


def test_a_message_is_what_a_mail_client_reads(sandbox: Sandbox, post: Any, http: Any, make_mail: Any) -> None:
    mail = make_mail(
        subject="Grüße an -name-" + ", eine lange Betreffzeile" * 4,
        headers={"List-Unsubscribe": "<https://example.org/all>", "List-Id": "Weekly <weekly.example.org>"},
        reply_to={"email": "desk@example.org", "name": "Der Tisch – Büro"},
        attachments=[{"content": "aGVsbG8=", "filename": "note.txt", "type": "text/plain"}],
    )
    mail["content"][0]["value"] = "Zeile -name- " + "lang é " * 40 + "\nend"
    assert post(mail).status == 202
    raw = get(sandbox, http, f"/sandbox/messages/{get(sandbox, http, '/sandbox/messages')[0]['id']}")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    unsubscribe = [line for line in raw.split(b"\r\n") if line.startswith(b"List-Unsubscribe:")]
    assert unsubscribe == [f"List-Unsubscribe: <https://example.org/u/{'t' * 80}0>, <mailto:out@example.org>".encode()]
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert not message.defects
    assert message["Subject"] == "Grüße an Reader 0" + ", eine lange Betreffzeile" * 4
    assert message["To"] == "A Reader <reader@example.org>"
    assert message["Reply-To"] == "Der Tisch – Büro <desk@example.org>"
    assert message["List-Id"] == "Weekly <weekly.example.org>"
    body, attachment = message.iter_parts()
    assert attachment.get_content() == "hello"
    plain, markup = body.iter_parts()
    assert (body.get_content_type(), plain.get_content_charset()) == ("multipart/alternative", "utf-8")
    assert plain["Content-Transfer-Encoding"] == "quoted-printable"
    assert plain.get_content().replace("\r\n", "\n") == "Zeile Reader 0 " + "lang é " * 40 + "\nend\n"
    assert markup.get_content().rstrip() == '<p>Dear Reader 0, <a href="https://example.org/story-0">read</a></p>'


def test_the_newest_messages_are_in_a_maildir(
    options: SandboxOptions, sandbox: Sandbox, post: Any, make_mail: Any, until: Any
) -> None:
    folder: Path = options.home / "outbox"
    assert post(make_mail(*(f"r{n}@example.org" for n in range(15)))).status == 202
    until(lambda: len(list((folder / "new").iterdir())) == 10)
    assert post(make_mail("last@example.org")).status == 202
    until(lambda: any("M16." in path.name for path in (folder / "new").iterdir()))
    until(lambda: len(list((folder / "new").iterdir())) == 10)
    box = mailbox.Maildir(folder, create=False)
    assert min(message["To"] for message in box) == "A Reader <last@example.org>"


def test_the_page_lists_and_finds_what_was_sent(sandbox: Sandbox, post: Any, http: Any, make_mail: Any) -> None:
    assert b"Nothing has been sent yet" in get(sandbox, http, "/")
    post(make_mail(*(f"r{n}@example.org" for n in range(60)), subject="<b>Hello</b> -name-"))
    page = get(sandbox, http, "/").decode()
    assert page.count("<li>") == 50
    assert "&lt;b&gt;Hello&lt;/b&gt; Reader 59" in page
    assert "<b>" not in page
    older = page.split('href="/?')[1].split('"')[0].replace("&amp;", "&")
    assert get(sandbox, http, f"/?{older}").decode().count("<li>") == 10
    assert get(sandbox, http, "/?q=R7%40").decode().count("<li>") == 1
    assert b"No message to such an address" in get(sandbox, http, "/?q=%3Cx%3E")


def test_a_message_is_shown_without_letting_it_run_anything(
    sandbox: Sandbox, post: Any, http: Any, make_mail: Any
) -> None:
    mail = make_mail()
    mail["content"][1]["value"] = "<html><head></head><body><script>alert(1)</script>Hi</body></html>"
    post(mail)
    view = http.request("GET", f"{sandbox.url}/sandbox/view/1")
    assert "default-src 'none'" in view.headers["Content-Security-Policy"]
    assert b"<script>" not in view.data
    frame = http.request("GET", f"{sandbox.url}/sandbox/messages/1/html")
    policy = frame.headers["Content-Security-Policy"]
    assert "allow-scripts" not in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert b'<base target="_blank">' in frame.data
    assert http.request("GET", f"{sandbox.url}/sandbox/style.css").headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sandbox/messages/99", 404),
        ("/sandbox/view/99999999999999999999", 404),
        ("/sandbox/messages?limit=many", 400),
        ("/?before=-1", 400),
        ("/sandbox/nothing", 404),
    ],
)
def test_wrong_questions_are_answered(sandbox: Sandbox, http: Any, path: str, status: int) -> None:
    assert http.request("GET", sandbox.url + path).status == status


def test_a_request_of_a_thousand_is_accepted_in_milliseconds(sandbox: Sandbox, post: Any, make_mail: Any) -> None:
    """Milliseconds on any machine: as many times what Python's own JSON takes for it."""
    sandbox.change_webhooks(withhold=True)
    mail = make_mail(*(f"r{n}@example.org" for n in range(1000)))

    def accept() -> None:
        assert post(mail).status == 202

    took, unit = cpu_seconds(accept), cpu_seconds(lambda: json.loads(json.dumps(mail)))
    assert took < 30 * unit, f"{took:.4f} s, {took / unit:.1f} times"
