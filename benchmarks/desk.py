"""How long the server takes for each page of a desk that has been used for ten years, and with how many queries.

    python benchmarks/desk.py [--readers 1000000] [--stories 10000] [--editions 500] [--rounds 15]

A home with real engines is filled by SQL: a list of readers, stories (every second one has run), editions of twelve stories each, all
but the newest two sent to the whole list in batches of a thousand; the reports of the last one's readers. Then each page is asked for by
a superuser within this process, with all of Django's middleware and without a network: of `rounds`, the median of what the clock says and
of the processor's time that this thread and the database's process took, which is all there is on a machine that has nothing else to
do; and the queries of one more. Targets: 300 ms of the processor's time and 30 queries. The confirmation of a send is printed and not
held to them: it makes the whole send, counts each reader by the statement that freezes, and takes it back.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import editions as support
from benchmarks.support import homes

if TYPE_CHECKING:
    from composer.models import Edition, Publication

MOST_MS, MOST_QUERIES = 300, 30
_STORIES = """
INSERT INTO composer_story (publication_id, headline, lede, body, alt, source_name, source_url, source_text, author, topics, language,
                            origin, fingerprint, created_at, updated_at)
SELECT %s, 'Harbour number ' || n || ' opens its ' || (n %% 97) || ' gates', 'The ' || n || ' ships of the river ' || (n %% 31) || ' wait.',
       '<p>' || repeat('The long account of what happened at the harbour begins with a map. ', 8) || '</p>', '',
       'Harbour Post', 'https://example.com/' || n, '', '', 'Water', '', 'feed', md5(n::text),
       now() - n * interval '20 minutes', now()
  FROM generate_series(1, %s) AS n
"""
#: Batches of a send that is over, as if each had gone to the whole list.
_BATCHES = """
INSERT INTO tasks_batch (send_id, variant_id, size, tracked, status, attempts, lost_attempts, rounds, claimed_by, excluded, failed,
                         delivered, bounced, complained, unsubscribed, opened, clicked)
SELECT s.id, v.id, 1000, true, 'submitted', 1, 0, 0, '', 0, 0, 970, 12, 1, 2, 300, 41
  FROM tasks_send s JOIN composer_variant v ON v.approval_id = s.approval_id, generate_series(1, %s)
 ORDER BY s.id
"""
#: Of each reader that it was delivered; every third opened it and every 24th clicked a link.
_DELIVERIES = """
INSERT INTO tasks_delivery (send_id, subscriber_id, batch_id, seen)
SELECT %s, id, (SELECT min(id) FROM tasks_batch WHERE send_id = %s) + (row_number() OVER (ORDER BY id) - 1) / 1000, 2
  FROM subscribers_subscriber
"""
_EVENTS = """
INSERT INTO tasks_event (key, send_id, subscriber_id, kind, at, url, agent, machine)
SELECT decode(md5(kind || id), 'hex'), %s, id, kind, now() - interval '5 days' + (id %% 100000) * interval '1 second',
       CASE kind WHEN 'clicked' THEN 'https://example.com/' || (1 + id %% 12) ELSE '' END, '', kind = 'opened' AND id %% 2 = 0
  FROM subscribers_subscriber, (VALUES ('delivered', 1), ('opened', 3), ('clicked', 24)) AS k(kind, every)
 WHERE id %% every = 0
"""


def filled(readers: int, stories: int, editions: int) -> "tuple[Edition, Edition]":
    """The newest edition, a draft, of a publication with all that; and the last that was sent."""
    from django.core.management import call_command
    from django.db import connection

    from composer.models import Edition, Placement, Story
    from tasks.slots.recurrence import recur

    publication = support.publication()
    publication.cadence_weekday, publication.cadence_time = 1, "09:00"
    publication.save()
    publication.refresh_from_db()
    chosen = support.fill_list(publication, support.LIST, readers)
    with connection.cursor() as cursor:
        cursor.execute(_STORIES, [publication.pk, stories])
    pks = list(Story.objects.order_by("created_at").values_list("pk", flat=True))
    first = _edition(publication, Story.objects.filter(pk__in=pks[:12]))
    made = Edition.objects.bulk_create(
        Edition(publication=publication, number=number, title=f"The week {number}", content=first.content)
        for number in range(2, editions - 1)
    )
    Placement.objects.bulk_create(
        Placement(
            edition=edition,
            block_id=child.id,
            story_id=pks[(at * 12 + number) % (len(pks) // 2)],
            number=number,
            headline=child.value["headline"],
        )
        for at, edition in enumerate(made)
        for number, child in enumerate(edition.content, start=1)
    )
    sent = _edition(publication, Story.objects.filter(pk__in=pks[-24:-12]))
    newest = _edition(publication, Story.objects.filter(pk__in=pks[-12:]))
    _send([first, *made], sent, chosen, readers)
    recur(publication, lists=[chosen])
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    call_command("rebuild_references_index", verbosity=0)
    call_command("update_index", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return newest, sent


def _edition(publication: "Publication", stories: Any) -> "Edition":
    from composer import story_copying
    from composer.models import Edition

    edition = Edition(publication=publication, title="The week in rivers")
    edition.content = [("story", story_copying.copy_of(story)) for story in stories]
    edition.save()
    edition.save_revision(clean=False)
    return edition


def _send(old: "list[Edition]", last: "Edition", chosen: Any, readers: int) -> None:
    """Have all of them gone to the list, a week after each other; of the last there are reports."""
    from datetime import timedelta

    from django.db import connection
    from django.utils import timezone

    from composer.approval import approve
    from composer.models import Approval, Variant
    from tasks.models import Send

    approvals = Approval.objects.bulk_create(
        Approval(edition=edition, timezone="UTC", content_hash=f"{edition.pk:064}") for edition in old
    )
    Variant.objects.bulk_create(
        Variant(
            approval=one, position=0, audiences=[[]], stories=12, subject="The week", html="<p>", text="-", headers={}
        )
        for one in approvals
    )
    weeks = enumerate([approve(last, by=None, audience_rules={}), *reversed(approvals)])
    sends = Send.objects.bulk_create(
        Send(
            approval=approval,
            edition=approval.edition,
            status=Send.Status.SENT,
            scheduled_at=(at := timezone.now() - timedelta(weeks=week, days=5)),
            prepared_at=at,
            finished_at=at + timedelta(minutes=9),
            candidates=readers,
        )
        for week, approval in weeks
    )
    Send.lists.through.objects.bulk_create(Send.lists.through(send=send, list=chosen) for send in sends)
    with connection.cursor() as cursor:
        cursor.execute(_BATCHES, [max(1, readers // 1000)])
        cursor.execute(_DELIVERIES, [sends[0].pk, sends[0].pk])
        cursor.execute(_EVENTS, [sends[0].pk])


def addresses(draft: "Edition", sent: "Edition") -> dict[str, str]:
    """Every kind of page by its name."""
    story = draft.content[0].value["story"].pk
    editions, stories = "/desk/editions", "/desk/stories"
    return {
        "home": "/desk/",
        "editions": f"{editions}/",
        "editions, last page": f"{editions}/?p=10",
        "edition": f"{editions}/edit/{draft.pk}/",
        "edition, sent": f"{editions}/edit/{sent.pk}/",
        "edition, its sends": f"{editions}/sends/{sent.pk}/",
        "edition, new": f"{editions}/add/",
        "edition, history": f"{editions}/history/{draft.pk}/",
        "edition, to look at": f"{editions}/inspect/{sent.pk}/",
        "edition, usage": f"{editions}/usage/{draft.pk}/",
        "edition, delete": f"{editions}/delete/{draft.pk}/",
        "schedule": f"{editions}/schedule/{draft.pk}/",
        "paste": "/desk/add-stories/",
        "stories": f"{stories}/",
        "stories, last page": f"{stories}/?p=200",
        "stories, as one types": f"{stories}/results/?q=harb",
        "stories, already ran": f"{stories}/?ran=true",
        "story": f"{stories}/edit/{story}/",
        "story, new": f"{stories}/add/",
        "story, usage": f"{stories}/usage/{story}/",
        "stories to choose": "/desk/snippets/choose/composer/story/?multiple=1",
        "calendar": "/desk/calendar/",
        "search: a reader": "/desk/search/?q=reader99",
        "search: a word": "/desk/search/?q=harbour",
        "search: nothing": "/desk/search/?q=zzyzx",
        "sources": "/desk/sources/",
        "images": "/desk/images/",
        "publications": "/desk/publications/",
        "publication": f"/desk/publications/edit/{draft.publication_id}/",
        "team": "/desk/team/",
        "team, add": "/desk/team/add/",
        "account": "/desk/account/",
        "security": "/desk/security/",
        "site history": "/desk/reports/site-history/",
    }


def measure(draft: "Edition", sent: "Edition", rounds: int) -> list[str]:
    """Print a line for each page; what is beyond the targets."""
    from functools import partial

    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    get_user_model().objects.create_superuser("ada", "ada@example.com", "secret")
    assert client.login(username="ada", password="secret")
    asked = {name: partial(client.get, path) for name, path in addresses(draft, sent).items()}
    lists = {"lists": [draft.publication.lists.get().pk], "when": "now"}
    asked["as one reader, offered"] = partial(
        client.post, f"/desk/editions/as-reader/{draft.pk}/", {"begins": "reader9"}
    )
    asked["as one reader, found"] = partial(
        client.post, f"/desk/editions/as-reader/{draft.pk}/", {"address": "reader9@example.com"}
    )
    beyond = [name for name, ask in asked.items() if not _within(name, ask, rounds)]
    _within("schedule, confirm", partial(client.post, f"/desk/editions/schedule/{draft.pk}/", lists), rounds)
    return beyond


def _within(name: str, ask: Any, rounds: int) -> bool:
    """Whether the page is within the targets; its line is printed."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    answer = ask()
    assert answer.status_code == 200, (name, answer.status_code, answer.headers)
    spent = [_timed(ask) for _ in range(rounds)]
    with CaptureQueriesContext(connection) as captured:
        ask()
    wall, own, database = (statistics.median(one) for one in zip(*spent, strict=True))
    print(
        f"{name:24} {own + database:5.0f} ms (ours {own:4.0f}, database {database:4.0f}), by the clock {wall:5.0f} ms, "
        f"{len(captured):3} queries",
        flush=True,
    )
    return own + database <= MOST_MS and len(captured) <= MOST_QUERIES


def _timed(ask: Any) -> tuple[float, float, float]:
    """Milliseconds by the clock, of this thread's processor time, and of that of the database's process for it."""
    began, own, database = time.perf_counter(), time.thread_time(), _database_seconds()
    ask()
    database = _database_seconds() - database
    return (time.perf_counter() - began) * 1000, (time.thread_time() - own) * 1000, database * 1000


def _database_seconds() -> float:
    from django.db import connection

    connection.ensure_connection()
    ticks = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--stories", type=int, default=10_000)
    parser.add_argument("--editions", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    with homes.engines():
        beyond = measure(*filled(asked.readers, asked.stories, asked.editions), asked.rounds)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"Beyond the targets: {', '.join(beyond) or 'none'}")


if __name__ == "__main__":
    main()
