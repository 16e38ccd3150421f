"""The vendor's published OpenAPI agrees with what the sandbox takes and gives.

The files are not part of the project: where they are not beside it, these tests are skipped.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sandbox.server import Sandbox

SCHEMAS = Path(__file__).parents[3] / "shared" / "reference" / "sendgrid-openapi"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SCHEMAS.is_dir(), reason="the vendor's schemas are not at hand"),
]


def document(name: str) -> dict[str, Any]:
    """An OpenAPI file with `nullable` said in JSON Schema's words."""
    return _nullable(json.loads((SCHEMAS / name).read_text()))


def _nullable(value: Any) -> Any:
    if isinstance(value, list):
        return [_nullable(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {name: _nullable(item) for name, item in value.items()}
    if result.pop("nullable", False) and "type" in result:
        result["type"] = [result["type"], "null"]
    return result


def check(name: str, path: tuple[str, ...], value: Any) -> None:
    whole = document(name)
    schema: Any = whole
    for step in path:
        schema = schema[step]
    jsonschema.validate(value, {**schema, "components": whole["components"]})


def check_errors(answer: Any) -> None:
    errors = answer.json()
    for entry in errors["errors"]:
        # The live API answers null where the schema promises an object or nothing.
        assert entry.pop("help", None) is None
    check("tsg_mail_v3.json", ("components", "schemas", "ErrorResponse"), errors)


REQUEST = ("components", "requestBodies", "PostMailSend", "content", "application/json", "schema")


def test_what_is_accepted_is_what_the_vendor_describes(post: Any, make_mail: Any) -> None:
    mail = make_mail("a@example.org", "b@example.org", reply_to={"email": "desk@example.org"}, send_at=1)
    # The schema says a string for the message's custom_args, the documentation and the API an object.
    check("tsg_mail_v3.json", REQUEST, {name: value for name, value in mail.items() if name != "custom_args"})
    assert post(mail).status == 202


def test_what_the_vendor_refuses_is_refused(post: Any, make_mail: Any) -> None:
    refused = [
        make_mail(*(f"r{n}@example.org" for n in range(1001))),
        make_mail(subject="", custom_args=None),
        make_mail(categories=["a", "a"], custom_args=None),
        make_mail(ip_pool_name="x", custom_args=None),
    ]
    for mail in refused:
        mail.pop("custom_args", None)
        with pytest.raises(jsonschema.ValidationError):
            check("tsg_mail_v3.json", REQUEST, mail)
        answer = post(mail)
        assert answer.status == 400
        check_errors(answer)


def test_errors_have_the_vendors_form(sandbox: Sandbox, post: Any, make_mail: Any) -> None:
    check_errors(post(make_mail(), Authorization=""))
    for fault in ({"kind": "error"}, {"kind": "rate-limit"}, {"kind": "credits-exceeded"}):
        sandbox.faults.add([fault])
        check_errors(post(make_mail()))
        sandbox.faults.remove()


@pytest.mark.parametrize("kind", ["bounces", "blocks", "spam_reports", "invalid_emails", "unsubscribes"])
def test_suppression_lists_have_the_vendors_form(sandbox: Sandbox, http: Any, kind: str) -> None:
    state = sandbox._state
    with state.ledger.writing() as connection:
        state.suppressions.add(connection, kind, "reader@example.org", reason="why", status="5.1.1")
    headers = {"Authorization": "Bearer SG.test"}
    found = http.request("GET", f"{sandbox.url}/v3/suppression/{kind}", headers=headers).json()
    assert [entry["email"] for entry in found] == ["reader@example.org"]
    path = ("paths", f"/v3/suppression/{kind}", "get", "responses", "200", "content", "application/json", "schema")
    check("tsg_suppressions_v3.json", path, found)


def test_the_public_key_has_the_vendors_form(sandbox: Sandbox, http: Any) -> None:
    path = "/v3/user/webhooks/event/settings/signed"
    headers = {"Authorization": "Bearer SG.test"}
    found = http.request("GET", sandbox.url + path, headers=headers).json()
    assert found["public_key"] == sandbox.public_key
    place = ("paths", path + "/{id}", "get", "responses", "200", "content", "application/json", "schema")
    check("tsg_webhooks_v3.json", place, found)
