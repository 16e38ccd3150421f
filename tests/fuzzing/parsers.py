"""Everything that reads what others wrote: real samples, the function that reads them, and what it says it raises."""

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from composer import digest, header_text, merge_tags
from composer.articles.article import ArticleError
from composer.articles.feed import is_feed, read_feed
from composer.articles.table import read_table
from composer.articles.web_page import web_article
from composer.canonical_url import canonical_url, without_tracking
from composer.claims.looking_up import Claim, unsupported
from composer.reading.mail import parse_mail
from composer.reading.mail_stories import stories_of
from composer.rendering import FaultyThemeError
from composer.rendering.plain_text.fragments import Footnotes, paragraphs
from composer.rendering.themes import open_folder
from composer.sanitising import TextTooLargeError, followable, printable, rich_text
from composer.story_images import UnusableImageError, _rewritten
from newsdesk.core import environment
from newsdesk.core.environment_variables import EnvironmentVariableError
from newsdesk.core.errors import InputError
from newsdesk.core.mailbox_account import read_account, read_folder
from newsdesk.management.rules import read_rule
from sandbox import validation
from subscribers import address_forms, interchange
from subscribers.importing import dates, typos, zones
from subscribers.importing.errors import RowError
from subscribers.importing.layout import Choices
from subscribers.importing.rows import address_of
from subscribers.importing.run import _Rows
from subscribers.importing.sources import source
from subscribers.role_addresses import role
from subscribers.segments.parsing import parse as parse_rule
from subscribers.segments.words import in_words
from subscribers.suppression_import import _entries
from subscribers.tokens import LinkKind, TokenSigner
from tasks.http.guard import Answer, NoAnswerError
from tasks.mime.envelope_ids import EnvelopeId, EnvelopeIds, address_digest
from tasks.mime.template import NotAnAddressError, envelope_address
from tasks.providers.base import ListUnavailableError
from tasks.providers.events import UnreadableBodyError
from tasks.providers.sendgrid import events, signature, suppressions, transport
from tasks.providers.smtp import delivery_status, reports
from tasks.sources import inbound_parse, mails
from tests.delivery_reports import FORMS, report
from tests.fuzzing import samples
from web.accounts.invitations import _invited
from web.desk.image_form import PictureField

_WORD, _BOOK = samples.word(), samples.workbook()
_TEXT, _SHEET = "word/document.xml", "xl/worksheets/sheet1.xml"
SIGNER = TokenSigner("k" * 40)
ENVELOPES = EnvelopeIds("k" * 40)
ENVELOPE = EnvelopeId(1, 2, UUID(int=3), address_digest("ann@example.net"))
SEALED = ENVELOPES.seal(ENVELOPE, installation="us")


@dataclass(frozen=True, kw_only=True)
class Parser:
    name: str
    samples: tuple[bytes, ...]
    read: Callable[[bytes], object]
    #: What its docstring says.
    raises: tuple[type[Exception], ...] = ()
    #: For the doubling test: what is repeated behind the first half of the first sample.
    repeated: tuple[bytes, ...]
    #: Bytes of the shorter text.
    size: int = 20_000
    #: Of all inputs, in shares: what takes milliseconds gets fewer.
    share: float = 1.0


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda content: read(content.decode("utf-8", "replace"))


def _mail(content: bytes) -> object:
    mail = parse_mail(content)
    return mail, stories_of(mail)


def _inbound(content: bytes) -> object:
    fields = {name.decode("latin-1"): value for name, _, value in (part.partition(b"=") for part in content.split(b"\0\0"))}  # fmt: skip
    return inbound_parse.is_forged(fields), inbound_parse.mail_of(fields)


def _import(content: bytes) -> object:
    with source(io.BytesIO(content)) as opened:
        rows = _Rows(iter(opened.records()), Path("readers.csv"), Choices(), counting=True)
        return list(rows.accepted())


def _suppressions(content: bytes) -> object:
    with source(io.BytesIO(content)) as opened:
        return list(_entries(opened.records(), []))


def _report(content: bytes) -> object:
    found = delivery_status.parse(content)
    if found is None:
        return None
    opened = [ENVELOPES.open(one, installation="us") for one in found.envelope_ids]
    lines = reports.lines_of(found, ENVELOPE, current_address="ann@example.net")
    return opened, reports.MailedReports().parse(orjson.dumps(lines))


def _cell(text: str) -> object:
    return (
        dates.moment(text), dates.iso_date(text), dates.is_blank(text), zones.timezone(text), zones.language(text),
        interchange.restored(interchange.defused(text)),
    )  # fmt: skip


def _address(text: str) -> object:
    known = role(text), typos.meant(text), address_forms.forms(text), address_forms.as_hash(text)
    return known, envelope_address(address_of(text))


def _rule(text: str) -> object:
    # An @ would name a file; no command line holds a NUL.
    return in_words(parse_rule(read_rule(text.replace("\0", "").lstrip("@"))))


def _settings(content: bytes) -> object:
    # The operating system gives no variable with a NUL.
    lines = content.replace(b"\0", b"").decode("utf-8", "surrogateescape").splitlines()
    read = environment.read({name: value for name, _, value in (line.partition("=") for line in lines) if name})
    return read, environment.database(read.database_url) if read.database_url else None


def _signed(content: bytes) -> object:
    written, _, stamp = content.decode("latin-1").partition("|")
    is_signed = signature.is_signed(io.BytesIO(b"[]"), signature=written, timestamp=stamp, public_keys=(written, stamp))
    return is_signed, signature.call_digest(written, stamp)


def _tags(text: str) -> object:
    found = merge_tags.translate(text, "html")[1] + merge_tags.translate(text, "text")[1]
    given = {"name": text, "email": text or "x", "unsubscribe_url": "https://x", "preferences_url": "https://y"}
    filled = merge_tags.fill(text, merge_tags.values(found, **given))
    return filled, merge_tags.filler(found)(*given.values()), merge_tags.unknown_tags(text), merge_tags.tags_in(text)


def _url(text: str) -> object:
    known = canonical_url(text), without_tracking(text), followable(text)
    return known, Answer(status=301, headers={"location": text}).leads_from("https://example.com/a")


def _theme(content: bytes) -> object:
    parts = content.split(b"\0\0")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in zip(parts[::2], parts[1::2], strict=False):
            (Path(folder) / (Path(name.decode("ascii", "ignore").replace("\0", "")).name[:80] or "x")).write_bytes(text)
        return open_folder(Path(folder), "ltr")


def _picture(content: bytes) -> object:
    try:
        stored: object = _rewritten(content)
    except UnusableImageError as error:
        stored = error
    return PictureField().to_python(SimpleUploadedFile("a.png", content)), stored


def _answer(content: bytes) -> object:
    stamp = content[:40].decode("latin-1")
    refused = [transport.classify(status, {"Retry-After": stamp}, content) for status in (202, 400, 429, 500)]
    return refused, suppressions._entries("bounces", content)


PARSERS = (
    Parser(name="digest", samples=samples.digests(), read=digest.parse, raises=(digest.DigestError,), repeated=(b"1. a\n\n", b"<p>", b"* ", b"=C3"), size=15_000, share=.3),
    Parser(name="word", samples=(samples.word(),), read=digest.parse, raises=(digest.DigestError,), repeated=(b"PK", b"\0"), share=.5),
    Parser(name="text of a Word file", samples=(samples.member(_WORD, _TEXT),), read=lambda raw: digest.parse(samples.repacked(_WORD, _TEXT, raw)),
           raises=(digest.DigestError,), repeated=(b"<w:p>", b"&lt;", b"<w:p><w:r><w:t>a</w:t></w:r></w:p>"), share=.15),
    Parser(name="mail as a digest", samples=(samples.mail(), samples.delivery_report()), read=digest.parse, raises=(digest.DigestError,), repeated=(b"a: b\n", b"From: "), share=.15),
    Parser(name="mail", samples=(samples.mail(), samples.delivery_report()), read=_mail, raises=mails.READING_ERRORS,
           repeated=(b"a: b\n", b"=?utf-8?q?a?= ", b"<1@a> ", b"--b\n"), share=.15),
    Parser(name="posted mail", samples=samples.inbound(), read=_inbound, raises=mails.READING_ERRORS, repeated=(b"\0\0a=", b"a,", b"<a@b> "), share=.2),
    Parser(name="readers", samples=samples.READERS, read=_import, raises=(InputError,), repeated=(b'"', b'a,"b\n', b"a;b,c\t", b'{"a":')),
    Parser(name="workbook", samples=(samples.workbook(),), read=_import, raises=(InputError,), repeated=(b"PK", b"\0"), share=.3),
    Parser(name="sheet of a workbook", samples=(samples.member(_BOOK, _SHEET),), read=lambda raw: _import(samples.repacked(_BOOK, _SHEET, raw)), raises=(InputError,),
           repeated=(b"<row>", b"<c r='A9'>", b"<row><c><v>1</v></c></row>"), share=.2),
    Parser(name="suppressions", samples=samples.SUPPRESSIONS, read=_suppressions, raises=(InputError,), repeated=(b"a@b\n", b"@", b"d41d8c")),
    Parser(name="cells", samples=(b"2025-06-02T08:00:00+02:00", b"02/06/2025 8:00 PM", b"1717315200", b"June 2, 2025", b"(GMT+01:00) Berlin", b"German (Austria)"),
           read=_text(_cell), repeated=(b"1", b"0-", b"jun ", b" ", b"(GMT)", b"(")),
    Parser(name="addresses", samples=samples.ADDRESSES, read=_text(_address), raises=(RowError, NotAnAddressError), repeated=(b"a", b"a.", b"@", b"+", "\u00fc".encode())),
    Parser(name="rule", samples=samples.RULES, read=_text(_rule), raises=(InputError,), repeated=(b"[", b'{"not":', b"1", b'{"field":"name","op":"eq","value":"a"},')),
    Parser(name="webhook", samples=samples.EVENTS, read=events.parse, raises=(UnreadableBodyError,), repeated=(b"[", b'{"a":', b"\\u0000", b'{"event":"x"},')),
    Parser(name="delivery report", samples=tuple(report(SEALED, "ann@example.net", form=form) for form in FORMS), read=_report,
           repeated=(b"a: b\r\n", b" folded\r\n", b"\r\n", b"--b\r\n", b";", b"--4T1yZb0000z8.1748844001/mail.example.com\r\n", b"Action: failed\r\n\r\n", b"\\x{")),
    Parser(name="receipt of reports", samples=(b'[{"event":"soft_bounce","email":"ann@example.net","nd_delivery":"1.2","nd_attempt":"00000000-0000-0000-0000-000000000003","reason":"5.2.2"}]',),
           read=reports.MailedReports().parse, raises=(UnreadableBodyError,), repeated=(b"[", b'{"event":"delivered","nd_delivery":"1.2"},', b"9")),
    Parser(name="envelope id", samples=(SEALED.encode(),), read=_text(lambda text: ENVELOPES.open(text, installation="us")), repeated=(b"A", b"-", b"=")),
    Parser(name="signature", samples=(b"MEUCIQDx8tqtG5hC1tLkGJZ2Zr0k1lYyqWcWmOa2dGZr3w==|1600112502",), read=_signed, repeated=(b"A", b"=", b"1")),
    Parser(name="provider's answer", samples=samples.REFUSAL, read=_answer, raises=(ListUnavailableError,), repeated=(b"[", b'{"email":"a","created":1},', b"9")),
    Parser(name="token", samples=(SIGNER.sign(LinkKind.UNSUBSCRIBE, 1, 2, 3).encode(),), read=_text(SIGNER.read), repeated=(b"A", b"-", b"=")),
    Parser(name="invitation", samples=(b"WzEsImEiXQ:1tqJ5a:C1tLkGJZ2Zr0k1lYyqWcWmOa2dGZr3w",), read=_text(_invited), repeated=(b":", b"A", b".")),
    Parser(name="rich text", samples=(samples.RICH_TEXT,), read=_text(lambda text: paragraphs(rich_text(text), Footnotes())), raises=(TextTooLargeError,),
           size=40_000, repeated=(b"<!--", b"<p>", b"<br>", b"&amp;", b"<![", b"word ", b"<a title='", b"</", b"<title>", b"<?", b"<a =")),
    Parser(name="merge tags", samples=(samples.MERGE_TAGS,), read=_text(_tags), repeated=(b"{{", b"-nd", b"{{ a | ", b"{{ name }}", b"&")),
    Parser(name="header", samples=("The Week, \u201cnew\u201d".encode(), b"a" * 90),
           read=_text(lambda text: header_text.encoded("Subject", printable(text).replace("\n", " "))), repeated=(b"a", b" ", b"=?", "\u00fc".encode())),
    Parser(name="addresses on the web", samples=(b"https://user@www.example.com:443/a/../b?utm_source=x&b=1#c", b"mailto:a@b.example"), read=_text(_url),
        raises=(NoAnswerError,),
           repeated=(b"a=1&", b"/..", b"%25", b"https://", b"[")),
    Parser(name="feed", samples=samples.FEEDS, read=lambda raw: (is_feed(raw, ""), read_feed(raw, "https://example.com/feed")), raises=(ArticleError,),
           repeated=(b"<item>", b"&lt;", b"<![CDATA[", b"<a:b>", b"<!--"), share=.2),
    Parser(name="web page", samples=samples.PAGES, read=lambda raw: web_article(raw, "https://example.com/a"), raises=(ArticleError,),
           size=40_000, repeated=(b"<p>", b"<div>", b"<!--", b"a ", b'<meta content="'), share=.1),
    Parser(name="a source's text", samples=(samples.SOURCE,), read=_text(lambda text: unsupported([Claim(text[::2]), Claim(text[:80], True)], text[60:])),
           repeated=(b"1,", b"A ", "\u201ca ".encode(), b"3 June "), size=20_000, share=.2),
    Parser(name="table", samples=(samples.TABLE,), read=lambda raw: read_table(raw, is_json=False), raises=(InputError,), repeated=(b'"', b"a,", b"a\n"), share=.5),
    Parser(name="table in JSON", samples=(samples.TABLE_IN_JSON,), read=lambda raw: read_table(raw, is_json=True), raises=(InputError,), repeated=(b"[", b'{"a":', b"9"), share=.5),
    Parser(name="theme", samples=samples.themes(), read=_theme, raises=(FaultyThemeError,), repeated=(b"{{", b"a{}", b"{% if a %}", b"/*", b'="'), size=15_000, share=.05),
    Parser(name="picture", samples=samples.pictures(), read=_picture, raises=(ValidationError,), repeated=(b"\0", b"\xff"), share=.3),
    Parser(name="mail/send of the sandbox", samples=(samples.MAIL_SEND,), read=lambda raw: validation.check(orjson.loads(raw), now=0), raises=(orjson.JSONDecodeError,),
           repeated=(b"[", b'{"a":')),
    Parser(name="settings", samples=(samples.SETTINGS,), read=_settings, raises=(EnvironmentVariableError,), repeated=(b"1", b"@", b"a ", b"\nA=1")),
    Parser(name="mailbox", samples=(b"imaps://me%40a.example:p%2Cw@mail.example:993",), read=_text(lambda text: (read_folder(text), read_account(text))), raises=(ValueError,), repeated=(b"1", b"@", b"%40")),
)  # fmt: skip


def read(parser: Parser, content: bytes) -> Any:
    """What the parser says, or the error that it documents. Raises whatever else it raises."""
    try:
        return parser.read(content)
    except parser.raises as error:
        return error
