"""NEWSDESK_HOME: where the embedded engines, the secret key, media and the state of a running `newsdesk up` live."""

import hashlib
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
    def sandbox(self) -> Path:
        return self.path / "sandbox"

    @property
    def run_file(self) -> Path:
        """What a running `newsdesk up` tells other processes: port, addresses, sandbox."""
        return self.path / "run.json"

    @property
    def sockets(self) -> Path:
        """A short private folder for the engines' sockets: a socket's path holds at most 104 characters on macOS."""
        digest = hashlib.sha256(str(self.path).encode()).hexdigest()[:12]
        return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"newsdesk-{digest}"

    def database(self) -> dict[str, Any]:
        return {"NAME": "newsdesk", "USER": "app", "HOST": str(self.sockets)}

    def redis_url(self) -> str:
        return f"redis+socket://{self.sockets}/valkey.sock?virtual_host=0"

    def run_state(self) -> dict[str, Any]:
        """The last state a `newsdesk up` wrote; empty when none ran here."""
        try:
            state = json.loads(self.run_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def base_url(self) -> str:
        return str(self.run_state().get("base_url") or "http://127.0.0.1:8000")

    def sandbox_url(self) -> str:
        return str(self.run_state().get("sandbox_url") or "http://127.0.0.1:8025")

    def sandbox_public_keys(self) -> tuple[str, ...]:
        try:
            return (self.sandbox.joinpath("webhook-public-key").read_text(encoding="utf-8").strip(),)
        except OSError:
            return ()

    def secret_key(self) -> str:
        return self._secret("secret-key", prefix="")

    def sandbox_api_key(self) -> str:
        return self._secret("sandbox-api-key", prefix="SG.sandbox.")

    def _secret(self, name: str, *, prefix: str) -> str:
        """Read a 0600 file, or make it; two processes that start at once agree on the first one's value."""
        target = self.path / name
        try:
            return target.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            self.path.mkdir(parents=True, exist_ok=True)
        draft = self.path / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(prefix + secrets.token_urlsafe(48) + "\n")
        try:
            os.link(draft, target)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return target.read_text(encoding="utf-8").strip()
