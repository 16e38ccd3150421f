"""What POST /v3/mail/send refuses: every limit of the published API, all problems in one answer."""

import binascii
from collections.abc import Callable
from typing import Any

from sandbox import rules
from sandbox.recipients import PersonalizationCheck
from sandbox.rules import Problem, Problems

MAX_REQUEST_BYTES = 30 * 1024 * 1024

_SWITCHES = {
    "mail_settings": frozenset(
        [
            "sandbox_mode",
            "footer",
            "bypass_list_management",
            "bypass_spam_management",
            "bypass_bounce_management",
            "bypass_unsubscribe_management",
            "bcc",
            "spam_check",
        ]
    ),
    "tracking_settings": frozenset(["click_tracking", "open_tracking", "subscription_tracking", "ganalytics"]),
}


def check(mail: Any, *, now: float) -> Problems:
    """Every reason to refuse `mail`, a decoded request; empty when it is good. `now` is in unix seconds."""
    if not isinstance(mail, dict):
        return [Problem(message="Bad Request")]
    problems: Problems = []
    rules.unknown_keys(mail, _KNOWN, "", problems)
    PersonalizationCheck(mail, now=now, problems=problems).check(mail.get("personalizations"))
    if "from" not in mail:
        message = (
            "The from object must be provided for every email send. It is an object that requires the email parameter."
        )
        problems.append(Problem(message=message, field="from.email"))
    _check_subject(mail, problems)
    _check_content(mail, problems)
    if "reply_to" in mail and "reply_to_list" in mail:
        message = "The reply_to and reply_to_list parameters exclude each other."
        problems.append(Problem(message=message, field="reply_to"))
    if "send_at" in mail:
        rules.check_send_at(mail["send_at"], "send_at", now, problems)
    for name, checker in _CHECKS.items():
        if name in mail:
            checker(mail[name], name, problems)
    return problems


def _check_subject(mail: dict[str, Any], problems: Problems) -> None:
    subject = mail.get("subject")
    if "subject" in mail and (not isinstance(subject, str) or not subject):
        message = "The subject must be a string of at least one character."
        problems.append(Problem(message=message, field="subject"))
    elif subject is None and "template_id" not in mail:
        items = mail.get("personalizations")
        items = items if isinstance(items, list) else []
        if not all(isinstance(item, dict) and item.get("subject") for item in items):
            message = (
                "The subject is required. You can get around this requirement if you use a template with a subject "
                "defined or if every personalization has a subject defined."
            )
            problems.append(Problem(message=message, field="subject"))


def _check_content(mail: dict[str, Any], problems: Problems) -> None:
    parts = mail.get("content")
    if not parts or not isinstance(parts, list):
        if "template_id" not in mail or "content" in mail:
            message = (
                "Unless a valid template_id is provided, the content parameter is required. There must be at least one "
                "defined content block."
            )
            problems.append(Problem(message=message, field="content"))
        return
    kinds = [_check_part(part, f"content.{index}", problems) for index, part in enumerate(parts)]
    ranks = [("text/plain", "text/html").index(kind) if kind in ("text/plain", "text/html") else 2 for kind in kinds]
    if ranks != sorted(ranks):
        message = "The text/plain content must come first, followed by text/html, followed by any other content."
        problems.append(Problem(message=message, field="content"))
    if ranks.count(0) > 1 or ranks.count(1) > 1:
        message = "If present, text/plain and text/html may only be provided once."
        problems.append(Problem(message=message, field="content"))


def _check_part(part: Any, path: str, problems: Problems) -> str:
    if not isinstance(part, dict):
        problems.append(Problem(message="A content block must be an object.", field=path))
        return ""
    kind, value = part.get("type"), part.get("value")
    if not isinstance(kind, str) or not kind or any(mark in kind for mark in ";\r\n"):
        message = "The content type must be a string of at least one character, without ';' and CRLF."
        problems.append(Problem(message=message, field=f"{path}.type"))
    if not isinstance(value, str) or not value:
        message = "The content value must be a string at least one character in length."
        problems.append(Problem(message=message, field=f"{path}.value"))
    return kind.lower() if isinstance(kind, str) else ""


def _check_person(value: Any, path: str, problems: Problems) -> None:
    rules.check_person(value, path, problems)


def _check_reply_to_list(value: Any, path: str, problems: Problems) -> None:
    if not isinstance(value, list) or not 1 <= len(value) <= rules.MAX_REPLY_TO:
        message = f"The reply_to_list must hold 1 to {rules.MAX_REPLY_TO} addresses."
        problems.append(Problem(message=message, field=path))
        return
    addresses = [rules.check_person(person, f"{path}.{index}", problems) for index, person in enumerate(value)]
    good = [address for address in addresses if address]
    if len(set(good)) < len(good):
        problems.append(Problem(message="The addresses of reply_to_list must be unique.", field=path))


def _check_attachments(value: Any, path: str, problems: Problems) -> None:
    if not isinstance(value, list):
        problems.append(Problem(message="The attachments must be an array.", field=path))
        return
    for index, item in enumerate(value):
        where = f"{path}.{index}"
        if not isinstance(item, dict):
            problems.append(Problem(message="An attachment must be an object.", field=where))
            continue
        if not _is_base64(item.get("content")):
            message = "The attachment content must be base64 encoded."
            problems.append(Problem(message=message, field=f"{where}.content"))
        if not isinstance(item.get("filename"), str) or not item["filename"]:
            problems.append(Problem(message="The attachment filename is required.", field=f"{where}.filename"))
        if not all(isinstance(item.get(name, ""), str) for name in ("type", "content_id")):
            problems.append(Problem(message="The attachment type and content_id must be strings.", field=where))
        if item.get("disposition", "attachment") not in ("inline", "attachment"):
            message = "The attachment disposition must be inline or attachment."
            problems.append(Problem(message=message, field=f"{where}.disposition"))


def _is_base64(value: Any) -> bool:
    if not isinstance(value, str) or not value:
        return False
    try:
        binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        return False
    return True


def _check_categories(value: Any, path: str, problems: Problems) -> None:
    if not isinstance(value, list):
        problems.append(Problem(message="The categories must be an array.", field=path))
        return
    if len(value) > rules.MAX_CATEGORIES:
        message = f"There may not be more than {rules.MAX_CATEGORIES} categories."
        problems.append(Problem(message=message, field=path))
    for index, name in enumerate(value):
        if not isinstance(name, str) or not name or not name.isascii() or len(name) > rules.MAX_CATEGORY_LENGTH:
            message = f"A category must be ASCII text of 1 to {rules.MAX_CATEGORY_LENGTH} characters."
            problems.append(Problem(message=message, field=f"{path}.{index}"))
        elif name in value[:index]:
            problems.append(Problem(message="The categories must be unique.", field=f"{path}.{index}"))


def _check_custom_args(value: Any, path: str, problems: Problems) -> None:
    rules.check_strings(value, path, "custom_args", problems, filled=True)


def _check_text(value: Any, path: str, problems: Problems) -> None:
    if not isinstance(value, str) or not value:
        problems.append(Problem(message=f"The {path} must be a non-empty string.", field=path))


def _check_asm(value: Any, path: str, problems: Problems) -> None:
    if not isinstance(value, dict) or type(value.get("group_id")) is not int:
        problems.append(Problem(message="The asm group_id must be an integer.", field=f"{path}.group_id"))
        return
    groups = value.get("groups_to_display", [])
    if (
        not isinstance(groups, list)
        or len(groups) > rules.MAX_GROUPS_TO_DISPLAY
        or any(type(group) is not int for group in groups)
    ):
        message = f"The groups_to_display must be at most {rules.MAX_GROUPS_TO_DISPLAY} integers."
        problems.append(Problem(message=message, field=f"{path}.groups_to_display"))


def _check_pool(value: Any, path: str, problems: Problems) -> None:
    if not isinstance(value, str) or not 2 <= len(value) <= 64:
        problems.append(Problem(message="The ip_pool_name must have 2 to 64 characters.", field=path))


def _check_switches(value: Any, path: str, problems: Problems) -> None:
    if not isinstance(value, dict):
        problems.append(Problem(message=f"The {path} must be an object.", field=path))
        return
    rules.unknown_keys(value, _SWITCHES[path], path, problems)
    for name, setting in value.items():
        if not isinstance(setting, dict) or not isinstance(setting.get("enable", False), bool):
            message = f"The {name} setting must be an object whose enable is true or false."
            problems.append(Problem(message=message, field=f"{path}.{name}.enable"))


_CHECKS: dict[str, Callable[[Any, str, Problems], None]] = {
    "from": _check_person,
    "reply_to": _check_person,
    "reply_to_list": _check_reply_to_list,
    "attachments": _check_attachments,
    "headers": rules.check_headers,
    "categories": _check_categories,
    "custom_args": _check_custom_args,
    "batch_id": _check_text,
    "template_id": _check_text,
    "asm": _check_asm,
    "ip_pool_name": _check_pool,
    "mail_settings": _check_switches,
    "tracking_settings": _check_switches,
}
_KNOWN = frozenset({"personalizations", "subject", "content", "send_at", *_CHECKS})
