"""The rule that tells machines from readers, and that what is stored follows it in whatever order reports come."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import orjson
import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.feedback import applying, inbox
from tasks.feedback.bot_detection import Act, by_machines, names_itself
from tasks.models import Delivery, Event, Receipt
from tests.reports import World, deliver, make_world

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
Seen = Delivery.Seen


def click(at: float, link: int = 1, agent: str = PHONE) -> Act:
    return Act("clicked", at, f"https://example.com/{link}", agent)


def opened(at: float, agent: str = PHONE, kind: str = "opened") -> Act:
    return Act(kind, at, "", agent)


@pytest.mark.parametrize(
    "agent",
    [
        "Barracuda Sentinel (EE)",
        "Mozilla/5.0 (compatible; MimecastSecurityScan/1.0)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36",
        "python-requests/2.32.3",
        "curl/8.6.0",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Java/17.0.9",
    ],
)
def test_machines_that_name_themselves(agent: str) -> None:
    assert names_itself(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        PHONE,
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)",
        "Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 50) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
        "Mozilla/5.0 (X11; JavaScript) Gecko",
        "okhttp/4.12.0",
    ],
)
def test_what_readers_read_with_names_no_machine(agent: str) -> None:
    assert not names_itself(agent)


@pytest.mark.parametrize(
    ("clicks", "delivered", "machine"),
    [
        ([click(5, 1), click(10, 2), click(15, 3)], 0, True),
        ([click(5, 1), click(10, 2), click(15.5, 3)], 0, False),
        ([click(5, 1), click(6, 2), click(7, 2)], 0, False),
        ([click(60, 1), click(61, 2), click(62, 3)], 0, True),
        ([click(61, 1), click(62, 2), click(63, 3)], 0, False),
        ([click(61, 1), click(62, 2), click(63, 3)], None, True),
        ([click(-30, 1), click(-29, 2), click(-28, 3)], 0, True),
    ],
    ids=["burst", "too slow", "two links", "just in time", "a minute later", "not delivered yet", "before it"],
)
def test_three_links_in_ten_seconds_of_a_new_mail(clicks: list[Act], delivered: float | None, machine: bool) -> None:
    assert by_machines(clicks, delivered=delivered) == [machine] * 3


def test_a_burst_takes_what_lies_within_it_and_nothing_else() -> None:
    acts = [opened(1), opened(3), opened(9), click(2, 1), click(4, 2), click(8, 3), click(30, 1), opened(31)]
    assert by_machines(acts, delivered=0) == [False, True, False, True, True, True, False, False]


def test_who_reads_between_two_looks_of_a_scanner_counts() -> None:
    looks = [click(at, link) for at, link in ((1, 1), (2, 2), (3, 3), (30, 1), (31, 2), (32, 3), (33, 4))]
    assert by_machines([*looks, opened(15)], delivered=0) == [True] * 7 + [False]


def test_the_provider_may_say_it_itself() -> None:
    assert by_machines([opened(900, kind="opened_by_machine"), opened(900)], delivered=0) == [True, False]


acts = st.builds(
    Act,
    st.sampled_from(["opened", "clicked", "clicked", "clicked", "opened_by_machine"]),
    st.integers(0, 90),
    st.sampled_from(["https://example.com/1", "https://example.com/2", "https://example.com/3", "https://e.com/4"]),
    st.sampled_from([PHONE, "", "Barracuda Sentinel (EE)"]),
)


@given(st.lists(acts, max_size=12), st.one_of(st.none(), st.integers(0, 40)), st.randoms(use_true_random=False))
def test_the_rule_knows_no_order(told: list[Act], delivered: int | None, dice: random.Random) -> None:
    before = dict(zip(told, by_machines(told, delivered=delivered), strict=True))
    dice.shuffle(told)
    assert dict(zip(told, by_machines(told, delivered=delivered), strict=True)) == before


# With the database

BASE = 1_760_000_000


def report(world: World, reader: int, act: Act) -> dict[str, Any]:
    machine = {"sg_machine_open": True} if act.kind == "opened_by_machine" else {}
    kind = "click" if act.kind == "clicked" else "open"
    url = {"url": act.url} if kind == "click" else {}
    return world.report(reader, kind, timestamp=BASE + int(act.at), useragent=act.agent, **machine, **url)


def reached(world: World) -> tuple[dict[str, int], list[int], list[tuple[Any, ...]]]:
    seen = [world.seen(reader) & (Seen.OPENED | Seen.CLICKED) for reader in range(len(world.readers))]
    rows = Event.objects.exclude(kind="delivered").values_list("subscriber_id", "kind", "at", "url", "agent", "machine")
    counts = {name: number for name, number in world.counts().items() if name in ("opened", "clicked")}
    return counts, seen, sorted(rows)


def expected(world: World, told: list[tuple[int, Act]], delivered: dict[int, list[int]]) -> Any:
    """What the pure rule says, reader by reader."""
    rows: list[tuple[Any, ...]] = []
    seen = []
    for reader, subscriber in enumerate(world.readers):
        own = list({act if act.kind == "clicked" else act._replace(url=""): None for of, act in told if of == reader})
        verdicts = by_machines(own, delivered=max(delivered.get(reader, []), default=None))
        bits = 0
        for act, machine in zip(own, verdicts, strict=True):
            if not machine:
                bits |= Seen.CLICKED if act.kind == "clicked" else Seen.OPENED
            rows.append((subscriber.pk, act.kind, act.at, act.url, act.agent, machine))
        seen.append(bits)
    counts = {
        name: number
        for name, bit in (("opened", Seen.OPENED), ("clicked", Seen.CLICKED))
        if (number := sum(1 for bits in seen if bits & bit))
    }
    return counts, seen, sorted(rows)


@pytest.fixture
def world(db: None) -> World:
    return make_world(2)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[tuple[int, Act]], dict[int, list[int]], list[list[tuple[int, Any]]]]:
    """Acts by reader, deliveries by reader, and all of it shuffled, partly repeated, and cut into receipts."""
    told = draw(st.lists(st.tuples(st.integers(0, 1), acts), min_size=1, max_size=10))
    delivered = draw(st.dictionaries(st.integers(0, 1), st.lists(st.integers(0, 40), min_size=1, max_size=2)))
    everything = [*told, *((reader, at) for reader, times in delivered.items() for at in times)]
    shuffled = draw(st.permutations(everything + draw(st.lists(st.sampled_from(everything), max_size=4))))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=5)))
    return told, delivered, [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


@pytest.mark.integration
@settings(max_examples=150)
@given(stories())
def test_any_order_and_any_cut_ends_as_the_rule_says(
    world: World, story: tuple[list[tuple[int, Act]], dict[int, list[int]], list[list[tuple[int, Any]]]]
) -> None:
    told, delivered, parts = story
    with transaction.atomic():
        for part in parts:
            deliver(
                *(
                    report(world, reader, what)
                    if isinstance(what, Act)
                    else world.report(reader, "delivered", timestamp=BASE + what)
                    for reader, what in part
                )
            )
        counts, seen, rows = reached(world)
        found = (counts, seen, sorted((who, kind, at.timestamp() - BASE, *rest) for who, kind, at, *rest in rows))
        transaction.set_rollback(True)
    assert found == expected(world, told, delivered)


def test_a_bit_is_taken_back_when_a_third_link_tells_a_scanner(world: World) -> None:
    deliver(world.report(0, "delivered", timestamp=BASE), report(world, 0, click(5, 1)), report(world, 0, opened(6)))
    assert world.counts() == {"delivered": 1, "opened": 1, "clicked": 1}

    applied = deliver(report(world, 0, click(6, 2)), report(world, 0, click(7, 3)))

    assert applied.marked == 1
    assert world.counts() == {"delivered": 1}
    assert set(Event.objects.exclude(kind="delivered").values_list("machine", flat=True)) == {True}


def test_a_late_delivery_gives_a_reader_their_clicks_back(world: World) -> None:
    deliver(*(report(world, 0, click(link, link)) for link in (1, 2, 3)))
    assert world.counts() == {}

    deliver(world.report(0, "delivered", timestamp=BASE - 3600))

    assert world.counts() == {"delivered": 1, "clicked": 1}
    assert not Event.objects.filter(machine=True).exists()


def test_a_reader_behind_a_scanner_counts(world: World) -> None:
    deliver(
        world.report(0, "delivered", timestamp=BASE),
        *(report(world, 0, click(link, link)) for link in (1, 2, 3)),
        report(world, 0, click(2000, 2)),
    )

    assert world.counts() == {"delivered": 1, "clicked": 1}
    assert Event.objects.filter(machine=True).count() == 3


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
def test_workers_that_judge_at_once_end_as_the_rule_says() -> None:
    world = make_world(2)
    dice = random.Random(11)
    told = [
        (reader, Act("clicked", dice.randrange(90), f"https://example.com/{dice.randrange(4)}", PHONE))
        for reader in range(2)
        for _ in range(20)
    ]
    bodies = [[report(world, reader, act)] for reader, act in told]
    bodies += [[world.report(reader, "delivered", timestamp=BASE + 20)] for reader in range(2)]
    dice.shuffle(bodies)
    ids = [inbox.store(BytesIO(orjson.dumps(body)), provider="sendgrid") for body in bodies]

    def work(receipt_id: int) -> None:
        try:
            applying.apply_receipt(receipt_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, ids))

    assert not Receipt.objects.filter(applied_at=None).exists()
    counts, seen, rows = reached(world)
    found = (counts, seen, sorted((who, kind, at.timestamp() - BASE, *rest) for who, kind, at, *rest in rows))
    assert found == expected(world, told, {0: [20], 1: [20]})


def test_whoever_follows_links_all_day_keeps_no_batch_locked_for_long() -> None:
    """Anybody can follow the links in their own mail by a program: judging that must not take minutes."""
    acts = [click(second / 200, link=second % 7) for second in range(20_000)]
    acts += [click(10_000 + minute * 60, link=minute % 7) for minute in range(500)]

    began = time.process_time()
    verdicts = by_machines(acts, delivered=None)

    assert time.process_time() - began < 2
    assert verdicts == [True] * 20_000 + [False] * 500
