"""Real samples of everything that others write to us; the mutations begin with them."""

import io
import json
import zipfile
from datetime import date
from email.message import EmailMessage
from pathlib import Path

from openpyxl import Workbook
from PIL import Image

from newsdesk.core.paths import samples_dir, templates_dir

_CASES = Path(__file__).parents[1] / "composer" / "reading" / "cases"


def digests() -> tuple[bytes, ...]:
    """Plain text in many shapes, HTML and Markdown."""
    files = [*sorted(_CASES.glob("*.txt"))[:20], *samples_dir().glob("*.txt")]
    html = b"<html><body><h1>The Week</h1><p>Hello.</p><h2>Quay</h2><p>It <b>closes</b>.</p><h2>Trams</h2><p>They run.</p></body></html>"
    markdown = (
        b"# The Week\n\nHello.\n\n## 1. Quay closes\n\nOn *Monday*.\n\n## 2. Trams\n\n[More](https://example.com)\n"
    )
    return (*(file.read_bytes() for file in files if not file.name.endswith(".expected.txt")), html, markdown)


def mail() -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = "Ada <ada@example.com>", "The Week", "<1@example.com>"
    message["Date"] = "Mon, 02 Jun 2025 08:00:00 +0200"
    message.set_content("The Week\n\n1. Quay closes\n\nOn Monday.\n\n2. Trams run\n\nAll night.\n")
    message.add_alternative("<h1>The Week</h1><h2>1. Quay closes</h2><p>On Monday.</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    return message.as_bytes()


def delivery_report() -> bytes:
    """What a mail server writes back about a mail it could not deliver (RFC 3464)."""
    return (
        b"From: MAILER-DAEMON@mx.example\r\nTo: desk@news.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nThis is the mail system.\r\n\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        b"Final-Recipient: rfc822; reader@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: desk@news.example\r\nSubject: The Week\r\n\r\nHello\r\n--b--\r\n"
    )


def inbound() -> tuple[bytes, ...]:
    """Fields of a posted form, two NULs between them."""
    fields = (
        b"from=Ada <a@b.example>", b"subject=The Week", b"text=1. Quay", b'charsets={"text":"utf-8"}', b"headers=A: b",
        b"html=<p>x", b"SPF=pass", b"attachments=1",
    )  # fmt: skip
    return b"\0\0".join(fields), b"email=" + mail()


def workbook() -> bytes:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in (["email", "name", "joined"], ["a@example.com", "Ada", date(2025, 6, 2)], ["b@example.com", "Bob", 3.5]):
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def word() -> bytes:
    body = "".join(
        f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
        for text in ("The Week", "1. Quay closes", "On Monday.", "2. Trams", "At night.")
    )
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    kinds = "http://schemas.openxmlformats.org/package/2006/content-types"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<?xml version="1.0"?><Types xmlns="{kinds}"/>')
        archive.writestr(
            "word/document.xml",
            f'<?xml version="1.0"?><w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>',
        )
    return file.getvalue()


def member(archive: bytes, name: str) -> bytes:
    """One file of an archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.read(name)


def repacked(archive: bytes, name: str, content: bytes) -> bytes:
    """The archive with other content in one of its files: changed bytes of the whole mostly spoil a checksum only."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as opened, zipfile.ZipFile(file, "w") as made:
        for one in opened.namelist():
            made.writestr(one, content if one == name else opened.read(one))
    return file.getvalue()


def pictures() -> tuple[bytes, ...]:
    made = []
    for kind in ("PNG", "JPEG", "GIF", "WEBP"):
        file = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        colours = Image.linear_gradient("L").resize((24, 16))
        colours.convert("RGB").save(file, kind, **({"exif": exif} if kind != "GIF" else {}))
        made.append(file.getvalue())
    frames = io.BytesIO()
    images = [Image.new("P", (8, 8), colour) for colour in range(3)]
    images[0].save(frames, "GIF", save_all=True, append_images=images[1:])
    return (*made, frames.getvalue())


def themes() -> tuple[bytes, ...]:
    """The files of a theme of ours as an editor's: names and contents, two NULs between them."""
    folder = templates_dir() / "email" / "digest"
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return (b"\0\0".join(part for file in files for part in (file.name.encode(), file.read_bytes())),)


READERS = (
    b'email,name,status\na@example.com,Ada,active\n"b@example.com","B; C",unsubscribed\n',
    b'Email Address;First Name;CONFIRM_TIME;TAGS\r\na@b.example;A;2025-01-02 03:04:05;"x","y"\r\n',
    b'{"email":"a@example.com","tags":["x"],"attributes":{"a":{"b":1}},"consent_at":"2025-01-01"}\n',
    b'email,timezone,language,consent_at,tracking,json\na@b.example,(GMT+01:00) Berlin,German (Austria),02.03.2024 10:00,yes,"{""a"":1}"\n',
)
SUPPRESSIONS = (
    b"email,reason\na@example.com,bounce\n@example.org,\n",
    b"d41d8cd98f00b204e9800998ecf8427e\nsha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nmailto:b@example.com\n",
)
EVENT = {"email": "a@example.com", "timestamp": 1600112492, "event": "click", "nd_delivery": "1.2", "url": "https://example.com/",
         "nd_attempt": "0b2c5a3e-9a0f-4f3e-8a55-0b2c5a3e9a0f", "category": ["weekly"], "reason": "550", "type": "bounce",
         "useragent": "x"}  # fmt: skip
EVENTS = (json.dumps([EVENT, {**EVENT, "event": "bounce"}]).encode(),)
RULES = tuple(json.dumps(rule).encode() for rule in (
    {"all": [{"field": "attributes.country", "op": "in", "value": ["SG", "MY"]}, {"any": [{"field": "tags", "op": "contains", "value": "vip"},
     {"not": {"field": "name", "op": "starts_with", "value": "A", "exact": True}}]}]},
    {"field": "attributes.birthday", "op": "anniversary_in_days", "value": 7}, {"field": "attributes.age", "op": "between", "value": [1, 2.5]},
))  # fmt: skip
FEEDS = (
    b"""<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><link>https://example.com</link><item><title>Quay</title>
<link>https://example.com/a</link><description>&lt;p&gt;It closes.&lt;/p&gt;</description><pubDate>Mon, 02 Jun 2025 08:00:00 GMT</pubDate>
<enclosure url="https://example.com/a.jpg" type="image/jpeg" length="1"/><guid>1</guid></item></channel></rss>""",
    b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>N</title><entry><title type="html">A &amp;amp; b</title><id>urn:1</id>
<link href="/a"/><updated>2025-06-02T08:00:00Z</updated><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div></content></entry></feed>""",
    json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": [{"id": "1", "url": "https://example.com/a",
    "title": "Quay", "content_html": "<p>It closes.</p>", "date_published": "2025-06-02T08:00:00Z"}]}).encode(),
)  # fmt: skip
PAGES = (
    b"""<html lang="en"><head><meta charset="utf-8"><title>Quay closes</title><meta property="og:title" content="Quay"><link rel="canonical" href="/a">
<meta property="og:image" content="//example.com/a.jpg"><script type="application/ld+json">{"@type":"NewsArticle","headline":"Quay",
"datePublished":"2025-06-02","author":[{"name":"Ada"}]}</script></head>
<body><article><h1>Quay</h1><p>The quay in the north closes on Monday, says the town, and stays closed for a year.</p></article></body></html>""",
)  # fmt: skip
TABLE = b"headline,lede,url,topics,date,body\nQuay,It closes,https://example.com,a; b,2025-06-02,<p>x</p>\n"
TABLE_IN_JSON = b'[{"headline":"Quay","lede":"It closes","url":"https://example.com","topics":["a"],"published":"2025-06-02T08:00:00Z"}]'
SOURCE = (
    "The town council said on Monday, 3 June 2025, that the quay closes for 18 months. “We had no choice”, mayor Ada Byron "
    "said. It costs about €2.5 million, or 12 % more than in 2024, the Harbour Board told Reuters.\n\nDer Bürgermeister sagte: "
    "„Am 4. Mai wird geöffnet.“ 市议会星期一投票决定。\n"
).encode()
RICH_TEXT = b"<p>It <b>closes</b> on <a href='https://example.com/?a=1'>Monday</a>.</p><ul><li>x</li></ul><!-- no --><script>1</script>"
MERGE_TAGS = b'Dear {{ first_name | default: "you" }}, -ndEmail- {{ name }} {{ unsubscribe_url }}'
ADDRESSES = (
    b"reader@example.com",
    "Ada.Byron+x@b\u00fccher.example".encode(),
    b"info@mail.example.co.uk",
    b'"a b"@example.com',
)
REFUSAL = (b'{"errors":[{"message":"Bad","field":"personalizations.0.to.0.email","help":null}]}', b'[{"email":"A@b.example","created":1600112492,"reason":"550"}]')  # fmt: skip
MAIL_SEND = json.dumps({
    "personalizations": [{"to": [{"email": "a@example.com", "name": "A"}], "substitutions": {"-ndName-": "A"}, "custom_args": {"nd_delivery": "1.2"}}],
    "from": {"email": "desk@example.com"}, "subject": "The Week", "content": [{"type": "text/plain", "value": "x"}], "categories": ["weekly"],
    "attachments": [{"content": "eA==", "filename": "a"}], "send_at": 1600112492, "headers": {"X-A": "b"}, "tracking_settings": {"click_tracking": {"enable": False}},
}).encode()  # fmt: skip
SETTINGS = b"""DATABASE_URL=postgresql://a:b@db:5432/news?sslmode=require
REDIS_URL=rediss://cache:6379/0
BASE_URL=https://news.example.com
NEWSDESK_TRANSPORT=smtp
SMTP_URL=smtp://u:p@mx.example:587?starttls=yes
NEWSDESK_RECEIPT_DAYS=30
NEWSDESK_SILENCE_GRACE=86400
NEWSDESK_WEBHOOK_WINDOW_HOURS=25
NEWSDESK_MOST_BOUNCED=2.5
NEWSDESK_MAILBOXES=imaps://me%40a.example:p@mail.example
NEWSDESK_REQUIRE_MFA=all
NEWSDESK_HEARTBEAT_URL=https://hc.example/1
NEWSDESK_ALARM_URL=https://chat.example/hooks/1?a=b
NEWSDESK_HOME=~/newsdesk
NEWSDESK_MAIL_FROM=Newsroom <desk@example.com>"""
