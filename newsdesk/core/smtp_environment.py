"""What an operator may say about SMTP: part of the environment (`newsdesk.core.environment`)."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from newsdesk.core.environment_variables import EnvironmentVariableError, Variables, without_password


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


def read_smtp_server(variables: Variables, name: str, *, needed: bool) -> SmtpServer | None:
    """smtp://user:password@host:587?starttls=no or smtps://…; a password is never sent over an open line.

    None where it is neither set nor needed. Raises EnvironmentVariableError.
    """
    url = variables.text(name)
    if not url:
        if needed:
            raise EnvironmentVariableError(
                f"{name}: NEWSDESK_TRANSPORT=smtp needs it, for example smtp://user:secret@host:587."
            )
        return None
    shown = without_password(url)
    try:
        parts = urlsplit(url)
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


def read_dkim_key(variables: Variables) -> DkimKey | None:
    """None where none of the three variables is set. Raises EnvironmentVariableError."""
    names = ("DKIM_PRIVATE_KEY", "DKIM_DOMAIN", "DKIM_SELECTOR")
    private_key, domain, selector = (variables.text(name) for name in names)
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
