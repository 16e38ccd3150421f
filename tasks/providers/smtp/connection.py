"""One SMTP connection: opened, secured and logged in by the standard library, then read and written by hand.

smtplib waits for each reply before it writes the next line. Where the server offers PIPELINING (RFC 2920) an envelope
(MAIL, RCPT, DATA) travels in one piece, together with the end of the message before it: one round trip a message.
"""

import base64
import smtplib
import socket
import ssl
import time
from contextlib import suppress
from typing import NamedTuple

from newsdesk.core.environment import SmtpServer
from newsdesk.core.errors import ProviderError
from tasks.http import names
from tasks.providers.base import Reason
from tasks.providers.smtp.hanging_up import hung_up_after

CONNECT_TIMEOUT = 10.0
#: Bytes handed to the kernel at once: what is left in a piece tells whether the end of a message went out.
_PIECE = 1 << 18
_MAX_LINES = 100
#: Addresses of a name that are tried.
_ADDRESSES = 3


class Reply(NamedTuple):
    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class NotConnectedError(ProviderError):
    """No message was tried. `reason` tells what follows."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ConnectionLostError(ProviderError):
    """The connection ended, was silent for too long, or spoke something else than SMTP."""


class NotHandedOverError(ConnectionLostError):
    """Cut before the last byte of a message was handed to the kernel: the server cannot have the whole of it."""


class Connection:
    """A logged-in connection. Not for two threads at a time."""

    def __init__(self, client: smtplib.SMTP) -> None:
        if client.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection was closed at once")
        self._client = client
        self._sock = client.sock
        with suppress(OSError):
            # The next envelope must not wait for the other side to have confirmed the message before it.
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._is_encrypted = isinstance(client.sock, ssl.SSLSocket)
        # smtplib's own reader may hold what the server said too early; after STARTTLS it has made a new one.
        self._file = client.file or client.sock.makefile("rb")
        self.pipelining = client.has_extn("pipelining")
        #: Whether it reports what became of a mail, under the id that the envelope names (RFC 3461).
        self.dsn = client.has_extn("dsn")
        self.last_used = time.monotonic()

    def write(self, data: bytes) -> None:
        """Raises ConnectionLostError."""
        self.write_message(data, 0)

    def write_message(self, data: bytes, length: int) -> None:
        """Write; raises NotHandedOverError when less than the first `length` bytes left us, otherwise ConnectionLostError."""
        view, sent = memoryview(data), 0
        try:
            while sent < len(data):
                # Over TLS a piece is several records and fails as one: it must not reach across the end of the message.
                end = length if self._is_encrypted and sent < length else len(data)
                sent += self._sock.send(view[sent : min(sent + _PIECE, end)])
        except (OSError, ValueError) as error:
            kind = NotHandedOverError if sent < length else ConnectionLostError
            raise kind(f"{type(error).__name__}: {error}") from error

    def read(self) -> Reply:
        """The next reply. Raises ConnectionLostError."""
        lines: list[str] = []
        try:
            for _ in range(_MAX_LINES):
                line = self._file.readline(8192)
                if not line.endswith(b"\n"):
                    raise ConnectionLostError(
                        "the server closed the connection" if not line else "the server's answer was cut off"
                    )
                text = line[4:].rstrip().decode("utf-8", "replace")
                if not line[:3].isdigit() or line[3:4] not in b" -\r\n":
                    raise ConnectionLostError("the server's answer is not SMTP")
                # RFC 5321 §4.2: a bare code is a reply too.
                if line[3:4] != b"-":
                    return Reply(int(line[:3]), " ".join([*lines, text])[:400] if lines else text[:400])
                lines.append(text)
        except (OSError, ValueError) as error:
            raise ConnectionLostError(f"{type(error).__name__}: {error}") from error
        raise ConnectionLostError("the server's answer does not end")

    def is_alive(self) -> bool:
        """Whether an idle connection still answers (NOOP)."""
        try:
            self.write(b"NOOP\r\n")
            return self.read().code == 250
        except ConnectionLostError:
            return False

    def limit(self, seconds: float) -> None:
        """Seconds a single read or write may take from now on."""
        with suppress(OSError):
            self._sock.settimeout(max(seconds, 0.01))

    def hang_up(self) -> None:
        """End it from another thread: whoever reads or writes gets a ConnectionLostError."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError, smtplib.SMTPException):
            self._file.close()
            self._client.close()

    def quit(self) -> None:
        with suppress(ConnectionLostError):
            self._sock.settimeout(1.0)
            self.write(b"QUIT\r\n")
        self.close()


def connect(
    server: SmtpServer, *, helo: str, context: ssl.SSLContext | None, timeout: float = CONNECT_TIMEOUT
) -> Connection:
    """Resolve the name, connect, secure and log in, each step within `timeout` seconds, all of it within three times that.

    Raises NotConnectedError, and nothing else.
    """
    name = helo if "." in helo else "[127.0.0.1]"
    client = _Tls(context, name, timeout) if server.security == "tls" else _Plain(local_hostname=name, timeout=timeout)
    try:
        with hung_up_after(timeout * 3, lambda: _hang_up(client)):
            _open(client, server, context)
            return Connection(client)
    except Exception as error:
        client.close()
        raise NotConnectedError(_reason(error), f"{server}: {_told(error)}") from error


class _NameInTime:
    """Mixed into smtplib's clients: the name is resolved within the time for connecting, and its addresses are tried in turn."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        over_at = time.monotonic() + timeout
        found = names.addresses(host, port, seconds=timeout)[:_ADDRESSES]
        while True:
            try:
                connected: socket.socket = super()._get_socket(found.pop(0), port, timeout)  # type: ignore[misc]
            except OSError:
                if not found or time.monotonic() > over_at:
                    raise
            else:
                return connected


class _Plain(_NameInTime, smtplib.SMTP):
    pass


class _Tls(_NameInTime, smtplib.SMTP_SSL):
    """SMTP_SSL makes a context that verifies nothing when it is given none."""

    def __init__(self, context: ssl.SSLContext | None, name: str, timeout: float) -> None:
        super().__init__(local_hostname=name, timeout=timeout, context=context or ssl.create_default_context())


def _open(client: smtplib.SMTP, server: SmtpServer, context: ssl.SSLContext | None) -> None:
    # smtplib verifies the certificate against the name it keeps here, which only its constructor would set.
    client._host = server.host  # type: ignore[attr-defined]  # noqa: SLF001
    code, reply = client.connect(server.host, server.port)
    if code != 220:
        raise smtplib.SMTPConnectError(code, reply)
    client.ehlo_or_helo_if_needed()
    if server.security == "starttls":
        client.starttls(context=context or ssl.create_default_context())
        client.ehlo_or_helo_if_needed()
    if server.username:
        _log_in(client, server)


def _log_in(client: smtplib.SMTP, server: SmtpServer) -> None:
    """AUTH PLAIN (RFC 4616) or LOGIN, in UTF-8: smtplib's own login takes ASCII passwords only."""
    offered = client.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        code, reply = client.docmd("AUTH PLAIN", _base64(f"\0{server.username}\0{server.password}"))
    elif "LOGIN" in offered:
        code, reply = client.docmd("AUTH LOGIN", _base64(server.username))
        if code == 334:
            code, reply = client.docmd(_base64(server.password))
    else:
        raise smtplib.SMTPNotSupportedError("it offers neither AUTH PLAIN nor AUTH LOGIN")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, reply)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _hang_up(client: smtplib.SMTP) -> None:
    if client.sock is not None:
        with suppress(OSError):
            client.sock.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception) -> Reason:
    """A permanent no, or a server without what the settings demand, needs a person; anything else another try."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Reason.NOT_ALLOWED
    if isinstance(error, smtplib.SMTPResponseException):
        return Reason.NOT_ALLOWED if 500 <= error.smtp_code < 600 else Reason.NOT_SENT
    return Reason.NOT_SENT


def _told(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        reply = error.smtp_error
        return f"{error.smtp_code} {reply.decode('utf-8', 'replace') if isinstance(reply, bytes) else reply}"[:300]
    return f"{type(error).__name__}: {error}"[:300]
