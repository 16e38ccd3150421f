"""Every limit of POST /v3/mail/send, with the field it is reported under."""

import json
from typing import Any

import orjson
import pytest

from sandbox import validation
from tests.sandbox.conftest import cpu_seconds

pytestmark = pytest.mark.integration


def fields(mail: Any) -> list[str | None]:
    return [problem.field for problem in validation.check(mail, now=1_000_000)]


def first(mail: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = mail["personalizations"][0]
    return result


def test_a_usual_request_is_accepted(make_mail: Any) -> None:
    assert fields(make_mail("a@example.org", "b@example.org")) == []


def test_all_optional_fields_are_accepted(make_mail: Any) -> None:
    mail = make_mail(
        reply_to={"email": "desk@example.org"},
        headers={"X-Kind": "weekly"},
        send_at=1_000_000 + 72 * 3600,
        batch_id="b1",
        asm={"group_id": 1, "groups_to_display": [1, 2]},
        ip_pool_name="weekly",
        attachments=[{"content": "aGk=", "filename": "a.txt", "type": "text/plain", "disposition": "inline"}],
        mail_settings={"sandbox_mode": {"enable": False}, "footer": {"enable": False, "text": "x"}},
    )
    first(mail).update(
        {
            "from": {"email": "other@example.org"},
            "cc": [{"email": "c@example.org"}],
            "bcc": [{"email": "d@example.org"}],
            "subject": "Own",
            "send_at": 5,
            "dynamic_template_data": {"a": {"b": 1}},
        }
    )
    assert fields(mail) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from": None}, "from.email"),
        ({"from": {"name": "x"}}, "from.email"),
        ({"from": {"email": "no address"}}, "from.email"),
        ({"from": {"email": "é@example.org"}}, "from.email"),
        ({"from": {"email": "a@example.org", "name": "News; Views"}}, "from.name"),
        ({"from": {"email": "a@example.org", "name": "News, Views"}}, "from.name"),
        ({"from": {"email": "a@example.org", "title": "x"}}, "from.title"),
        ({"from": "a@example.org"}, "from"),
        ({"reply_to": {"email": "a"}}, "reply_to.email"),
        ({"reply_to": {"email": "a@example.org"}, "reply_to_list": [{"email": "b@example.org"}]}, "reply_to"),
        ({"reply_to_list": [{"email": "b@example.org"}, {"email": "B@example.org"}]}, "reply_to_list"),
        ({"reply_to_list": [{"email": f"r{n}@example.org"} for n in range(1001)]}, "reply_to_list"),
        ({"subject": None}, "subject"),
        ({"subject": ""}, "subject"),
        ({"subject": 5}, "subject"),
        ({"content": None}, "content"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        ({"content": [{"type": "text/plain; charset=utf-8", "value": "x"}]}, "content.0.type"),
        ({"content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]}, "content"),
        ({"content": [{"type": "text/calendar", "value": "x"}, {"type": "text/html", "value": "x"}]}, "content"),
        ({"content": [{"type": "text/plain", "value": "x"}, {"type": "text/plain", "value": "x"}]}, "content"),
        ({"attachments": [{"content": "not base64!", "filename": "a"}]}, "attachments.0.content"),
        ({"attachments": [{"content": "aGk="}]}, "attachments.0.filename"),
        ({"attachments": [{"content": "aGk=", "filename": "a", "disposition": "x"}]}, "attachments.0.disposition"),
        ({"headers": {"Reply-To": "x"}}, "headers.Reply-To"),
        ({"categories": [f"c{n}" for n in range(11)]}, "categories"),
        ({"categories": ["a", "a"]}, "categories.1"),
        ({"categories": ["é"]}, "categories.0"),
        ({"categories": ["x" * 256]}, "categories.0"),
        ({"custom_args": {"a": 1}}, "custom_args.a"),
        ({"custom_args": {"a": ""}}, "custom_args.a"),
        ({"send_at": "soon"}, "send_at"),
        ({"send_at": 1_000_000 + 72 * 3600 + 1}, "send_at"),
        ({"batch_id": ""}, "batch_id"),
        ({"asm": {"group_id": "1"}}, "asm.group_id"),
        ({"asm": {"group_id": 1, "groups_to_display": list(range(26))}}, "asm.groups_to_display"),
        ({"ip_pool_name": "x"}, "ip_pool_name"),
        ({"ip_pool_name": "x" * 65}, "ip_pool_name"),
        ({"mail_settings": {"sandbox_mode": {"enable": "yes"}}}, "mail_settings.sandbox_mode.enable"),
        ({"tracking_settings": {"clicks": {"enable": True}}}, "tracking_settings.clicks"),
        ({"tracking": {}}, "tracking"),
        ({"personalizations": None}, "personalizations"),
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": [{"email": f"r{n}@example.org"}]} for n in range(1001)]}, "personalizations"),
        ({"personalizations": [{"to": [{"email": f"r{n}@example.org"} for n in range(1001)]}]}, "personalizations"),
    ],
)
def test_a_wrong_request_names_the_field(make_mail: Any, changes: dict[str, Any], field: str) -> None:
    assert fields(make_mail(**changes)) == [field]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": []}, "to"),
        ({"to": None}, "to"),
        ({"to": [{"email": "a@b"}]}, "to.0.email"),
        ({"to": [{"email": "two@@example.org"}]}, "to.0.email"),
        ({"to": [{"email": "a" * 320 + "@example.org"}]}, "to.0.email"),
        ({"to": [{"email": "b@example.org", "name": "Doe, Jane"}]}, "to.0.name"),
        ({"cc": [{"email": "nobody"}]}, "cc.0.email"),
        ({"cc": [{"email": "READER@example.org"}]}, "cc.0.email"),
        ({"bcc": {}}, "bcc"),
        ({"from": {"email": "x"}}, "from.email"),
        ({"subject": ""}, "subject"),
        ({"headers": {"Content-Transfer-Encoding": "8bit"}}, "headers.Content-Transfer-Encoding"),
        ({"headers": {"x-sg-eid": "8bit"}}, "headers.x-sg-eid"),
        ({"headers": {"X Space": "x"}}, "headers.X Space"),
        ({"headers": {"X-É": "x"}}, "headers.X-É"),
        ({"headers": {"X-Number": 5}}, "headers.X-Number"),
        ({"headers": {"X-Inject": "a\r\nBcc: b@example.org"}}, "headers.X-Inject"),
        ({"headers": {"X-Twice": "a", "x-twice": "b"}}, "headers"),
        ({"substitutions": {"-a-": 5}}, "substitutions.-a-"),
        ({"substitutions": {f"-{n}-": "" for n in range(101)}}, "substitutions"),
        ({"substitutions": {"-a-": "x" * 10_000}}, "substitutions"),
        ({"custom_args": {"a": "x" * 10_000}}, "custom_args"),
        ({"custom_args": {"a": ["x"]}}, "custom_args.a"),
        ({"send_at": 1_000_000 + 72 * 3600 + 1}, "send_at"),
        ({"dynamic_template_data": []}, "dynamic_template_data"),
        ({"categories": ["x"]}, "categories"),
    ],
)
def test_a_wrong_personalization_names_its_index(make_mail: Any, changes: dict[str, Any], field: str) -> None:
    mail = make_mail("other@example.org", "reader@example.org")
    mail["personalizations"][1].update(changes)
    assert fields(mail) == [f"personalizations.1.{field}"]


def test_custom_args_are_measured_after_the_merge(make_mail: Any) -> None:
    mail = make_mail(custom_args={"a": "x" * 6000})
    first(mail)["custom_args"] = {"b": "x" * 6000}
    assert fields(mail) == ["personalizations.0.custom_args"]
    first(mail)["custom_args"] = {"a": "x" * 6000}  # the personalization wins: nothing is added up
    assert fields(mail) == []


def test_a_subject_in_every_personalization_is_enough(make_mail: Any) -> None:
    mail = make_mail(subject=None)
    first(mail)["subject"] = "Own"
    assert fields(mail) == []


def test_an_address_may_be_in_a_request_once(make_mail: Any) -> None:
    assert fields(make_mail("a@example.org", "b@example.org", "A@example.org")) == ["personalizations.2.to.0.email"]


def test_all_problems_are_told_at_once(make_mail: Any) -> None:
    mail = make_mail("good@example.org", "bad", "worse", subject=None, categories=["é"])
    assert fields(mail) == ["personalizations.1.to.0.email", "personalizations.2.to.0.email", "subject", "categories.0"]


@pytest.mark.parametrize("mail", [None, [], "x", 5])
def test_what_is_no_object_is_a_bad_request(mail: Any) -> None:
    assert fields(mail) == [None]


def test_a_thousand_personalizations_are_checked_in_milliseconds(make_mail: Any) -> None:
    mail = orjson.loads(orjson.dumps(make_mail(*(f"reader{n}@example.org" for n in range(1000)))))
    # Milliseconds on any machine: as many times what Python's own JSON takes for it.
    took, unit = cpu_seconds(lambda: fields(mail)), cpu_seconds(lambda: json.loads(json.dumps(mail)))
    assert fields(mail) == []
    assert took < 10 * unit, f"{took:.4f} s, {took / unit:.1f} times"
