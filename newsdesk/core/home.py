"""NEWSDESK_HOME: where the embedded engines, the secret key, media and the state of a running `newsdesk up` live."""

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsdesk.core.file_locks import is_held

DEFAULT_PORT = 8000
DEFAULT_SANDBOX_PORT = 8025
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - the engines check who owns what is in it


@dataclass(frozen=True)
class Home:
    """The layout of one home. Nothing is created before it is needed."""

    path: Path

    @property
    def static(self) -> Path:
        return self.path / "static"

    @property
    def media(self) -> Path:
        return self.path / "media"

    @property
    def themes(self) -> Path:
        """Editors' own themes, a folder each."""
        return self.path / "themes"

    @property
    def sandbox(self) -> Path:
        return self.path / "sandbox"

    @property
    def maildir(self) -> Path:
        """Where the transport file writes."""
        return self.path / "maildir"

    @property
    def exports(self) -> Path:
        """For files about readers that are to be gone after a while."""
        return self.path / "exports"

    @property
    def ledgers(self) -> Path:
        """Ledgers of sends whose deliveries are no longer in the database."""
        return self.path / "ledgers"

    @property
    def smtp(self) -> Path:
        """What is known of SMTP requests in flight."""
        return self.path / "smtp"

    @property
    def marks(self) -> Path:
        """How far each installation that used this home has sent."""
        return self.path / "marks"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def up_lock(self) -> Path:
        """Held by a running `newsdesk up` for as long as it runs."""
        return self.path / "up.lock"

    @property
    def run_file(self) -> Path:
        """What a running `newsdesk up` tells other processes: port, addresses, sandbox."""
        return self.path / "run.json"

    @property
    def digest(self) -> str:
        """A short name that tells this home from the others on the machine."""
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:12]

    @property
    def sockets(self) -> Path:
        """A short private folder for the engines' sockets: a socket's path holds at most 104 characters on macOS.

        The same for every process of the machine, whatever its environment says about temporary files.
        """
        return SHORT_FOLDER / f"newsdesk-{self.digest}"

    def make(self) -> None:
        """Make the home, for its owner alone; what is there already keeps its rights (`site.prepare` looks at them)."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)

    def database(self) -> dict[str, Any]:
        # The port is part of the socket's name; without it PGPORT would decide.
        return {"NAME": "newsdesk", "USER": "app", "HOST": str(self.sockets), "PORT": "5432"}

    def redis_url(self) -> str:
        return f"redis+socket://{self.sockets}/valkey.sock?virtual_host=0"

    def run_state(self) -> dict[str, Any]:
        """What the `newsdesk up` that runs here says about itself; empty when none runs."""
        return _read_json(self.run_file) if is_held(self.up_lock) else {}

    def write_run_state(self, state: dict[str, Any]) -> None:
        """Tell other processes where this run is; ignored as soon as it has ended."""
        _write_json(self.run_file, state)

    def last_ports(self) -> dict[str, int]:
        """The ports of the last run by the names "web" and "sandbox": links already sent point there."""
        return {name: port for name, port in _read_json(self.path / "ports.json").items() if isinstance(port, int)}

    def remember_ports(self, ports: dict[str, int]) -> None:
        _write_json(self.path / "ports.json", {**self.last_ports(), **ports})

    def base_url(self) -> str:
        port = self.last_ports().get("web", DEFAULT_PORT)
        return str(self.run_state().get("base_url") or f"http://127.0.0.1:{port}")

    def sandbox_url(self) -> str:
        port = self.last_ports().get("sandbox", DEFAULT_SANDBOX_PORT)
        return str(self.run_state().get("sandbox_url") or f"http://127.0.0.1:{port}")

    def sandbox_public_keys(self) -> tuple[str, ...]:
        try:
            return (self.sandbox.joinpath("webhook-public-key").read_text(encoding="utf-8").strip(),)
        except OSError:
            return ()

    def secret_key(self) -> str:
        return self._secret("secret-key", prefix="")

    def sandbox_api_key(self) -> str:
        return self._secret("sandbox-api-key", prefix="SG.sandbox.")

    def sandbox_api_key_file(self) -> Path:
        """Where the sandbox's key is kept, once it is made."""
        self.sandbox_api_key()
        return self.path / "sandbox-api-key"

    def first_password(self) -> str:
        """The password of the first login, as long as nobody has chosen another."""
        return self._secret("first-password", prefix="", length=12)

    def tell_first_password(self) -> bool:
        """Whether it may be shown now: once in the life of a home."""
        try:
            self.path.joinpath("first-password-told").touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _secret(self, name: str, *, prefix: str, length: int = 48) -> str:
        """Read a 0600 file, or make it; two processes that start at once agree on the first one's value."""
        target = self.path / name
        try:
            return target.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            self.make()
        draft = self.path / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(prefix + secrets.token_urlsafe(length) + "\n")
        try:
            os.link(draft, target)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return target.read_text(encoding="utf-8").strip()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace the file at once, so that nobody reads half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
