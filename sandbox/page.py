"""The page that shows what was sent. No script; the mail itself is shown in a frame that may not run any either."""

import html
import re
import time
from functools import cache
from importlib.resources import files
from urllib.parse import urlencode

from sandbox import lookups, messages
from sandbox.ledger import StoredMessage
from sandbox.state import State
from sandbox.wire import Request, Response

PAGE_SIZE = 50
_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
#: Mail carries its own styles and remote pictures; scripts, forms and plug-ins stay out.
_MAIL_POLICY = (
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; font-src http: https: data:; "
    "media-src http: https:; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_HARDENING = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


def _document(title: str, body: str) -> Response:
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(title)}</title>
<link rel="stylesheet" href="/sandbox/style.css">
</head>
<body>
{body}
</body>
</html>
"""
    headers = {"Content-Security-Policy": _POLICY, **_HARDENING}
    return Response(body=text.encode(), content_type="text/html; charset=utf-8", headers=headers)


def style(_state: State, _request: Request) -> Response:
    return Response(body=_style(), content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=300"})


@cache
def _style() -> bytes:
    return files("sandbox").joinpath("style.css").read_bytes()


def listing(state: State, request: Request) -> Response:
    """The newest messages, or those whose address contains `q`."""
    wanted = request.query.get("q", "").strip()
    before = lookups.number(request, "before", 0) or None
    matches = state.ledger.messages(contains=wanted, before=before, limit=PAGE_SIZE + 1)
    shown = matches[:PAGE_SIZE]
    rows = "\n".join(_row(message) for message in shown)
    older = ""
    if len(matches) > PAGE_SIZE:
        query = urlencode({"q": wanted, "before": shown[-1].id})
        older = f'<p class="more"><a href="/?{html.escape(query)}">Older messages</a></p>'
    nothing = "No message to such an address." if wanted else "Nothing has been sent yet."
    content = f'<ol class="messages">\n{rows}\n</ol>{older}' if rows else f'<p class="empty">{nothing}</p>'
    accepted = state.ledger.accepted()
    body = f"""<header>
<h1><a href="/">Sandbox</a></h1>
<p class="quiet">{accepted:,} {"message" if accepted == 1 else "messages"} accepted. None left this machine.</p>
<form role="search" action="/" method="get">
<label for="q">Address</label>
<input id="q" name="q" type="search" value="{html.escape(wanted)}" placeholder="reader@example.org" autocomplete="off">
<button>Search</button>
</form>
</header>
<main>{content}</main>"""
    return _document("Sandbox: what was sent", body)


def _row(message: StoredMessage) -> str:
    mail = messages.received(message.request.mail, message.recipient.position)
    return f"""<li><a href="/sandbox/view/{message.id}">
<span class="subject">{html.escape(mail.subject) or "(no subject)"}</span>
<span class="to">{html.escape(message.recipient.address)}</span>
{_when(message)}</a></li>"""


def _when(message: StoredMessage) -> str:
    moment = time.gmtime(message.request.accepted_at)
    return (
        f'<time datetime="{time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)}">{time.strftime("%d %b %Y, %H:%M:%S", moment)} UTC'
        "</time>"
    )


def view(state: State, request: Request) -> Response:
    """One message: HTML in a frame, text, source."""
    message = state.ledger.message(lookups.message_number(request))
    mail = messages.received(message.request.mail, message.recipient.position)
    shown = [
        ("From", _person(mail.sender)),
        ("To", message.recipient.address),
        *mail.headers.items(),
        ("Categories", ", ".join(message.request.mail.get("categories") or [])),
    ]
    facts = "\n".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in shown if value)
    text = mail.content("text/plain")
    raw = messages.eml(message).decode("utf-8", "replace")
    frame = (
        f'<iframe title="The message as HTML" src="/sandbox/messages/{message.id}/html" sandbox="{_FRAME}"></iframe>'
    )
    body = f"""<header>
<p class="quiet"><a href="/">All messages</a></p>
<h1>{html.escape(mail.subject) or "(no subject)"}</h1>
<p class="quiet">{_when(message)}</p>
<details><summary>{html.escape(message.recipient.address)}</summary><dl>{facts}</dl></details>
</header>
<main>
{frame if mail.content("text/html") else ""}
{
        f"<details{'' if mail.content('text/html') else ' open'}><summary>Plain text</summary><pre>{html.escape(text)}</pre>"
        "</details>"
        if text
        else ""
    }
<details><summary>Source</summary>
<p><a href="/sandbox/messages/{message.id}.eml" download="message-{message.id}.eml">Save as .eml</a></p>
<pre>{html.escape(raw)}</pre></details>
</main>"""
    return _document(mail.subject or "Message", body)


_FRAME = "allow-popups allow-popups-to-escape-sandbox"


def _person(person: object) -> str:
    assert isinstance(person, dict)
    return f"{person['name']} <{person['email']}>" if person.get("name") else str(person["email"])


def markup(state: State, request: Request) -> Response:
    """The message's HTML part, fit for a frame: links open in a new tab."""
    message = state.ledger.message(lookups.message_number(request))
    content = messages.received(message.request.mail, message.recipient.position).content("text/html") or ""
    content = re.sub(r"(<head\b[^>]*>)", r'\1<base target="_blank">', content, count=1, flags=re.IGNORECASE)
    headers = {"Content-Security-Policy": _MAIL_POLICY, **_HARDENING}
    return Response(body=content.encode(), content_type="text/html; charset=utf-8", headers=headers)
