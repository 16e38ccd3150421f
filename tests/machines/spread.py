"""A Newsdesk spread over hosts by the documented commands (docs/how-to/run-on-many-machines.md): web, workers and beat apart,
PostgreSQL and Valkey on a host of their own, and a SendGrid on another.
"""

import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from newsdesk.core import paths
from newsdesk.core.home import Home
from tests import pgbouncer
from tests.command_line import ROOT, CommandLine
from tests.hosts import Host, Network
from tests.machine import command
from tests.machines.engines import DataHost
from tests.waiting import LONG, eventually

#: Seconds of silence that prove a refusal, as the chaos runs set it: SendGrid's day is too long for a test.
GRACE = 4
WEB_PORT = 8000
SANDBOX_PORT = 8025
#: Seconds that a send with misfortunes may take, in failure only.
UNTIL_SENT = 400.0
PUBLICATION = "weekly"


class Spread:
    """Hosts "data", "sendgrid", "web", "one" and "two" (workers); `start` starts what runs on them.

    `clocks`: by how many seconds the clocks of which hosts are ahead. `standby`: a host with copies of the engines, that follow.
    `settings`: further variables of the environment, for all.
    """

    def __init__(
        self,
        cluster: Path,
        *,
        clocks: dict[str, int] | None = None,
        standby: bool = False,
        synchronous: bool = False,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
        self.folder.chmod(0o711)
        self.network = Network()
        self._commands: CommandLine | None = None
        self._settings = settings or {}
        #: Hosts that reach the database through PgBouncer.
        self.pooled: frozenset[str] = frozenset()
        self.secret_key, self.api_key = secrets.token_urlsafe(48), f"SG.{secrets.token_urlsafe(24)}"
        try:
            for name in ("data", "sendgrid", "web", "one", "two", *(["standby"] if standby else [])):
                self.network.add(name, clock=(clocks or {}).get(name, 0))
                self.home(name).make()
            #: Where the engines are that serve; the addresses move with them.
            self.database, self.broker = self.network.spare_addresses()
            self.data = DataHost(self.host("data"), self.folder / "data-home", cluster)
            for address in (self.database, self.broker):
                self.data.host.take_over(address)
            self.standby = None
            if standby:
                self.standby = DataHost(self.host("standby"), self.folder / "standby-home", cluster)
            self.data.start(synchronous=synchronous)
            if self.standby is not None:
                self.standby.follow(self.data)
            self._start_sandbox()
        except BaseException:
            self.close()
            raise

    def host(self, name: str) -> Host:
        return self.network.hosts[name]

    def home(self, name: str) -> Home:
        """Each host has its own."""
        return Home(self.folder / name)

    def log(self, host: str, part: str) -> Path:
        self.home(host).logs.mkdir(parents=True, exist_ok=True)
        return self.home(host).logs / f"{part}.log"

    def environment(self, host: str) -> dict[str, str]:
        """What the documentation names, and what a test cannot wait for."""
        ours = {"DATABASE_URL", "REDIS_URL", "BASE_URL", "SENDGRID_API_KEY", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
        port = pgbouncer.PORT if host in self.pooled else 5432
        rest = {
            name: value for name, value in os.environ.items() if name not in ours and not name.startswith("NEWSDESK_")
        }
        return {
            **rest,
            "DATABASE_URL": f"postgresql://app@{self.database}:{port}/newsdesk",
            "REDIS_URL": f"redis://{self.broker}:6379/0",
            "SECRET_KEY": self.secret_key,
            "BASE_URL": f"http://{self.host('web').address}:{WEB_PORT}",
            "SENDGRID_API_KEY": self.api_key,
            "SENDGRID_HOST": f"http://{self.host('sendgrid').address}:{SANDBOX_PORT}",
            "SENDGRID_WEBHOOK_PUBLIC_KEYS_FILE": str(self.home("sendgrid").path / "webhook-public-key"),
            "NEWSDESK_HOME": str(self.home(host).path),
            "NEWSDESK_SILENCE_GRACE": str(GRACE),
            "NEWSDESK_UNDO_SECONDS": "0",
            "NEWSDESK_CONNECTIONS": "1",
            "NEWSDESK_LOG_LEVEL": "INFO",
            **self._settings,
        }

    def _start_sandbox(self) -> None:
        host, home = self.host("sendgrid"), self.home("sendgrid").path
        words: list[str] = [sys.executable, "-m", "sandbox", "--home", str(home), "--host", "0.0.0.0"]
        words += ["--port", str(SANDBOX_PORT), "--webhook-url"]
        words += [f"http://{self.host('web').address}:{WEB_PORT}/webhooks/sendgrid"]
        host.start(words, self.log("sendgrid", "sandbox"), env={**os.environ, "SANDBOX_API_KEY": self.api_key})
        assert eventually(lambda: host.listens(SANDBOX_PORT))

    def pool(self, mode: str, hosts: set[str]) -> None:
        """From now on these hosts reach the database through a PgBouncer in this mode, beside the database."""
        folder = self.folder / "pool"
        self.data.site.account.own(folder)
        server = f"host={self.data.host.address} port=5432"
        file = pgbouncer.configure(folder, server=server, mode=mode, address="0.0.0.0")
        program = [pgbouncer.program(), file]
        self.data.host.start(program, self.log("data", "pgbouncer"), cwd=folder, user=self.data.site.account.ids)
        assert eventually(lambda: self.data.host.listens(pgbouncer.PORT))
        self.pooled = frozenset(hosts)

    def start(self) -> None:
        """Web, two workers and beat, and wait until all of them answer."""
        self.start_web()
        self.start_worker("one")
        self.start_worker("two")
        self.start_beat()
        assert eventually(self.healthy), self.health()

    def start_web(self, code: Path = ROOT) -> None:
        words = ["gunicorn", "--config", "python:newsdesk.local_stack.gunicorn_config", "--bind", f"0.0.0.0:{WEB_PORT}"]
        self._start("web", "web", words, code)

    def start_worker(self, host: str, code: Path = ROOT) -> None:
        words = ["celery", "--quiet", "-A", "tasks.celery", "worker", "--concurrency=2", "--without-gossip"]
        words += ["--without-mingle", "--loglevel=INFO", f"--hostname={host}@newsdesk"]
        self._start(host, "worker", words, code)

    def start_beat(self, code: Path = ROOT) -> None:
        self._start("web", "beat", ["celery", "--quiet", "-A", "tasks.celery", "beat", "--loglevel=WARNING"], code)

    def _start(self, host: str, part: str, words: Sequence[str], code: Path) -> None:
        self.home(host).static.mkdir(exist_ok=True)
        program = [sys.executable, "-m", *words]
        self.host(host).start(program, self.log(host, part), env=self.environment(host), cwd=code)

    def stop(self, host: str, mark: str, number: int = signal.SIGQUIT) -> None:
        """As documented: the main process is asked, and what runs may finish."""
        (main,) = self.host(host).mains(mark)
        os.kill(main, number)
        assert eventually(lambda: not command(main))

    def fail_over(self) -> None:
        """The engines' machine loses its power without a word; its copies take its place and addresses."""
        assert self.standby is not None
        self.data.host.cut_off()
        self.data.host.power_off()
        # One that was cut off is back, as far behind as it is.
        self.standby.host.reconnect()
        self.standby.promote_database()
        self.standby.promote_broker()
        for address in (self.database, self.broker):
            self.standby.host.take_over(address)
        self.data = self.standby

    def fail_over_broker(self) -> None:
        """The broker is killed; its copy takes its place and address."""
        assert self.standby is not None
        assert self.data.host.signal(signal.SIGKILL, "valkey-server")
        self.data.host.give_up(self.broker)
        self.standby.promote_broker()
        self.standby.host.take_over(self.broker)

    def health(self) -> dict[str, str]:
        try:
            where = f"http://127.0.0.1:{WEB_PORT}/healthz"
            with self.host("web").network_of_this_thread(), urllib.request.urlopen(where, timeout=10) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                return dict(json.loads(error.read()))
        except OSError as error:
            return {"web": str(error)}

    def healthy(self) -> bool:
        return set(self.health().values()) == {"ok"}

    def sandbox(self, path: str, body: object = None) -> Any:
        key = (self.home("sendgrid").path / "page-key").read_text(encoding="utf-8").strip()
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        request = urllib.request.Request(f"http://127.0.0.1:{SANDBOX_PORT}{path}", data=data, headers=headers)
        with self.host("sendgrid").network_of_this_thread(), urllib.request.urlopen(request, timeout=LONG) as answer:
            return json.loads(answer.read() or b"null")

    def __call__(self, *words: str) -> dict[str, Any]:
        """A command, typed at the web's host."""
        if self._commands is None:
            self._commands = CommandLine(self.environment("web"), before=self.host("web").words())
        said = self._commands.run(*words, "--json")
        assert said.code == 0, said.errors
        return dict(json.loads(said.output))

    def furnish(self, readers: int) -> None:
        """A publication and a list "readers"."""
        sender, address = "The Weekly <news@example.com>", "1 Main Street"
        self("new-publication", PUBLICATION, "--title", "The Weekly", "--from", sender, "--address", address)
        file = self.folder / "readers.csv"
        lines = (f"reader{number}@example.com,Reader {number}\n" for number in range(readers))
        file.write_text("email,name\n" + "".join(lines), encoding="utf-8")
        report = self("import-subscribers", str(file), "--publication", PUBLICATION, "--list", "readers")
        assert (report["created"], report["rejected"]) == (readers, [])

    def send(self, *, latency: float) -> tuple[int, int]:
        """An edition goes out, each request of which takes so many seconds: its id and its send's."""
        if latency:
            self.sandbox("/sandbox/faults", {"kind": "latency", "seconds": latency})
        digest = str(paths.samples_dir() / "technology-week.txt")
        edition = int(self("compose", "--publication", PUBLICATION, "--digest", digest)["edition"])
        return edition, int(self("send", str(edition), "--list", "readers")["send"])

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Asked of the database that serves, by its socket."""
        with self.data.connect() as database:
            return database.execute(sql.encode(), values).fetchall()

    def batches(self, send: int) -> dict[str, int]:
        """Batches of the send by status."""
        return dict(self.rows("SELECT status, count(*) FROM tasks_batch WHERE send_id = %s GROUP BY 1", [send]))

    def working_on(self, send: int, host: str) -> int:
        """Batches of the send that the host has claimed now."""
        return len(
            self.rows(
                "SELECT 1 FROM tasks_batch WHERE send_id = %s AND status IN ('building', 'submitting')"
                " AND claimed_by LIKE '%%' || %s || '%%'",
                [send, self.host(host).pid_namespace],
            )
        )

    def wait_until_sent(self, send: int) -> dict[str, Any]:
        deadline = time.monotonic() + UNTIL_SENT
        while True:
            told = self("status", str(send))
            assert told["status"] != "paused", told
            if told["status"] == "sent":
                return told
            assert time.monotonic() < deadline, (told, self.batches(send))
            time.sleep(0.3)

    def assert_each_reader_got_it_once(self, edition: int, readers: int) -> None:
        ledger = self.sandbox(f"/sandbox/ledger?category=edition-{edition}")
        assert (ledger["duplicates"], readers - ledger["distinct"]) == (0, 0), ledger

    def alarms(self) -> dict[str, int]:
        return dict(self.rows("SELECT code, count(*) FROM tasks_alarm WHERE cleared_at IS NULL GROUP BY 1"))

    def close(self, *, keep: bool = False) -> None:
        if self._commands is not None:
            self._commands.close()
        self.network.close()
        for home in self.folder.glob("*-home"):
            shutil.rmtree(Home(home).sockets, ignore_errors=True)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
