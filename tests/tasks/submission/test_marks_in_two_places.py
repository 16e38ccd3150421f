"""The mark of what was sent stands in a file and in Redis: each knows what the other one has forgotten."""

import json
import threading

import pytest
import redis
from django.conf import settings

from tasks.database import high_water
from tasks.database.high_water import Fence
from tasks.database.mark_file import Mark

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_sent_yet")]


def _mark() -> Mark | None:
    return high_water.read(high_water.installation())


def test_what_redis_has_forgotten_is_told_to_it_again(in_redis: redis.Redis) -> None:
    high_water.advance(Fence(1, high_water.installation(), 1))
    in_redis.delete(f"newsdesk:mark:{high_water.installation()}")

    assert _mark() == Mark(fence=1, send=1)

    assert in_redis.hget(f"newsdesk:mark:{high_water.installation()}", "fence") == b"1"


def test_what_another_machine_has_sent_is_known_when_redis_is_lost_with_it(
    in_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(high_water, "_BETWEEN_NOTES", 3600.0)
    here = high_water.installation()
    high_water.advance(Fence(3, here, 1))
    in_redis.hset(f"newsdesk:mark:{here}", mapping={"fence": 8, "send": 2})
    assert _mark() == Mark(fence=8, send=2)

    in_redis.delete(f"newsdesk:mark:{here}")

    assert _mark() == Mark(fence=8, send=2)
    # It is written down once in a while, and not with each claim.
    in_redis.hset(f"newsdesk:mark:{here}", mapping={"fence": 9, "send": 2})
    assert _mark() == Mark(fence=9, send=2)
    assert json.loads((settings.HOME.marks / here).read_text())["fence"] == 8


def test_a_copy_that_cannot_be_written_harms_nobody(in_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    here = high_water.installation()
    in_redis.hset(f"newsdesk:mark:{here}", mapping={"fence": 8, "send": 2})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasks.database.mark_file.write", full)

    assert _mark() == Mark(fence=8, send=2)


def test_a_file_that_cannot_be_read_is_no_mark(in_redis: redis.Redis) -> None:
    high_water.advance(Fence(4, high_water.installation(), 2))
    file = settings.HOME.marks / high_water.installation()
    file.write_text("½")
    assert _mark() == Mark(fence=4, send=2)
    assert json.loads(file.read_text())["fence"] == 4

    file.write_text("½")
    in_redis.delete(f"newsdesk:mark:{high_water.installation()}")
    assert _mark() is None


def test_marks_that_are_written_at_once_keep_the_highest(in_redis: redis.Redis) -> None:
    of = high_water.installation()
    threads = [threading.Thread(target=high_water.advance, args=(Fence(n, of, n),)) for n in range(1, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert json.loads((settings.HOME.marks / of).read_text())["fence"] == 29
    assert in_redis.hget(f"newsdesk:mark:{of}", "fence") == b"29"
