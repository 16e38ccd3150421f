"""Other users of this machine, and whoever reaches its network, neither read the mails nor the keys."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from newsdesk.core.home import Home
from newsdesk.local_stack import programs
from sandbox.__main__ import options_from
from sandbox.options import SandboxOptions
from sandbox.server import Sandbox, running


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_it_keeps_is_its_owners_alone(sandbox: Sandbox, options: SandboxOptions, post: Any, make_mail: Any,
                                           until: Any) -> None:  # fmt: skip
    assert post(make_mail()).status == 202
    new = options.home / "outbox" / "new"
    until(lambda: any(new.iterdir()))

    assert {rights(folder) for folder in (options.home, options.home / "outbox", new)} == {0o700}
    kept = [
        path for path in options.home.rglob("*") if path.is_file() and path.name not in {"lock", "webhook-public-key"}
    ]
    assert {path.suffix for path in kept} >= {".sandbox", ".pem", ".sqlite3", ".json"}
    assert {str(path): oct(rights(path)) for path in kept if rights(path) & 0o077} == {}


def test_a_home_of_an_earlier_version_is_closed(options: SandboxOptions) -> None:
    options.home.mkdir(mode=0o755)
    (options.home / "outbox").mkdir(mode=0o755)
    (options.home / "ledger.sqlite3").touch(mode=0o644)
    with running(options):
        assert rights(options.home) == rights(options.home / "outbox") == 0o700
        assert rights(options.home / "ledger.sqlite3") == 0o600


def test_no_key_stands_on_a_command_line(tmp_path: Path) -> None:
    home = Home(tmp_path)
    program = programs.sandbox(home, 3, web_url="http://127.0.0.1:1", public_url="http://127.0.0.1:1")

    assert home.sandbox_api_key() not in " ".join(str(part) for part in program.command)
    assert options_from([str(part) for part in program.command[3:]]).api_key == home.sandbox_api_key()


def test_the_key_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SANDBOX_API_KEY", "SG.env")
    assert options_from(["--home", str(tmp_path)]).api_key == "SG.env"
    assert options_from(["--home", str(tmp_path), "--api-key", "SG.given"]).api_key == "SG.given"


@pytest.mark.parametrize("content", [None, b"", b"\xff"])
def test_a_key_file_that_cannot_be_used_is_named(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match="--api-key-file"):
        options_from(["--home", str(tmp_path), "--api-key-file", str(file)])


@pytest.fixture
def everywhere(options: SandboxOptions) -> Iterator[Sandbox]:
    with running(replace(options, host="0.0.0.0")) as made:
        yield made


PAGES = (
    "/",
    "/sandbox/messages",
    "/sandbox/ledger",
    "/sandbox/faults",
    "/sandbox/webhooks",
    "/sandbox/view/1",
    "/sandbox/events",
)


def test_beyond_this_machine_the_pages_open_with_a_key(everywhere: Sandbox, http: Any) -> None:
    url = f"http://127.0.0.1:{everywhere.port}"
    assert {page: http.request("GET", url + page).status for page in PAGES} == dict.fromkeys(PAGES, 403)
    assert http.request("POST", f"{url}/sandbox/faults", json={"kind": "error", "status": 503}).status == 403
    assert http.request("GET", f"{url}/?key=wrong").status == 403
    assert (
        http.request(
            "GET", f"{url}/", headers={"Cookie": "sandbox_key=früh".encode("latin-1").decode("latin-1")}
        ).status
        == 403
    )
    assert http.request("GET", f"{url}/sandbox/health").status == 200

    opened = http.request("GET", f"{url}/?q=a&key={everywhere.new_page_key}", redirect=False)
    assert (opened.status, opened.headers["Location"]) == (303, "/?q=a")
    cookie = opened.headers["Set-Cookie"].split(";")[0]
    assert http.request("GET", f"{url}/?q=a", headers={"Cookie": cookie}).status == 200
    bearer = {"Authorization": f"Bearer {everywhere.new_page_key}"}
    assert http.request("GET", f"{url}/sandbox/messages", headers=bearer).status == 200


def test_the_api_asks_for_its_own_key_only(everywhere: Sandbox, http: Any, make_mail: Any) -> None:
    url = f"http://127.0.0.1:{everywhere.port}/v3/mail/send"
    answer = http.request("POST", url, json=make_mail(), headers={"Authorization": "Bearer SG.test"})
    assert answer.status == 202


def test_the_key_of_the_pages_is_told_once(options: SandboxOptions) -> None:
    there = replace(options, host="0.0.0.0")
    with running(there) as first:
        key = first.new_page_key
    with running(there) as second:
        assert (second.new_page_key, bool(key)) == ("", True)
    assert (options.home / "page-key").read_text().strip() == key
    assert rights(options.home / "page-key") == 0o600


def test_on_this_machine_there_is_none(sandbox: Sandbox, options: SandboxOptions, http: Any) -> None:
    assert http.request("GET", f"{sandbox.url}/").status == 200
    assert not (options.home / "page-key").exists()
