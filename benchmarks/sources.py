"""Sources: one poll of many feeds against a bare loop over the same feeds, in the same run.

    python benchmarks/sources.py [--sources 500] [--entries 30]

A server in a process of its own has a feed for each source, at as many addresses of loopback, so that no two share a host. Ours is
`tasks.sources.polling.poll_due` as the worker calls it: claim, guarded download, feedparser, what was seen, stories; at the
first poll 20 stories of each feed are new, at the second nothing has changed, at the third each feed has one new entry. The bare loop fetches with 16 threads and urllib3, and
has feedparser read each; it stores nothing. The target is 60 seconds for 500 sources.
"""

import argparse
import ipaddress
import multiprocessing
import platform
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.support import homes

TARGET = 60.0
PUBLICATION = {
    "slug": "weekly",
    "title": "The Weekly",
    "from_name": "The Weekly",
    "from_email": "news@example.com",
    "postal_address": "1 Main Street, Singapore 018956",
}


def feed(name: str, entries: int) -> bytes:
    """`feed7-1` is `feed7` with one entry more."""
    name, _, more = name.partition("-")
    day = time.strftime("%a, %d %b %Y 08:00:00 GMT", time.gmtime())
    words = "The council voted nine to four on Tuesday night to close the road after a long debate. " * 4
    items = "".join(
        f"<item><guid>{name}-{number}</guid><title>Story {number} of {name}</title><link>https://example.com/{name}/{number}</link>"
        f"<description>&lt;p&gt;{words}&lt;/p&gt;</description><pubDate>{day}</pubDate></item>"
        for number in range(entries + int(more or 0))
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'.encode()


def serve(entries: int, ready: Any) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = feed(self.path.strip("/"), entries)
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    ThreadingHTTPServer.request_queue_size = 256
    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    ready.put(server.server_port)
    server.serve_forever()


def bare(urls: list[str]) -> float:
    import feedparser
    import urllib3

    pool, start = urllib3.PoolManager(num_pools=len(urls)), time.perf_counter()
    with ThreadPoolExecutor(16) as executor:
        for body in executor.map(lambda url: pool.request("GET", url).data, urls):
            assert feedparser.parse(BytesIO(body)).entries
    return time.perf_counter() - start


def measure(sources: int, entries: int, port: int) -> None:
    from django.db.models import Value
    from django.db.models.functions import Concat
    from django.utils import timezone

    from composer.models import Publication, Source, Story
    from tasks.http.guard import Guard
    from tasks.sources import polling

    urls = [f"http://127.0.{1 + number // 250}.{1 + number % 250}:{port}/feed{number}" for number in range(sources)]
    publication = Publication.objects.create(**PUBLICATION)
    Source.objects.bulk_create([Source(publication=publication, url=url) for url in urls])
    guard = Guard(allows=lambda one: one in ipaddress.ip_network("127.0.0.0/8"), ports=frozenset({port}))
    base = bare(urls)
    print(f"bare: {base:.1f} s")
    for name in ("first poll, all new", "second poll, unchanged", "third poll, one new entry each"):
        if name.startswith("third"):
            Source.objects.update(url=Concat("url", Value("-1")))
        Source.objects.update(next_poll_at=timezone.now())
        start = time.perf_counter()
        polled = polling.Polled()
        while polled.sources < sources:  # a run claims no more after 50 s; beat starts the next
            polled += polling.poll_due(guard)
        seconds = time.perf_counter() - start
        print(f"{name}: {seconds:.1f} s, {polled.stories} stories, {seconds / base:.2f} of bare; target {TARGET:g} s")
    assert Story.objects.count() == sources * (min(entries, polling.FIRST_MOST) + 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=500)
    parser.add_argument("--entries", type=int, default=30)
    options = parser.parse_args()
    ready: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(options.entries, ready), daemon=True)
    server.start()
    print(f"{platform.python_version()}, {options.sources} sources of {options.entries} entries")
    try:
        with homes.engines():
            measure(options.sources, options.entries, ready.get())
    finally:
        server.kill()


if __name__ == "__main__":
    main()
