"""The services of docker-compose.yml in containers of their own project, by the commands an operator types."""

import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

from newsdesk.core import paths
from tests.command_line import ROOT
from tests.waiting import LONG

ENV_FILE = "docker-compose.sandbox.env"
#: An image of its own: whoever runs the tests keeps theirs.
IMAGE = "newsdesk-tests"
#: Seconds, in failure only: a build takes in what requirements.txt pins.
UNTIL_BUILT = 1800.0
UNTIL_UP = 600.0
#: Seconds that one command may take, in failure only: it starts a container, or a Python in one.
UNTIL_ANSWERED = 300.0
#: Seconds that a send with misfortunes may take, in failure only.
UNTIL_SENT = 600.0
PUBLICATION = "weekly"


def why_not() -> str:
    """Why no container can run here; empty when they can."""
    for words, missing in ((("info",), "no container engine answers"), (("compose", "version"), "no Docker Compose")):
        try:
            asked = subprocess.run(["docker", *words], capture_output=True, timeout=30, check=False)
        except FileNotFoundError:
            return "there is no docker command"
        except subprocess.TimeoutExpired:
            return "the container engine does not answer"
        if asked.returncode:
            return missing
    return ""


class Stack:
    """One project, on free ports. `close` takes its containers, network and volumes away; the image stays, for the next."""

    def __init__(self, *, workers: int = 2) -> None:
        self.project = f"newsdesk-tests-{uuid4().hex[:8]}"
        #: Whether every health check has passed once.
        self.is_up = False
        self._ids: dict[str, str] = {}
        ours = ("NEWSDESK_", "COMPOSE_", "SENDGRID_", "POSTGRES_", "SECRET_KEY", "BASE_URL", "DKIM_", "SMTP_")
        # Compose prefers what it inherits to the file.
        rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self._environment = {**rest, "NEWSDESK_IMAGE": IMAGE, "WEB_PORT": "0", "SANDBOX_PORT": "0"}
        self._environment |= {"WORKERS": str(workers), "NEWSDESK_UNDO_SECONDS": "0"}

    def compose(self, *words: str, seconds: float = UNTIL_ANSWERED) -> str:
        """What it printed; fails with its errors."""
        done = subprocess.run(
            ["docker", "compose", "--env-file", ENV_FILE, "--project-name", self.project, *words],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def build(self) -> None:
        self.compose("build", seconds=UNTIL_BUILT)

    def up(self) -> None:
        """Start everything and wait until every health check passes."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", str(int(UNTIL_UP)), seconds=UNTIL_UP + 60)
        self.is_up = True
        self._ids.clear()

    def close(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")

    def logs(self) -> str:
        return self.compose("logs", "--no-color", "--tail", "80")

    def container(self, service: str) -> str:
        """The id of the service's first, as long as it is the same: `up` after `down` makes others."""
        if service not in self._ids:
            self._ids[service] = self.compose("ps", "--all", "--quiet", service).split()[0]
        return self._ids[service]

    def workers_by_namespace(self) -> dict[str, str]:
        """The containers of running workers, by the pid namespace that stands in the name of a claim's holder."""
        containers = self.compose("ps", "--quiet", "worker").split()
        return {self.inside(one, "readlink", "/proc/1/ns/pid").strip(): one for one in containers}

    def inside(self, container: str, *words: str) -> str:
        done = subprocess.run(
            ["docker", "exec", container, *words], capture_output=True, text=True, timeout=UNTIL_ANSWERED, check=False
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def kill(self, container: str) -> None:
        subprocess.run(["docker", "kill", container], capture_output=True, timeout=UNTIL_ANSWERED, check=True)

    def url(self, service: str, port: int) -> str:
        """Where it is published on this machine."""
        return f"http://{self.compose('port', service, str(port)).strip()}"

    def health(self) -> dict[str, str]:
        try:
            with urllib.request.urlopen(f"{self.url('web', 8000)}/healthz", timeout=LONG) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                return dict(json.loads(error.read()))
        except OSError as error:
            return {"web": str(error)}

    def __call__(self, *words: str) -> dict[str, Any]:
        """A command of Newsdesk's."""
        return dict(json.loads(self.compose("exec", "-T", "web", "newsdesk", *words, "--json")))

    def with_file(self, content: str, *words: str) -> dict[str, Any]:
        """A command that reads a file of this machine, which it finds as /in."""
        with tempfile.NamedTemporaryFile("w", prefix="newsdesk-tests-", suffix=".txt", encoding="utf-8") as file:
            # The image's user is another.
            Path(file.name).chmod(0o644)
            file.write(content)
            file.flush()
            mounted = ("--volume", f"{file.name}:/in:ro", "web", "newsdesk", *words, "--json")
            return dict(json.loads(self.compose("run", "--rm", "--no-deps", "-T", *mounted)))

    def furnish(self, readers: int) -> None:
        """A publication and a list "readers"."""
        sender, address = "The Weekly <news@example.com>", "1 Main Street"
        self("new-publication", PUBLICATION, "--title", "The Weekly", "--from", sender, "--address", address)
        lines = "".join(f"reader{number}@example.com,Reader {number}\n" for number in range(readers))
        words = ("import-subscribers", "/in", "--publication", PUBLICATION, "--list", "readers")
        report = self.with_file(f"email,name\n{lines}", *words)
        assert (report["created"], report["rejected"]) == (readers, [])

    def send(self, digest: Path | None = None) -> tuple[int, int]:
        """An edition of this digest, or of a sample, goes out to everybody: its id and its send's."""
        text = (digest or paths.samples_dir() / "city-week.txt").read_text(encoding="utf-8")
        edition = int(self.with_file(text, "compose", "--publication", PUBLICATION, "--digest", "/in")["edition"])
        return edition, int(self("send", str(edition), "--list", "readers")["send"])

    def sandbox(self, path: str, body: object = None) -> Any:
        key = self.inside(self.container("sandbox"), "cat", "/var/lib/newsdesk/sandbox/page-key").strip()
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        request = urllib.request.Request(f"{self.url('sandbox', 8025)}{path}", data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=LONG) as answer:
            return json.loads(answer.read() or b"null")

    def rows(self, sql: str) -> list[list[str]]:
        """Asked of the database in its own container."""
        words = ("psql", "--username=newsdesk", "--no-align", "--tuples-only", "--field-separator=\t", "--command", sql)
        return [line.split("\t") for line in self.inside(self.container("db"), *words).splitlines()]

    def batches(self, send: int) -> dict[str, int]:
        """Batches of the send by status."""
        rows = self.rows(f"SELECT status, count(*) FROM tasks_batch WHERE send_id = {send} GROUP BY 1")
        return {status: int(count) for status, count in rows}

    def claims(self, send: int) -> dict[int, str]:
        """Who holds which batch of the send."""
        sql = f"SELECT id, claimed_by FROM tasks_batch WHERE send_id = {send} AND status IN ('building', 'submitting')"
        return {int(batch): holder for batch, holder in self.rows(sql)}

    def wait_until_sent(self, send: int) -> dict[str, Any]:
        deadline = time.monotonic() + UNTIL_SENT
        while (status := self.rows(f"SELECT status FROM tasks_send WHERE id = {send}")[0][0]) != "sent":
            assert status != "paused", self("status", str(send))
            assert time.monotonic() < deadline, (self("status", str(send)), self.batches(send))
            time.sleep(0.3)
        return self("status", str(send))

    def assert_each_reader_got_it_once(self, edition: int, readers: int) -> None:
        ledger = self.sandbox(f"/sandbox/ledger?category=edition-{edition}")
        assert (ledger["duplicates"], readers - ledger["distinct"]) == (0, 0), ledger
