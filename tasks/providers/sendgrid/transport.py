"""SendGrid's v3 mail/send through the official package, on a pooled connection with a deadline.

What the API promises and what not is in SendGrid's mail/send reference; there is no idempotency key, so whatever
happens after the first byte of the body without a clear refusal is `Unknown`.
"""

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
import python_http_client
import sendgrid
import urllib3

from composer.list_unsubscribe import list_unsubscribe
from tasks.http.deadline import BodyBegunError, pool_manager
from tasks.messages import Message, Recipient
from tasks.providers.base import Accepted, Outcome, Reason, Refused, Unknown

# At DEBUG the package prints the API key.
logging.getLogger("python_http_client").setLevel(logging.INFO)

_RETRY_AFTER_LIMIT = 3600.0
#: Seconds for a request that only asks something.
QUESTION_DEADLINE = 10.0
#: Fields that hold a reader's own address and name. All others (headers, from, custom_args) are ours: no reader's fault.
_AT_FAULT = re.compile(r"^personalizations\.(\d{1,9})\.(?:to|cc|bcc)(?:\.|$)")
#: SendGrid refuses names with these two, and a line break could start a header.
_UNFIT_FOR_A_NAME = re.compile(r"[;,\x00-\x1f\x7f]+")
_REFUSALS = {
    400: Reason.BAD_REQUEST,
    401: Reason.NOT_ALLOWED,
    403: Reason.NOT_ALLOWED,
    404: Reason.NOT_ACCEPTABLE,
    405: Reason.NOT_ACCEPTABLE,
    413: Reason.NOT_ACCEPTABLE,
    415: Reason.NOT_ACCEPTABLE,
    429: Reason.TOO_MANY,
}


class _PooledClient(python_http_client.Client):
    """The official client on our connection pool; it neither retries nor follows redirects, and never raises on status.

    Its own `post` encodes what is encoded already, and makes an opener and a request object of urllib for each call.
    """

    def __init__(self, *args: Any, pool: urllib3.PoolManager, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pool = pool

    def _build_client(self, name: str | None = None) -> "_PooledClient":
        return _PooledClient(
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            append_slash=self.append_slash,
            timeout=self.timeout,
            pool=self._pool,
        )

    def get(self, query_params: Mapping[str, object] | None = None) -> urllib3.BaseHTTPResponse:
        """GET the address this client stands for."""
        url, headers = self._build_url(query_params), self.request_headers
        return self._pool.request("GET", url, headers=headers, retries=False, redirect=False)

    def post(self, request_body: bytes) -> urllib3.BaseHTTPResponse:
        """POST JSON that is ready to the address this client stands for."""
        url, headers = self._build_url(None), self.request_headers
        return self._pool.request("POST", url, body=request_body, headers=headers, retries=False, redirect=False)


class SendGridTransport:
    """One per process. `host` is SendGrid's own or any server that speaks its API."""

    reports = True

    def __init__(
        self,
        *,
        api_key: str,
        host: str,
        deadline: float = 60.0,
        connections: int = 16,
        question_deadline: float = QUESTION_DEADLINE,
    ) -> None:
        fingerprint = hashlib.sha256(f"{host}\0{api_key}".encode()).hexdigest()[:16]
        self.name = f"sendgrid:{fingerprint}"
        #: The official client, for what besides mail is asked of SendGrid.
        self.api = sendgrid.SendGridAPIClient(api_key, host=host)
        headers = {**self.api.client.request_headers, "Content-Type": "application/json; charset=utf-8"}
        self.api.client = _PooledClient(
            host=host, version=3, request_headers=headers, pool=pool_manager(deadline=deadline, connections=connections)
        )
        self._send = self.api.client.mail.send
        #: The same, for questions whose answer nothing waits for: they end sooner.
        self.questions = _PooledClient(
            host=host, version=3, request_headers=headers, pool=pool_manager(deadline=question_deadline, connections=1)
        )

    def encode(self, message: Message, recipients: Sequence[Recipient], *, attempt: UUID) -> bytes:
        return orjson.dumps(request_body(message, recipients, attempt=attempt))

    def post(self, body: bytes) -> Outcome:
        try:
            answer = self._send.post(body)
        except BodyBegunError as doubt:
            return Unknown(message=str(doubt))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Refused(reason=Reason.NOT_SENT, message=f"{type(error).__name__}: {error}"[:300])
        except Exception as error:  # noqa: BLE001 - whatever it was, the request may be out
            return Unknown(message=f"{type(error).__name__}: {error}"[:300])
        return classify(answer.status, answer.headers, answer.data)


def request_body(message: Message, recipients: Sequence[Recipient], *, attempt: UUID) -> dict[str, Any]:
    """The JSON of one mail/send request; personalizations stand in the recipients' order."""
    body: dict[str, Any] = {
        "from": _address(message.from_email, message.from_name),
        "subject": message.subject,
        "content": [{"type": "text/plain", "value": message.text}, {"type": "text/html", "value": message.html}],
        "headers": dict(message.headers),
        "categories": list(message.categories),
        "custom_args": {"nd_attempt": str(attempt)}
        | ({"nd_installation": message.installation} if message.installation else {}),
        "personalizations": [_personalization(recipient) for recipient in recipients],
        # Without these SendGrid adds links and a List-Unsubscribe header of its own.
        "tracking_settings": {
            "click_tracking": {"enable": message.tracking, "enable_text": False},
            "open_tracking": {"enable": message.tracking},
            "subscription_tracking": {"enable": False},
        },
    }
    if message.reply_to:
        body["reply_to"] = {"email": message.reply_to}
    return body


def _personalization(recipient: Recipient) -> dict[str, Any]:
    email, name, delivery, substitutions, unsubscribe_url = recipient
    item: dict[str, Any] = {"to": [_address(email, name)]}
    if substitutions:
        item["substitutions"] = substitutions
    if delivery:
        item["custom_args"] = {"nd_delivery": delivery}
    if unsubscribe_url:
        # RFC 8058: the literal URL in each message, never a substitution tag.
        item["headers"] = list_unsubscribe(unsubscribe_url)
    return item


def _address(email: str, name: str) -> dict[str, str]:
    if not name.isprintable() or ";" in name or "," in name:
        name = _UNFIT_FOR_A_NAME.sub(" ", name)
    name = name.strip()
    return {"email": email, "name": name} if name else {"email": email}


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """What an answer means for the request. Only 202 is acceptance: 200 is sandbox mode, a redirect is nobody's yes."""
    if status == 202:
        return Accepted(http_status=status, provider_id=str(headers.get("X-Message-Id") or ""))
    reason = _REFUSALS.get(status)
    if reason is None:
        return Unknown(message=f"HTTP {status}: {body[:200].decode(errors='replace')}", http_status=status)
    errors = _errors(body)
    at_fault: dict[int, str] = {}
    for words, path in errors:
        named = _AT_FAULT.match(path)
        if status == 400 and named:
            at_fault.setdefault(int(named.group(1)), words)
    details = "; ".join(f"{path}: {words}" if path else words for words, path in errors[:3])
    return Refused(
        reason=reason,
        message=f"HTTP {status}: {details or body[:200].decode(errors='replace')}"[:400],
        http_status=status,
        retry_after=_retry_after(headers) if reason is Reason.TOO_MANY else None,
        recipients_at_fault=at_fault,
    )


def _errors(body: bytes) -> list[tuple[str, str]]:
    """(message, field) pairs of SendGrid's error JSON; empty when the body is not that."""
    try:
        listed = orjson.loads(body)["errors"]
        return [(str(item.get("message") or ""), str(item.get("field") or "")) for item in listed]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return []


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from Retry-After; None when it is absent, zero or not a number (RFC 9110 §10.2.3 also allows dates).

    "At once" is no answer to "too many": it would be asked again and again without a pause.
    """
    value = str(headers.get("Retry-After") or "").strip()
    return (min(float(value), _RETRY_AFTER_LIMIT) or None) if value.isdecimal() else None
