"""Personalizations: who gets a message, and the limits on each of them."""

from collections.abc import Iterator
from typing import Any

from sandbox import rules
from sandbox.rules import Problem, Problems

KNOWN = frozenset(
    [
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "headers",
        "substitutions",
        "dynamic_template_data",
        "custom_args",
        "send_at",
    ],
)
_KINDS = ("to", "cc", "bcc")
#: Fields checked for every personalization; any other takes a second look.
_USUAL = frozenset({"to", "headers", "substitutions", "custom_args"})


def people(personalization: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The to, cc and bcc of one valid personalization, in that order."""
    for kind in _KINDS:
        yield from personalization.get(kind) or ()


class PersonalizationCheck:
    """Checks all personalizations of one request; collects problems rather than stopping at the first."""

    def __init__(self, mail: dict[str, Any], *, now: float, problems: Problems) -> None:
        self._problems = problems
        self._now = now
        self._seen: set[str] = set()
        self._recipients = 0
        args = mail.get("custom_args")
        self._shared_args: dict[str, Any] = args if isinstance(args, dict) else {}
        self._shared_args_size = rules.json_size(self._shared_args)

    def check(self, items: Any) -> None:
        if not isinstance(items, list) or not items:
            message = "The personalizations field is required and must have at least one personalization."
            self._problems.append(Problem(message=message, field="personalizations"))
            return
        if len(items) > rules.MAX_PERSONALIZATIONS:
            message = f"The personalizations may not number more than {rules.MAX_PERSONALIZATIONS}."
            self._problems.append(Problem(message=message, field="personalizations"))
            return
        for index, item in enumerate(items):
            self._check_one(item, f"personalizations.{index}")
        if self._recipients > rules.MAX_RECIPIENTS:
            message = f"A request may not have more than {rules.MAX_RECIPIENTS} recipients."
            self._problems.append(Problem(message=message, field="personalizations"))

    def _check_one(self, item: Any, path: str) -> None:
        problems = self._problems
        if type(item) is not dict:
            problems.append(Problem(message="A personalization must be an object.", field=path))
            return
        if not item.keys() <= KNOWN:
            rules.unknown_keys(item, KNOWN, path, problems)
        self._check_people(item, path)
        if "headers" in item:
            rules.check_headers(item["headers"], f"{path}.headers", problems)
        if "substitutions" in item:
            self._check_substitutions(item["substitutions"], f"{path}.substitutions")
        if "custom_args" in item or self._shared_args_size > rules.MAX_CUSTOM_ARGS_BYTES:
            self._check_custom_args(item.get("custom_args", {}), f"{path}.custom_args")
        if not item.keys() <= _USUAL:
            self._check_rarer(item, path)

    def _check_rarer(self, item: dict[str, Any], path: str) -> None:
        problems = self._problems
        if "from" in item:
            rules.check_person(item["from"], f"{path}.from", problems)
        if "subject" in item and (not isinstance(item["subject"], str) or not item["subject"]):
            message = "The subject must be a string of at least one character."
            problems.append(Problem(message=message, field=f"{path}.subject"))
        if "send_at" in item:
            rules.check_send_at(item["send_at"], f"{path}.send_at", self._now, problems)
        if not isinstance(item.get("dynamic_template_data", {}), dict):
            message = "The dynamic_template_data must be an object."
            problems.append(Problem(message=message, field=f"{path}.dynamic_template_data"))

    def _check_people(self, item: dict[str, Any], path: str) -> None:
        problems, seen = self._problems, self._seen
        to = item.get("to")
        if not to or type(to) is not list:
            message = (
                "The to array is required for all personalization objects, and must have at least one email object with "
                "a valid email address."
            )
            problems.append(Problem(message=message, field=f"{path}.to"))
            to = ()
        for kind, listed in (("to", to), ("cc", item.get("cc", ())), ("bcc", item.get("bcc", ()))):
            if type(listed) not in (list, tuple):
                problems.append(Problem(message=f"The {kind} must be an array.", field=f"{path}.{kind}"))
                continue
            self._recipients += len(listed)
            for place, person in enumerate(listed):
                where = f"{path}.{kind}.{place}"
                address = rules.check_person(person, where, problems)
                if address is None:
                    continue
                if address in seen:
                    message = f"Each email address should be unique within a request. We found {address} again."
                    problems.append(Problem(message=message, field=f"{where}.email"))
                seen.add(address)

    def _check_substitutions(self, values: Any, path: str) -> None:
        if not rules.check_strings(values, path, "substitutions", self._problems, filled=False):
            return
        if len(values) > rules.MAX_SUBSTITUTIONS:
            message = f"There may not be more than {rules.MAX_SUBSTITUTIONS} substitutions in a personalization."
            self._problems.append(Problem(message=message, field=path))
        if rules.json_size(values) > rules.MAX_SUBSTITUTION_BYTES:
            message = f"The substitutions of a personalization may not exceed {rules.MAX_SUBSTITUTION_BYTES} bytes."
            self._problems.append(Problem(message=message, field=path))

    def _check_custom_args(self, values: Any, path: str) -> None:
        if not rules.check_strings(values, path, "custom_args", self._problems, filled=True):
            return
        # The sum bounds the merged size from above; most requests need no second look.
        if rules.json_size(values) + self._shared_args_size <= rules.MAX_CUSTOM_ARGS_BYTES:
            return
        if rules.json_size({**self._shared_args, **values}) > rules.MAX_CUSTOM_ARGS_BYTES:
            message = f"The custom arguments may not exceed {rules.MAX_CUSTOM_ARGS_BYTES} bytes per personalization."
            self._problems.append(Problem(message=message, field=path))
