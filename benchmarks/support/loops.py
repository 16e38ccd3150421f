"""The bare loops of submission: what one would write by hand with psycopg, orjson and urllib3, and nothing else.

`bare` does what a batch costs us at least. Each statement stands in a transaction of its own, and is on disk when it
returns: the claim (SKIP LOCKED); the members, with the very statement that `tasks.submission.building` rechecks them with; the
fence, which writes the attempt before the POST; the outcome after it. Between them: one signed token for each reader, which
stands in both links, as ours does; the same substitutions, escaped for HTML; the same body through orjson; one POST on a kept
connection. It has no pause, cancel or breaker, looks after no lost connection, and reads of the answer its status and id.

`naked` is the loop of the reference, for information: the members by key without a recheck, no attempt, one token, and the
ledger in one statement after the POST.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from html import escape
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks.support import homes

if TYPE_CHECKING:
    import psycopg

_CLAIM = """
UPDATE tasks_batch SET status = 'building', attempt = %s, attempts = attempts + 1, claimed_at = statement_timestamp()
 WHERE id = (SELECT id FROM tasks_batch WHERE send_id = %s AND status = 'pending' LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""
_FENCE = """
WITH fenced AS (
    UPDATE tasks_batch SET status = 'submitting' WHERE id = %(batch)s AND attempt = %(attempt)s AND status = 'building'
    RETURNING id, attempts
)
INSERT INTO tasks_attempt (id, batch_id, number, size, outcome, provider_id, transport, silent_passes, heard, evidence)
SELECT %(attempt)s, id, attempts, %(size)s, '', '', 'bare', 0, 0, '[]' FROM fenced
"""
_OUTCOME = """
WITH accepted AS (
    UPDATE tasks_attempt SET outcome = 'accepted', http_status = %(status)s, provider_id = %(provider_id)s,
                             finished_at = statement_timestamp() WHERE id = %(attempt)s
)
UPDATE tasks_batch SET status = 'submitted' WHERE id = %(batch)s AND attempt = %(attempt)s
"""
_NAKED_MEMBERS = """
SELECT s.id, s.email, s.name FROM tasks_delivery d JOIN subscribers_subscriber s ON s.id = d.subscriber_id
 WHERE d.send_id = %s AND d.batch_id = %s
"""
_NAKED_OUTCOME = "UPDATE tasks_batch SET status = 'submitted' WHERE id = %s"
_SEND = """
SELECT v.subject, v.html, v.text, e.publication_id, s.edition_id FROM tasks_send s
  JOIN composer_edition e ON e.id = s.edition_id JOIN composer_variant v ON v.approval_id = s.approval_id WHERE s.id = %s
"""
_LISTS = "SELECT list_id FROM tasks_send_lists WHERE send_id = %s"


class Loop:
    """What one process needs for one send; `bare` and `naked` each take one batch, False when there is none."""

    def __init__(self, send_id: int, url: str) -> None:
        import orjson
        import urllib3
        from django.conf import settings

        from subscribers.audience import audience
        from subscribers.sql import SqlCondition
        from subscribers.tokens import LinkKind, TokenSigner
        from tasks.submission import building

        self._send_id, self._base, self._dumps = send_id, settings.BASE_URL, orjson.dumps
        self._database: psycopg.Connection[Any] = homes.connect(settings.HOME)
        # A plan for any send would look into every partition.
        self._database.prepare_threshold = None
        # As a worker's session has it: else it reads all subscriptions for each batch.
        self._database.execute("SET random_page_cost = 1.1")
        ((installation,),) = self._database.execute("SELECT id::text FROM tasks_installation").fetchall()
        signer = TokenSigner(settings.SECRET_KEY, installation=installation)
        self._sign = partial(signer.sign_many, LinkKind.UNSUBSCRIBE)
        self._pool = urllib3.connection_from_url(url, maxsize=1, retries=False)
        self._headers = {
            "Authorization": f"Bearer {settings.SENDGRID_API_KEY}",
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
            "User-Agent": "bare",
        }
        row = self._database.execute(_SEND, [send_id]).fetchone()
        assert row is not None
        self._subject, self._html, self._text, self._publication, self._edition = row
        lists = [list_id for (list_id,) in self._database.execute(_LISTS, [send_id])]
        of_batch = SqlCondition(
            "s.id IN (SELECT subscriber_id FROM tasks_delivery WHERE send_id = %s AND batch_id = %s)", (send_id, 0)
        )
        rechecked = audience(
            lists, publication_id=self._publication, restrict=of_batch, also=("email", "name", "tracking")
        )
        self._members = building._MEMBERS.format(audience=rechecked.sql).encode()
        # The last parameter of the audience is the batch; the send and the batch come after it.
        assert rechecked.params[-1] == 0
        self._of_audience = rechecked.params[:-1]

    def bare(self) -> bool:
        attempt = uuid4()
        claimed = self._database.execute(_CLAIM, [attempt, self._send_id]).fetchone()
        if claimed is None:
            return False
        (batch,) = claimed
        members = self._database.execute(self._members, [*self._of_audience, batch, self._send_id, batch]).fetchall()
        members = [member[:3] for member in members if member[4] is None]
        body = self._body(members, str(attempt))
        facts = {"attempt": attempt, "batch": batch, "size": len(members)}
        assert self._database.execute(_FENCE, facts).rowcount == 1
        status, provider_id = self._post(body)
        self._database.execute(_OUTCOME, {**facts, "status": status, "provider_id": provider_id})
        return True

    def naked(self) -> bool:
        attempt = uuid4()
        claimed = self._database.execute(_CLAIM, [attempt, self._send_id]).fetchone()
        if claimed is None:
            return False
        members = self._database.execute(_NAKED_MEMBERS, [self._send_id, *claimed]).fetchall()
        self._post(self._body(members, str(attempt)))
        self._database.execute(_NAKED_OUTCOME, claimed)
        return True

    def _post(self, body: bytes) -> tuple[int, str]:
        answer = self._pool.urlopen("POST", "/v3/mail/send", body=body, headers=self._headers)
        assert answer.status == 202, answer.data
        return answer.status, answer.headers["X-Message-Id"]

    def _body(self, members: list[tuple[Any, ...]], attempt: str) -> bytes:
        base, send_id = self._base, self._send_id
        tokens = self._sign(self._publication, send_id, [member[0] for member in members])
        personalizations = []
        for (reader, email, name), token in zip(members, tokens, strict=True):
            unsubscribe = f"{base}/u/{token}"
            first = name.partition(" ")[0]
            personalizations.append(
                {
                    "to": [{"email": email, "name": name}],
                    "substitutions": {
                        "-ndEmail-": email,
                        "-ndEmailHtml-": escape(email),
                        "-ndFirstNameHtmlX726561646572-": escape(first or "reader"),
                        "-ndFirstNameX726561646572-": first or "reader",
                        "-ndNameHtmlX796f75-": escape(name or "you"),
                        "-ndPreferencesUrl-": f"{base}/p/{token}",
                        "-ndUnsubscribeUrl-": unsubscribe,
                    },
                    "custom_args": {"nd_delivery": f"{send_id}.{reader}"},
                    "headers": {
                        "List-Unsubscribe": f"<{unsubscribe}>",
                        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    },
                }
            )
        return self._dumps(
            {
                "from": {"email": "news@example.com", "name": "The Weekly"},
                "reply_to": {"email": "editors@example.com"},
                "subject": self._subject,
                "content": [{"type": "text/plain", "value": self._text}, {"type": "text/html", "value": self._html}],
                "headers": {"List-Id": "<weekly.example.com>"},
                "categories": ["weekly", f"edition-{self._edition}", f"send-{send_id}"],
                "custom_args": {"nd_attempt": attempt},
                "personalizations": personalizations,
                "tracking_settings": {
                    "click_tracking": {"enable": True, "enable_text": False},
                    "open_tracking": {"enable": True},
                    "subscription_tracking": {"enable": False},
                },
            }
        )


@dataclass(frozen=True)
class Processes:
    """Processes that are started and warm, and wait for the word."""

    _ends: tuple["Connection[Any, Any]", ...]

    def run(self, kind: str, send_id: int) -> float:
        """Seconds until none of the send's batches is pending."""
        self._all((kind, send_id))
        began = time.perf_counter()
        self._all("go")
        return time.perf_counter() - began

    def _all(self, word: object) -> None:
        for end in self._ends:
            end.send(word)
        for end in self._ends:
            answer = end.recv()
            assert answer == "done", answer


@contextmanager
def running(url: str, *, processes: int) -> Iterator[Processes]:
    """So many processes with the environment of this one."""
    # A new interpreter each: nothing of the caller's connections or garbage is theirs.
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        ends = []
        for _ in range(processes):
            mine, theirs = context.Pipe()
            process = context.Process(target=_obey, args=(theirs, url), daemon=True)
            process.start()
            stack.callback(process.join)
            stack.callback(mine.send, None)
            ends.append(mine)
        yield Processes(tuple(ends))


def _obey(end: "Connection[Any, Any]", url: str) -> None:
    import django

    django.setup()
    while (order := end.recv()) is not None:
        kind, send_id = order
        loop = Loop(send_id, url)
        step: Callable[[], bool] = getattr(loop, kind)
        end.send("done")
        assert end.recv() == "go"
        while step():
            pass
        end.send("done")
