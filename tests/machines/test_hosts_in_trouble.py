"""Worker machines are cut off, frozen, powered off or wrong about the time while a send is under way."""

import sys

import pytest

from tests import hosts
from tests.machines.conftest import LONG_ONES, MakeSpread
from tests.machines.spread import Spread
from tests.waiting import LONG, eventually

pytestmark = pytest.mark.acceptance

#: A worker's machine that is ahead, one that is behind, and a SendGrid with a clock of its own; web, beat and database are right.
APART = {"one": 180, "two": -180, "sendgrid": 60}


def both_work(spread: Spread, send: int) -> bool:
    return bool(spread.working_on(send, "one") and spread.working_on(send, "two"))


def submitted(spread: Spread, send: int) -> int:
    return spread.batches(send).get("submitted", 0)


def heartbeat_age(spread: Spread) -> float:
    """Seconds since recovery last ran, which beat asks for."""
    return 86_400 - spread.data.valkey(lambda client: client.pttl("newsdesk:swept")) / 1000


def test_clocks_apart_one_machine_cut_off_the_other_frozen_for_a_moment(make_spread: MakeSpread) -> None:
    if why := hosts.why_no_clocks():
        pytest.skip(why)
    spread = make_spread(clocks=APART)
    spread.start()
    spread.furnish(8000)
    edition, send = spread.send(latency=0.7)
    assert eventually(lambda: both_work(spread, send))

    spread.host("one").cut_off()
    before = submitted(spread, send)
    assert eventually(lambda: submitted(spread, send) > before)
    spread.host("two").freeze()
    spread.host("one").reconnect()
    before = submitted(spread, send)
    assert eventually(lambda: submitted(spread, send) > before)
    spread.host("two").thaw()

    spread.wait_until_sent(send)
    spread.assert_each_reader_got_it_once(edition, 8000)
    # What beat sends is not thrown away as too old by machines that are ahead of it, nor kept by those that are behind.
    old = heartbeat_age(spread)
    assert eventually(lambda: heartbeat_age(spread) < old)
    assert spread.alarms() == {}


_SHOW = """
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW tcp_user_timeout")
    print(cursor.fetchone()[0])
"""


def test_a_session_of_the_database_waits_half_a_minute_for_a_machine_that_took_no_answer(
    make_spread: MakeSpread,
) -> None:
    spread = make_spread()
    log = spread.log("one", "shown")
    env = {**spread.environment("one"), "DJANGO_SETTINGS_MODULE": "newsdesk.settings"}

    assert spread.host("one").start([sys.executable, "-c", _SHOW], log, env=env).wait(LONG) == 0, log.read_text()

    assert log.read_text().split()[-1] == "30000"


@LONG_ONES
def test_a_machine_that_is_cut_off_for_long_loses_its_batches_and_sends_nobody_twice(make_spread: MakeSpread) -> None:
    spread = make_spread()
    spread.start()
    spread.furnish(60_000)
    edition, send = spread.send(latency=2.0)
    assert eventually(lambda: both_work(spread, send))

    spread.host("one").cut_off()
    # Its database session ends half a minute after its last word, and that counts once the database has run for 90 s.
    assert eventually(lambda: not spread.working_on(send, "one"), 200)
    spread.host("one").reconnect()
    assert eventually(lambda: spread.working_on(send, "one") or not spread.batches(send).get("pending"))

    spread.wait_until_sent(send)
    spread.assert_each_reader_got_it_once(edition, 60_000)


@LONG_ONES
def test_a_machine_without_power_is_replaced_by_the_others(make_spread: MakeSpread) -> None:
    spread = make_spread()
    spread.start()
    spread.furnish(20_000)
    edition, send = spread.send(latency=1.0)
    assert eventually(lambda: both_work(spread, send))

    # Nothing says goodbye: the kernel of a machine that is off sends no packet either.
    spread.host("one").cut_off()
    spread.host("one").power_off()

    spread.wait_until_sent(send)
    spread.assert_each_reader_got_it_once(edition, 20_000)


@LONG_ONES
def test_a_machine_that_is_frozen_beyond_five_minutes_posts_nothing_when_it_goes_on(make_spread: MakeSpread) -> None:
    spread = make_spread()
    spread.start()
    spread.furnish(20_000)
    edition, send = spread.send(latency=1.0)
    assert eventually(lambda: both_work(spread, send))

    spread.host("one").freeze()
    # Its sessions stay, so that its claims count as alive until they are stale.
    assert eventually(lambda: not spread.working_on(send, "one"), 400)
    assert eventually(lambda: not spread.batches(send).get("pending"))
    spread.host("one").thaw()

    spread.wait_until_sent(send)
    spread.assert_each_reader_got_it_once(edition, 20_000)


@LONG_ONES
def test_the_machine_of_the_engines_is_cut_off_for_half_a_minute(make_spread: MakeSpread) -> None:
    spread = make_spread()
    spread.start()
    spread.furnish(20_000)
    edition, send = spread.send(latency=1.0)
    assert eventually(lambda: both_work(spread, send))

    spread.host("data").cut_off()
    # By then every process has lost its connection: web says that it is the database.
    assert eventually(lambda: spread.health().get("database") == "no answer", 90)
    assert eventually(lambda: not spread.rows("SELECT 1 FROM pg_stat_activity WHERE client_addr IS NOT NULL"), 90)
    spread.host("data").reconnect()

    spread.wait_until_sent(send)
    spread.assert_each_reader_got_it_once(edition, 20_000)
    assert eventually(spread.healthy)
