"""SMTP: our transport against a bare pipelined socket, in the same run, to a sink in another process.

    python benchmarks/smtp.py [--messages 20000] [--dkim] [--sink uvloop|smtp-sink]

The sinks are one of ours on uvloop and, where Postfix's test server is installed (or SMTP_SINK names it), smtp-sink.

The bare loop joins values that are ready into a message that is split, writes it with the next envelope and reads four
replies; nothing else. Ours does what a send does before its fence and after it: encode each batch of 1000 (names,
Message-ID, unsubscribe links), join each message, keep the journal, read and judge every reply. Claim, fence and ledger,
once in a thousand messages, are not part of either. The target is a ratio of 0.8.
"""

import argparse
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsdesk.settings")

from benchmarks.support import smtp_sinks
from newsdesk.core.environment import DkimKey, SmtpServer
from tasks.messages import Message, Recipient
from tasks.mime.messages import MimeRequest
from tasks.providers.base import Accepted
from tasks.providers.smtp.transport import SmtpTransport

BATCH = 1000
TARGET = 0.8
_PARAGRAPH = "The river rose by two metres — and the “old” bridge held; nobody was hurt. "


def message() -> Message:
    """Some 60 KB of HTML and 18 KB of text: 103 KB on the wire, as in the reference."""
    story = f'<p style="margin:0px;color:#222222">{_PARAGRAPH * 8}</p>\n'
    html = f"<html><body><p>Dear -ndNameHtml-</p>{story * 93}<a href='-ndUnsubscribeUrl-'>Unsubscribe</a></body></html>"
    text = f"Dear -ndName-\n\n{(_PARAGRAPH + chr(10)) * 235}\nUnsubscribe: -ndUnsubscribeUrl-\n"
    return Message(
        from_email="news@example.com",
        from_name="The Weekly",
        reply_to="editors@example.com",
        subject="The week in rivers",
        html=html,
        text=text,
        headers={"List-Id": "<weekly.example.com>"},
    )


def recipients(first: int) -> list[Recipient]:
    return [recipient(number) for number in range(first, first + BATCH)]


def recipient(number: int) -> Recipient:
    url = f"https://news.example.com/u/{'t' * 50}{number}"
    name = f"Søren Reader {number}" if number % 4 == 0 else f"Reader {number}"
    return Recipient(
        email=f"reader{number}@example.com",
        name=name,
        delivery=f"1.{number}",
        substitutions={"-ndName-": name, "-ndNameHtml-": name, "-ndUnsubscribeUrl-": url},
        unsubscribe_url=url,
    )


def bare(port: int, number: int, ready: MimeRequest) -> float:
    """Seconds that a loop takes which only joins, writes and reads."""
    literals, values = ready.template.literals, ready.messages[0].values
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        file = connection.makefile("rb")
        file.readline()
        connection.sendall(b"EHLO bench\r\n")
        while file.readline()[3:4] == b"-":
            pass
        began = time.perf_counter()
        connection.sendall(_envelope(0))
        for at in range(number):
            assert [file.readline()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
            pieces = [b""] * (len(literals) + len(values))
            pieces[::2], pieces[1::2] = literals, values
            pieces += [b".\r\n", _envelope(at + 1) if at + 1 < number else b""]
            connection.sendall(b"".join(pieces))
            assert file.readline()[:3] == b"250"
        return time.perf_counter() - began


def _envelope(number: int) -> bytes:
    return b"MAIL FROM:<news@example.com>\r\nRCPT TO:<reader%d@example.com>\r\nDATA\r\n" % number


def ours(transport: SmtpTransport, number: int) -> float:
    """Seconds that the transport takes."""
    text = message()
    batches = [recipients(first) for first in range(0, number, BATCH)]
    began = time.perf_counter()
    for batch in batches:
        attempt = uuid4()
        outcome = transport.post(transport.encode(text, batch, attempt=attempt))
        assert isinstance(outcome, Accepted), outcome
        transport.forget(attempt)
    return time.perf_counter() - began


def ready_message() -> MimeRequest:
    transport = SmtpTransport(SmtpServer(host="127.0.0.1", port=1))
    body: MimeRequest = transport.encode(message(), [recipient(1)], attempt=uuid4())
    return body


def dkim_key() -> DkimKey:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return DkimKey(domain="example.com", selector="bench", private_key=pem)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--dkim", action="store_true", help="sign each message with RSA 2048")
    parser.add_argument("--sink", choices=smtp_sinks.available(), help="only this one")
    options = parser.parse_args()
    number = max(options.messages // BATCH, 1) * BATCH
    for name in [options.sink] if options.sink else smtp_sinks.available():
        with smtp_sinks.running(name) as port:
            measure(name, port, number, dkim_key() if options.dkim else None)


def measure(name: str, port: int, number: int, dkim: DkimKey | None) -> None:
    ready = ready_message()
    times: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        server = SmtpServer(host="127.0.0.1", port=port, security="plain")
        transport = SmtpTransport(server, journal=Path(folder), dkim=dkim)
        # Turn and turn about, so that whatever else the machine does falls on both.
        for _ in range(number // BATCH):
            times.append((bare(port, BATCH, ready), ours(transport, BATCH)))
            transport.close()
    of_bare, of_ours = (sum(column) for column in zip(*times, strict=True))
    quarters = statistics.quantiles((loop / transport for loop, transport in times), n=4)
    print(
        f"{name}: bare {number / of_bare:.0f}/s, ours {number / of_ours:.0f}/s, "
        f"ratio {of_bare / of_ours:.2f} (target {TARGET})"
    )
    print(f"ratios of {len(times)} turns of {BATCH}: quartiles {', '.join(f'{one:.2f}' for one in quarters)}")
    print(
        f"{number} messages of {len(ready.join(ready.messages[0])) // 1000} KB · Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {platform.system()}, load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
