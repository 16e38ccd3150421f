"""What is counted is counted for all processes together, and by each for itself while the server is away."""

from pathlib import Path

from django.core.cache.backends.base import BaseCache

from newsdesk.core.shared_cache import SharedCache


def caches(url: str) -> tuple[BaseCache, BaseCache]:
    return SharedCache(url, {}), SharedCache(url, {})


def test_two_processes_count_together(valkey_url: str) -> None:
    mine, yours = caches(valkey_url)
    mine.delete("count")
    assert mine.add("count", 1)
    assert not yours.add("count", 1)
    assert yours.incr("count") == 2
    assert mine.get("count") == 2
    mine.set("history", [1.5, 2.5], 60)
    assert yours.get("history") == [1.5, 2.5]
    assert yours.delete("history")
    assert mine.get("history", "none") == "none"


def test_forgetting_leaves_what_others_keep_there(valkey_url: str) -> None:
    mine, yours = caches(valkey_url)
    mine.set("kept", "yes", 60)
    yours.clear()
    assert mine.get("kept") == "yes"


def test_while_the_server_is_away_each_counts_for_itself(tmp_path: Path) -> None:
    mine, _ = caches(f"redis+socket://{tmp_path}/nothing.sock?virtual_host=0")
    mine.clear()
    assert mine.add("count", 1)
    assert not mine.add("count", 1)
    assert mine.incr("count") == 2
    assert mine.get("count") == 2
