"""docker-compose.yml cannot rot: each service's command runs here, by hand, with a database and a broker of its own.

What a container engine would do is done by this file: variables are filled in from docker-compose.sandbox.env, hosts and
ports are those of this machine, PostgreSQL and Valkey come from the wheels. Then a send goes out and its events come back.
"""

import csv
import json
import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from newsdesk.core import paths
from newsdesk.core.home import Home
from newsdesk.local_stack.engines import binaries
from newsdesk.local_stack.engines.engines import Engines
from tests.machine import UNTIL_UP
from tests.waiting import LONG, eventually

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux"),
]

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
READERS = 1500
IMAGE_HOME = "/var/lib/newsdesk"
PORTS = {"8000": "web", "8025": "sandbox", "6379": "redis"}
SERVICES = {"web", "worker", "beat", "migrate", "db", "redis", "sandbox"}
_VARIABLE = re.compile(r"\$\{(\w+)(?:(:?[-?])([^}]*))?\}|\$\$")


def settings_file(path: Path) -> dict[str, str]:
    """An env file as Compose reads it: NAME=value, a line each."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def filled(text: str, variables: dict[str, str]) -> str:
    """Compose's interpolation: ${NAME}, ${NAME:-default}, ${NAME:?complaint}, $$."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name, operator, word = match.groups()
        given = variables.get(name, "")
        if operator and operator.endswith("?"):
            assert given, f"{name}: {word}"
        return given or (word if operator and operator.endswith("-") else "")

    return _VARIABLE.sub(value, text)


class Stage:
    """The services of the file, run on this machine in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        (self.home / "sandbox").mkdir(parents=True)
        self.variables = settings_file(ROOT / "docker-compose.sandbox.env")
        self.ports = {name: free_port() for name in PORTS.values()}
        self.services = self._services()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.database_url = ""

    def _services(self) -> dict[str, Any]:
        text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
        services = yaml.safe_load(text)["services"]
        assert isinstance(services, dict)
        return {name: self._local(service) for name, service in services.items()}

    def _local(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._local(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._local(each) for each in value]
        return self._here(filled(value, self.variables)) if isinstance(value, str) else value

    def _here(self, text: str) -> str:
        """The same address, as it is on this machine."""
        text = re.sub(r"//(web|sandbox|redis)\b", "//127.0.0.1", text).replace("0.0.0.0", "127.0.0.1")
        for port, name in PORTS.items():
            text = re.sub(rf"(?<=[:=]){port}\b", str(self.ports[name]), text)
        return text.replace("/tmp", str(self.folder)).replace(IMAGE_HOME, str(self.home))

    def environment(self, service: str) -> dict[str, str]:
        given = {**self.services[service].get("environment", {}), "NEWSDESK_HOME": str(self.home)}
        if "DATABASE_URL" in given:
            given["DATABASE_URL"] = self.database_url
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "PYTHONUNBUFFERED": "1", "NEWSDESK_LOG_LEVEL": "INFO", **given}

    def start(self, service: str, *, command: list[str] | None = None) -> None:
        with (self.folder / f"{service}.log").open("wb") as log:
            self.running[service] = subprocess.Popen(
                command or self.services[service]["command"],
                env=self.environment(service),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *words: str, service: str = "web") -> "subprocess.CompletedProcess[str]":
        """What `docker compose run` would do."""
        return subprocess.run(
            words,
            env=self.environment(service),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )

    def newsdesk(self, *words: str) -> dict[str, Any]:
        done = self.run("newsdesk", *words, "--json")
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    def healthy(self, service: str) -> bool:
        """What the service's own health check says."""
        kind, *words = self.services[service]["healthcheck"]["test"]
        words = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        return self.run(*words, service=service).returncode == 0

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text(encoding="utf-8", errors="replace")

    def stop(self, service: str) -> int:
        """As the engine does: the service's stop signal, then its grace, at the end of which it would be killed."""
        process = self.running.pop(service)
        number = signal.Signals[self.services[service].get("stop_signal", "SIGTERM")]
        process.send_signal(number)
        return process.wait(float(self.services[service]["stop_grace_period"].removesuffix("s")))


def free_port() -> int:
    """Below those that the kernel gives to whoever asks for any: nobody takes it before the service does."""
    dice = random.Random(f"{os.getpid()}/{time.time_ns()}")
    while True:
        number = dice.randrange(20_000, 30_000)
        try:
            socket.create_server(("127.0.0.1", number)).close()
        except OSError:
            continue
        return number


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=LONG) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Everything the file starts, in the order in which its conditions allow it."""
    folder = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
    folder.chmod(0o711)
    stage = Stage(folder)
    database = Home(folder / "database")
    database.path.mkdir(mode=0o711)
    try:
        with ExitStack() as stack:
            stack.enter_context(Engines(database, valkey=False))
            stage.database_url = make_database(stage, database)
            stack.callback(end_all, stage)
            start_all(stage)
            yield stage
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_database(stage: Stage, home: Home) -> str:
    """What the image of the db service makes of its environment; the URL is the file's, by way of a socket."""
    given = stage.services["db"]["environment"]
    user, password, name = (given[f"POSTGRES_{word}"] for word in ("USER", "PASSWORD", "DB"))
    asked = stage.services["web"]["environment"]["DATABASE_URL"]
    assert asked == f"postgresql://{user}:{password}@db:5432/{name}"
    with psycopg.connect(
        host=str(home.sockets), port=5432, user="app", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'".encode())
        connection.execute(f"ALTER DATABASE newsdesk OWNER TO {user}".encode())
        connection.execute("GRANT ALL ON SCHEMA public TO PUBLIC")
    return asked.replace("@db:5432", "@") + f"?host={home.sockets}&port=5432"


def start_all(stage: Stage) -> None:
    program, *options = stage.services["redis"]["command"]
    assert program == "valkey-server"
    here = ["--port", str(stage.ports["redis"]), "--bind", "127.0.0.1", "--dir", str(stage.folder)]
    stage.start("redis", command=[str(binaries.valkey()), *options, *here])
    stage.start("sandbox")
    assert eventually(lambda: stage.healthy("sandbox")), stage.log("sandbox")
    stage.start("migrate")
    assert stage.running.pop("migrate").wait(UNTIL_UP) == 0, stage.log("migrate")
    command = re.search(r"newsdesk collectstatic .*", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert command is not None
    collected = stage.run(*shlex.split(command[0]))
    assert collected.returncode == 0, collected.stderr
    for service in ("web", "worker", "beat"):
        stage.start(service)
    for service in ("worker", "web", "beat"):
        assert eventually(lambda service=service: stage.healthy(service)), stage.log(service)


def end_all(stage: Stage) -> None:
    for process in stage.running.values():
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_file_names_what_the_image_has() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert set(services) == SERVICES
    assert f"NEWSDESK_HOME={IMAGE_HOME} " in dockerfile
    assert f"CMD {json.dumps(services['web']['command'])}" in dockerfile
    assert services["sandbox"]["profiles"] == ["sandbox"]
    ours = SERVICES - {"db", "redis"}
    assert {services[name]["stop_grace_period"] for name in SERVICES - {"worker"}} == {"60s"}
    assert services["worker"]["stop_grace_period"] == "90s"
    for name in ours - {"sandbox"}:
        assert f"media:{IMAGE_HOME}/media" in services[name]["volumes"]
    assert not {name for name in SERVICES - {"migrate"} if "healthcheck" not in services[name]}
    assert {"--appendonly", "noeviction"} <= set(services["redis"]["command"])


def test_without_its_variables_it_does_not_start() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    needed = {match[1] for match in _VARIABLE.finditer(text) if match[2] == ":?"}
    assert needed == {"POSTGRES_PASSWORD", "SECRET_KEY", "BASE_URL", "SENDGRID_API_KEY"}
    assert needed <= set(settings_file(ROOT / "docker-compose.sandbox.env"))


def test_static_files_are_served(stage: Stage) -> None:
    with urllib.request.urlopen(f"{stage.url('web')}/desk/login/", timeout=LONG) as answer:
        stylesheet = re.search(r'href="(/static/[^"]+\.css)"', answer.read().decode())
    assert stylesheet is not None
    with urllib.request.urlopen(stage.url("web") + stylesheet[1], timeout=LONG) as answer:
        assert answer.status == 200


def test_a_send_goes_out_and_its_events_come_back(stage: Stage, tmp_path: Path) -> None:
    readers = tmp_path / "readers.csv"
    with readers.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["email", "name"])
        rows.writerows(
            [f"{'unsub+' if at % 100 == 7 else ''}reader{at}@example.com", f"Reader {at}"] for at in range(READERS)
        )
    address = ("--from", "The Weekly <news@example.com>", "--address", "1 Main Street, Singapore 018956")
    stage.newsdesk("new-publication", "weekly", "--title", "The Weekly", *address)
    imported = stage.newsdesk("import-subscribers", str(readers), "--publication", "weekly", "--list", "all")
    assert imported["created"] == READERS
    digest = str(paths.samples_dir() / "city-week.txt")
    edition = stage.newsdesk("compose", "--publication", "weekly", "--digest", digest)["edition"]
    send = stage.newsdesk("send", str(edition), "--list", "all")["send"]

    def told() -> dict[str, Any]:
        return stage.newsdesk("status", str(send))

    assert eventually(lambda: told()["status"] == "sent"), (told(), stage.log("worker"))
    assert eventually(lambda: ask(f"{stage.url('sandbox')}/sandbox/events")["quiet"])
    assert eventually(lambda: told()["delivered"] == READERS), (told(), stage.log("worker"))
    counts = told()
    assert (counts["candidates"], counts["submitted"], counts["unknown"]) == (READERS, READERS, 0)
    # They unsubscribed through the public address, which the sandbox reaches inside.
    assert counts["unsubscribed"] == READERS // 100
    ledger = ask(f"{stage.url('sandbox')}/sandbox/ledger?category=edition-{edition}")
    assert (ledger["distinct"], ledger["duplicates"]) == (READERS, 0)


def test_a_webhook_call_nobody_signed_is_refused(stage: Stage) -> None:
    request = urllib.request.Request(f"{stage.url('web')}/webhooks/sendgrid", data=b"[]", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=LONG)
    with refused.value as answer:
        assert answer.code == 403


def test_every_service_stops_when_it_is_asked(stage: Stage) -> None:
    for service in ("beat", "worker", "web", "sandbox", "redis"):
        assert stage.stop(service) == 0, stage.log(service)
        assert "Traceback" not in stage.log(service)
