"""The server that production runs: large bodies cost no memory, what is too large is answered, and so is health, always."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import pytest

from newsdesk.core.home import Home
from newsdesk.local_stack import gunicorn_config
from tests.machine import children
from tests.reports import SigningKey
from tests.waiting import eventually

pytestmark = pytest.mark.integration

KEY = SigningKey()
MEGABYTE = 1024 * 1024


class Connection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))


@pytest.fixture(scope="module")
def database(database_home: Home, django_db_setup: None) -> Iterator["psycopg.Connection[Any]"]:
    """One for the whole module, since making it anew costs as much as all of its tests."""
    where = {"host": str(database_home.sockets), "port": 5432, "user": "app", "dbname": "newsdesk_test"}
    with psycopg.connect(**where, autocommit=True) as connection:  # type: ignore[arg-type]
        yield connection
        for table in ("tasks_receipt", "tasks_webhookcall", "tasks_webhookstate"):
            connection.execute(f"DELETE FROM {table}".encode())


@pytest.fixture(scope="module")
def server(
    database: "psycopg.Connection[Any]", valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, int]]:
    """Where gunicorn listens, and its process."""
    tmp_path = tmp_path_factory.mktemp("server")
    listens = tmp_path / "web.sock"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("NEWSDESK_")},
        "DJANGO_SETTINGS_MODULE": "newsdesk.settings",
        "NEWSDESK_HOME": str(tmp_path / "home"),
        "DATABASE_URL": f"postgresql://app@/newsdesk_test?host={database.info.host}&port=5432",
        "REDIS_URL": valkey_url,
        "BASE_URL": "http://127.0.0.1:8000",
        "SENDGRID_API_KEY": "SG.test",
        "SENDGRID_WEBHOOK_PUBLIC_KEYS": KEY.public,
    }
    (tmp_path / "home" / "static").mkdir(parents=True)
    words = ["--config", "python:newsdesk.local_stack.gunicorn_config", "--workers", "1", "--bind", f"unix:{listens}"]
    process = subprocess.Popen([sys.executable, "-m", "gunicorn", *words], env=environment)
    try:
        assert eventually(lambda: bool(children(process.pid)) and answers(listens))
        yield listens, children(process.pid)[0]
    finally:
        process.terminate()
        process.wait()


def answers(listens: Path) -> bool:
    try:
        return status_of(Connection(listens), "GET", "/u/nobody", b"", {}) > 0
    except OSError:
        return False


def status_of(connection: HTTPConnection, method: str, path: str, body: object, headers: dict[str, str]) -> int:
    """The whole body is written before the answer is read, as simple clients do."""
    connection.request(method, path, body=body, headers=headers, encode_chunked=True)  # type: ignore[arg-type]
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def pieces(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield b" " * MEGABYTE


CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize("path", ["/webhooks/sendgrid", "/webhooks/sendgrid/"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_33_megabytes_are_a_clean_413(server: tuple[Path, int], path: str, is_chunked: bool) -> None:
    listens, worker = server
    before = peak_kilobytes(worker)
    headers = CHUNKED if is_chunked else {"Content-Length": str(60 * MEGABYTE)}

    assert status_of(Connection(listens), "POST", path, pieces(60), headers) == 413
    assert peak_kilobytes(worker) - before < 8 * 1024


def test_a_signed_call_in_chunks_is_taken(server: tuple[Path, int], database: "psycopg.Connection[Any]") -> None:
    listens, _worker = server
    body = b'[{"event":"open","email":"reader@example.com"}]'
    headers = {**KEY.headers(body), **CHUNKED, "Content-Type": "application/json"}

    assert status_of(Connection(listens), "POST", "/webhooks/sendgrid", iter([body[:9], body[9:]]), headers) == 204
    assert database.execute("SELECT count(*) FROM tasks_receipt WHERE body = %s", [body]).fetchone() == (1,)


def test_a_large_call_goes_to_its_receipt_piece_by_piece(
    server: tuple[Path, int], database: "psycopg.Connection[Any]"
) -> None:
    """Many that come at once must not cost as many times their size: a first one, so that all is loaded, then four together."""
    listens, worker = server
    body = b'[{"event":"open","email":"reader@example.com"}' + b" " * (24 * MEGABYTE) + b"]"

    def take(moment: int) -> int:
        headers = {**KEY.headers(body, timestamp=str(moment)), "Content-Type": "application/json"}
        return status_of(Connection(listens), "POST", "/webhooks/sendgrid", body, headers)

    small = b"[]"
    assert status_of(Connection(listens), "POST", "/webhooks/sendgrid", small, KEY.headers(small)) == 204
    before = peak_kilobytes(worker)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(take, range(1600112500, 1600112504))) == {204}
    assert peak_kilobytes(worker) - before < 16 * 1024
    assert database.execute("SELECT count(*) FROM tasks_receipt WHERE body = %s", [body]).fetchone() == (4,)


def test_chunks_that_are_none_are_the_callers_fault(server: tuple[Path, int]) -> None:
    listens, _worker = server
    connection = Connection(listens)
    connection.connect()
    connection.sock.sendall(
        b"POST /webhooks/sendgrid HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\nmore\r\n\r\n"
    )
    with closing(connection), connection.sock.makefile("rb") as answer:
        assert answer.readline().split()[1] == b"400"


def test_health_is_answered_while_all_threads_wait_and_idle_connections_take_none(server: tuple[Path, int]) -> None:
    listens, _worker = server

    def opened(sent: bytes) -> socket.socket:
        connection = Connection(listens)
        connection.connect()
        connection.sock.sendall(sent)
        return connection.sock

    with ExitStack() as open_ones:
        # Were each to wait in a thread for five seconds, this would be ten rounds.
        for _ in range(10 * gunicorn_config.threads):
            open_ones.enter_context(opened(b""))
        began = time.monotonic()
        assert status_of(Connection(listens), "GET", "/u/nobody", b"", {}) == 404
        assert time.monotonic() - began < 25
        for _ in range(gunicorn_config.threads):
            open_ones.enter_context(opened(b"POST /webhooks/sendgrid HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"))
        with ThreadPoolExecutor(60) as asking:
            questions = [asking.submit(status_of, Connection(listens), "GET", "/healthz", None, {}) for _ in range(60)]
            assert {question.result() for question in questions} == {503}
        # Half a question about health does not take the thread of the others.
        open_ones.enter_context(opened(b"GET /healthz HTTP/1.1\r\nHost"))
        assert status_of(Connection(listens), "GET", "/healthz", None, {}) == 503


def peak_kilobytes(pid: int) -> int:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])
