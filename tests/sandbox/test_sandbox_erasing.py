"""SendGrid's recipients' data erasure: an address is forgotten, what was accepted still counts."""

import zlib
from pathlib import Path
from typing import Any

import pytest
import sendgrid

from sandbox.options import SandboxOptions
from sandbox.server import Sandbox
from tests.waiting import LONG

pytestmark = pytest.mark.integration


@pytest.fixture
def erase(sandbox: Sandbox) -> Any:
    made = sendgrid.SendGridAPIClient("SG.test", host=sandbox.url)
    made.client.timeout = LONG
    return lambda body: made.client.recipients.erasejob.post(request_body=body)


def test_an_address_is_in_no_file_any_more(
    sandbox: Sandbox, erase: Any, post: Any, receiver: Any, make_mail: Any, until: Any, options: SandboxOptions
) -> None:
    post(make_mail("bounce+Ada@example.org", "bob@example.org"))
    until(lambda: sandbox.events()["quiet"])
    outbox = Path(options.home) / "outbox" / "new"
    until(lambda: len(list(outbox.iterdir())) == 2)

    answer = erase({"email_addresses": ["bounce+ada@Example.org"]})

    assert answer.status_code == 202
    assert b"job_id" in answer.body
    assert sandbox.ledger.accepted() == 2
    assert [message.recipient.address for message in sandbox.ledger.messages(contains="bob")] == ["bob@example.org"]
    assert not sandbox.ledger.messages(contains="ada")
    kept = b"".join(file.read_bytes().lower() for file in Path(options.home).rglob("*") if file.is_file())
    assert b"ada@example.org" not in kept
    bodies = [zlib.decompress(body) for (body,) in sandbox.ledger.rows("SELECT body FROM request")]
    assert b"ada@example.org" not in b"".join(bodies).lower()
    assert b"bob@example.org" in b"".join(bodies)


@pytest.mark.parametrize(
    "body", [{}, {"email_addresses": []}, {"email_addresses": ["nobody"]}, {"email_addresses": "a@b"}]
)
def test_what_names_no_address_is_refused(erase: Any, body: Any) -> None:
    with pytest.raises(Exception, match="400"):
        erase(body)
