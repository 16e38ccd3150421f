"""PgBouncer stands before the database."""

import pytest

from tests import pgbouncer
from tests.machines.conftest import LONG_ONES, MakeSpread
from tests.waiting import eventually

pytestmark = [pytest.mark.acceptance, LONG_ONES]

READERS = 10_000


@pytest.mark.parametrize(
    ("mode", "hosts"),
    [("transaction", {"web"}), ("session", {"web", "one", "two"})],
    ids=["web and commands in transaction mode", "everything in session mode"],
)
def test_a_send_goes_out_through_it(make_spread: MakeSpread, mode: str, hosts: set[str]) -> None:
    pgbouncer.program()
    spread = make_spread()
    spread.pool(mode, hosts)
    spread.start()
    spread.furnish(READERS)
    edition, send = spread.send(latency=0.5)

    spread.wait_until_sent(send)
    spread.assert_each_reader_got_it_once(edition, READERS)
    assert eventually(lambda: spread("status", str(send))["delivered"] == READERS)
    through = spread.rows("SELECT count(*) FROM pg_stat_activity WHERE client_addr = %s", [spread.data.host.address])
    assert through[0][0]
    assert spread.alarms() == {}
