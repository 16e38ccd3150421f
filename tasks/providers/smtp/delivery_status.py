"""Delivery reports as mail servers write them: bytes in, plain values out, nothing else touched.

RFC 3464 (message/delivery-status in a multipart/report, RFC 6522), RFC 6533 for addresses beyond ASCII. Everybody can send
such a mail, so nothing in it is trusted to be there, to be true or to end: what is read is bounded, and nothing raises. What a
report says counts only under an id that is ours (`tasks.mime.envelope_ids`).
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tasks.mime.template import ENVELOPE_HEADER

#: Bytes of a report that are looked at. The machine's part stands before the mail that is returned.
MOST_BYTES = 256 * 1024
#: Ours have one recipient; an alias may have several.
_MOST_RECIPIENTS = 50
_MOST_FIELDS = 200
_FIELD_LENGTH = 2000
_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_RETURNED_TYPES = frozenset({"text/rfc822-headers", "message/rfc822", "message/global-headers", "message/global"})
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_REPORT_TYPE = re.compile(r';\s*report-type\s*=\s*"?([a-z-]{1,40})', re.IGNORECASE)
_NAME = re.compile(rb"([!-9;-~]{1,80}):")
#: RFC 3463 §2. A server's reply has it behind the reply's own code, as in `550-5.1.1`.
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"\b[245]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})\b")
#: An address beyond ASCII in a report that must be ASCII (RFC 6533 §3).
_UNICODE_CHAR = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")

Fields = dict[str, str]


class RecipientStatus(NamedTuple):
    """What is said of one recipient."""

    #: failed, delayed, delivered, relayed or expanded, in lower case; anything else as it stands there.
    action: str
    #: RFC 3463, such as 5.1.1; empty where none can be told.
    status: str
    #: To which address it could or could not be delivered: the reader's, or where their mail is forwarded to.
    address: str
    #: The server's words.
    said: str


class DeliveryReport(NamedTuple):
    """What a report says, as far as it can be read."""

    #: The id that the envelope named, and the one in the returned mail's header, as far as they are there. A relay may have
    #: written a new envelope with an id of its own.
    envelope_ids: tuple[str, ...]
    recipients: tuple[RecipientStatus, ...]


def is_report(written: str) -> bool:
    """Whether a mail with this Content-Type is a delivery report."""
    kind = _main_type(written)
    found = _REPORT_TYPE.search(written[:_FIELD_LENGTH])
    # Some leave the parameter out.
    return kind == "multipart/report" and (found is None or found[1].lower() == "delivery-status")


def content_type(head: bytes) -> str:
    """The Content-Type of a mail's header, on one line; empty where there is none."""
    return _fields(head[:MOST_BYTES].replace(b"\r\n", b"\n").split(b"\n"), 0)[0].get("content-type", "")


def parse(mail: bytes) -> DeliveryReport | None:
    """Read a mail; None when it is no delivery report. Never raises. Looks at MOST_BYTES of it."""
    lines = mail[:MOST_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    head, body_at = _fields(lines, 0)
    written = head.get("content-type", "")
    boundary = _boundary(written)
    if not is_report(written) or not boundary:
        return None
    named, shown, is_told = "", "", False
    recipients: tuple[RecipientStatus, ...] = ()
    for part_head, content in _parts(lines, body_at, boundary):
        kind = _main_type(part_head.get("content-type", ""))
        if kind in _STATUS_TYPES and not is_told:
            is_told = True
            named, recipients = _status_part(_decoded(content, part_head))
        elif kind in _RETURNED_TYPES and not shown:
            returned, _ = _fields(_decoded(content, part_head), 0)
            shown = "".join(returned.get(ENVELOPE_HEADER.lower(), "").split())
    return DeliveryReport(tuple(filter(None, (named, shown))), recipients) if is_told else None


def _status_part(lines: Sequence[bytes]) -> tuple[str, tuple[RecipientStatus, ...]]:
    """The envelope's id, and the recipients: groups of fields with blank lines between them (RFC 3464 §2.1)."""
    groups = list(_groups(lines))
    named = "".join(
        next((group["original-envelope-id"] for group in groups if "original-envelope-id" in group), "").split()
    )
    told = [_recipient(group) for group in groups if "action" in group]
    return named, tuple(told[:_MOST_RECIPIENTS])


def _groups(lines: Sequence[bytes]) -> Iterator[Fields]:
    at, found = 0, 0
    while at < len(lines) and found <= _MOST_RECIPIENTS:
        fields, at = _fields(lines, at)
        if fields:
            found += 1
            yield fields


def _recipient(fields: Fields) -> RecipientStatus:
    said = _typed(fields.get("diagnostic-code", ""))
    return RecipientStatus(
        action=_word(fields["action"]),
        status=_status(fields.get("status", ""), said),
        address=_address(fields.get("final-recipient") or fields.get("original-recipient", "")),
        said=" ".join(said.split()),
    )


def _status(written: str, said: str) -> str:
    """The code, or the better one in the server's words: Exim and sendmail write 5.0.0 whatever they were told."""
    found = _STATUS.search(written)
    if found and (found[2], found[3]) != ("0", "0"):
        return found[0]
    better = _REPLY.search(said)
    if better:
        return better[1]
    return found[0] if found else ""


def _address(written: str) -> str:
    """`rfc822; ann@example.com`, or `utf-8; …` with its characters as they are or as escapes (RFC 6533 §3)."""
    kind, divided, address = written.partition(";")
    if not divided:
        address = written
    elif kind.strip().lower() == "utf-8":
        address = _UNICODE_CHAR.sub(_unicode_char, address)
    return address.strip().removeprefix("<").removesuffix(">").strip()


def _unicode_char(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"


def _typed(written: str) -> str:
    """What stands behind the type, as in `smtp; 550 5.1.1 No such user`."""
    kind, divided, text = written.partition(";")
    return text if divided and " " not in kind.strip() else written


def _word(written: str) -> str:
    """A keyword without the comment that may stand behind it."""
    return written.partition("(")[0].strip().lower()[:40]


def _main_type(written: str) -> str:
    return written.partition(";")[0].strip().lower()


def _boundary(written: str) -> bytes:
    found = _BOUNDARY.search(written[:_FIELD_LENGTH])
    return (found[1] or found[2]).encode("utf-8", "replace") if found else b""


def _parts(lines: Sequence[bytes], at: int, boundary: bytes) -> Iterator[tuple[Fields, Sequence[bytes]]]:
    """Head and content of each part; the last may be cut off."""
    opening, closing = b"--" + boundary, b"--" + boundary + b"--"
    begin: int | None = None
    for number in range(at, len(lines)):
        # Blanks may stand behind a boundary (RFC 2046 §5.1.1).
        line = lines[number]
        if not line.startswith(opening) or line.rstrip(b" \t") not in {opening, closing}:
            continue
        if begin is not None:
            yield _part(lines[begin:number])
        begin = number + 1
        if line.startswith(closing):
            return
    if begin is not None:
        yield _part(lines[begin:])


def _part(lines: Sequence[bytes]) -> tuple[Fields, Sequence[bytes]]:
    fields, at = _fields(lines, 0)
    return fields, lines[at:]


def _decoded(content: Sequence[bytes], head: Fields) -> Sequence[bytes]:
    """RFC 6533 §4 allows an encoding, RFC 3464 does not; what is wrong in it is left out."""
    encoding = head.get("content-transfer-encoding", "").strip().lower()
    joined = b"\n".join(content) if encoding in {"base64", "quoted-printable"} else b""
    if encoding == "quoted-printable":
        return quopri.decodestring(joined).replace(b"\r\n", b"\n").split(b"\n")
    if encoding == "base64":
        try:
            return base64.b64decode(joined).replace(b"\r\n", b"\n").split(b"\n")
        except (binascii.Error, ValueError):
            return ()
    return content


def _fields(lines: Sequence[bytes], at: int) -> tuple[Fields, int]:
    """Header fields by their names in lower case, the first of each; and the line behind the blank one that ends them."""
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    while at < len(lines) and lines[at].strip():
        line = lines[at]
        at += 1
        if line[:1] in {b" ", b"\t"}:
            # A field that is folded without end is cut.
            if current is not None and len(current) < _MOST_FIELDS:
                current.append(_text(line))
            continue
        named = _NAME.match(line)
        name = named[1].decode("ascii").lower() if named else ""
        current = [_text(line[named.end() :])] if named else None
        if current is not None and name not in fields and len(fields) < _MOST_FIELDS:
            fields[name] = current
    return {name: " ".join(pieces)[:_FIELD_LENGTH] for name, pieces in fields.items()}, at + 1


def _text(raw: bytes) -> str:
    return raw[:_FIELD_LENGTH].decode("utf-8", "replace").replace("\0", "").strip()
