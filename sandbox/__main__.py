"""`python -m sandbox`."""

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

import orjson

from sandbox.activity_settings import ActivitySettings
from sandbox.ledger import LedgerError
from sandbox.options import ALL_SCOPES, SandboxOptions, parser
from sandbox.server import serve
from sandbox.state import HomeError
from sandbox.webhook_settings import WebhookSettings


def options_from(arguments: list[str] | None = None) -> SandboxOptions:
    """The options of a command line. Raises ValueError; argparse exits with 2 by itself."""
    options = vars(parser().parse_args(arguments))
    names = [spec.name for spec in dataclasses.fields(WebhookSettings)]
    webhooks = WebhookSettings().changed({name: options.pop(name) for name in names})
    of_feed = [spec.name for spec in dataclasses.fields(ActivitySettings)]
    activity = ActivitySettings().changed({name: options.pop(f"activity_{name}") for name in of_feed})
    faults: Any = []
    path = options.pop("faults")
    if path is not None:
        try:
            faults = orjson.loads(path.read_bytes())
        except (orjson.JSONDecodeError, OSError) as error:
            raise ValueError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    options["api_key"] = _api_key(options["api_key"], options.pop("api_key_file"))
    return SandboxOptions(
        webhooks=webhooks,
        activity=activity,
        faults=tuple(faults if isinstance(faults, list) else [faults]),
        scopes=tuple(options.pop("scope") or ALL_SCOPES),
        verified_senders=tuple(options.pop("verified_sender") or ()),
        map_urls=tuple(options.pop("map_url") or ()),
        **options,
    )


def _api_key(given: str | None, file: Path | None) -> str | None:
    if file is None:
        return given or os.environ.get("SANDBOX_API_KEY") or None
    if given:
        raise ValueError("--api-key and --api-key-file: give one of them")
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"--api-key-file: {file}: {getattr(error, 'strerror', None) or error}") from error
    if not key:
        raise ValueError(f"--api-key-file: {file} is empty")
    return key


def main(arguments: list[str] | None = None) -> int:
    """Run the command line (of this process, by default). Exit status: 0 after a clean stop, 2 for wrong input, 1 when it cannot run."""
    try:
        options = options_from(arguments)
        serve(options)
    except ValueError as error:
        return _complain(error, 2)
    except (HomeError, LedgerError, OSError) as error:
        return _complain(error, 1)
    return 0


def _complain(error: Exception, status: int) -> int:
    sys.stderr.write(f"sandbox: {error}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
