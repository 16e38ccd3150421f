"""What a sandbox can be told when it starts, and the command line that tells it."""

import argparse
import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.activity_settings import ActivitySettings
from sandbox.faults import FAULT_HELP
from sandbox.webhook_settings import WebhookSettings

ALL_SCOPES = (
    "mail.send",
    "mail.batch.create",
    "sender_verification_eligible",
    "suppression.read",
    "suppression.delete",
    "user.webhooks.event.settings.read",
    "email_activity.read",
)


@dataclass(frozen=True, kw_only=True)
class SandboxOptions:
    #: Folder of the ledger, the webhook key and the Maildir; made when missing.
    home: Path
    host: str = "127.0.0.1"
    #: 0 takes a free port.
    port: int = 0
    #: An inherited listening socket; wins over host and port.
    fd: int | None = None
    #: The key a client must show; None lets every bearer in.
    api_key: str | None = None
    scopes: tuple[str, ...] = ALL_SCOPES
    #: From addresses (or `@domain`) that may send; empty lets everyone send.
    verified_senders: tuple[str, ...] = ()
    #: Recipients this account may still reach over the life of its ledger; None is unlimited.
    credits: int | None = None
    seed: int = 0
    #: Newest messages kept as files in the Maildir.
    outbox: int = 1000
    #: Faults in force from the start, each as the JSON object that `POST /sandbox/faults` takes.
    faults: tuple[dict[str, object], ...] = ()
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    activity: ActivitySettings = field(default_factory=ActivitySettings)
    #: Shares of ordinary addresses that open and click.
    open_rate: float = 0.0
    click_rate: float = 0.0
    #: Follow links to hosts other than loopback and the webhook's own.
    fetch_anywhere: bool = False
    #: (from, to) prefixes applied to links before they are followed, for when a public address differs from here.
    map_urls: tuple[tuple[str, str], ...] = ()
    #: Log each request to stderr.
    verbose: bool = False


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _url_pair(text: str) -> tuple[str, str]:
    before, separator, after = text.partition("=")
    if not separator or not before.startswith("http") or not after.startswith("http"):
        raise argparse.ArgumentTypeError(f"{text} is not of the form http://from=http://to")
    return before, after


def parser() -> argparse.ArgumentParser:
    """The command line of `python -m sandbox`."""
    result = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A SendGrid on your own machine: accepts mail, shows it, and posts signed events.",
        epilog=FAULT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_serving(result)
    _add_account(result)
    _add_behaviour(result)
    _add_webhooks(result)
    _add_activity(result)
    return result


def _add_serving(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("where it listens and keeps things")
    group.add_argument("--home", type=Path, required=True, help="folder of the ledger, the webhook key and the outbox")
    group.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    group.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one, printed)")
    group.add_argument("--fd", type=int, help="number of an inherited listening socket, instead of host and port")
    group.add_argument(
        "--outbox",
        type=int,
        default=1000,
        metavar="N",
        help="newest messages kept in HOME/outbox (default %(default)s)",
    )
    group.add_argument("--verbose", action="store_true", help="log each request to stderr")


def _add_account(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("the account")
    group.add_argument(
        "--api-key-file",
        type=Path,
        metavar="FILE",
        help="file with the key clients must show (default: SANDBOX_API_KEY of the environment, else any key will do)",
    )
    group.add_argument(
        "--api-key", help="the key itself: other users of this machine can read it in the list of processes"
    )
    group.add_argument(
        "--scope", action="append", metavar="SCOPE", help="a permission of the key; repeat (default: all it needs)"
    )
    group.add_argument(
        "--verified-sender",
        action="append",
        metavar="ADDRESS",
        help="who may be in from: an address or @domain; repeat",
    )
    group.add_argument("--credits", type=int, metavar="N", help="recipients until 'Maximum credits exceeded'")


def _add_behaviour(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("how it and the readers behave")
    group.add_argument("--seed", type=int, default=0, help="seed of everything random (default %(default)s)")
    group.add_argument("--faults", type=Path, metavar="FILE.json", help="faults in force from the start, see below")
    group.add_argument("--open-rate", type=_share, default=0.0, metavar="P", help="share of ordinary readers who open")
    group.add_argument(
        "--click-rate", type=_share, default=0.0, metavar="P", help="share of ordinary readers who click"
    )
    group.add_argument(
        "--fetch-anywhere", action="store_true", help="let scanner+ and unsub+ reach hosts beyond this machine"
    )
    group.add_argument(
        "--map-url",
        action="append",
        type=_url_pair,
        metavar="FROM=TO",
        help="follow links that start with FROM at TO instead; repeat",
    )


def _add_webhooks(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("event webhooks (all of these also at run time: POST /sandbox/webhooks)")
    for spec in dataclasses.fields(WebhookSettings):
        flag = "--" + {"url": "webhook-url", "delay": "event-delay", "batch": "event-batch"}.get(
            spec.name, "webhook-" + spec.name.replace("_", "-")
        )
        text = spec.metadata["help"] + ("" if spec.default == "" else " (default %(default)s)")
        if spec.type is bool:
            group.add_argument(
                flag, dest=spec.name, action=argparse.BooleanOptionalAction, default=spec.default, help=text
            )
        else:
            kind: Any = _share if spec.metadata.get("share") else spec.type
            group.add_argument(flag, dest=spec.name, type=kind, default=spec.default, help=text)


def _add_activity(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("the email activity feed (also at run time: POST /sandbox/activity)")
    for spec in dataclasses.fields(ActivitySettings):
        name = f"activity_{spec.name}"
        options: dict[str, Any] = {"dest": name, "default": spec.default}
        options |= {"action": argparse.BooleanOptionalAction} if spec.type is bool else {"type": spec.type}
        group.add_argument(
            "--" + name.replace("_", "-"), help=f"{spec.metadata['help']} (default %(default)s)", **options
        )
