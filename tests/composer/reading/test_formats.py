"""HTML as it is pasted, Word files and mails: the same edition comes of each."""

import zipfile
from email.message import EmailMessage
from io import BytesIO

import pytest

from composer.digest import DigestError, parse

GOOGLE_DOCS = """<meta charset='utf-8'><b style="font-weight:normal;" id="docs-internal-guid-1"><p dir="ltr"><span style="font-weight:700">Harbour
Weekly</span></p><p dir="ltr"><span>Good morning.</span></p><ol><li dir="ltr"><p dir="ltr" role="presentation"><span style="font-weight:700">Quay road closes
</span></p></li></ol><p dir="ltr"><span>The council voted </span><span style="font-style:italic">nine to four</span><span> to close it, says
<a href="https://www.google.com/url?q=https://example.com/plan&amp;sa=D">the plan</a>.</span></p><ol start="2"><li dir="ltr"><p dir="ltr"><span>Trams
run at night</span></p></li></ol><p dir="ltr"><span>Officials said the work would begin in May.</span></p></b>"""
PAGE = """<!doctype html><html lang="en"><head><title>Harbour Weekly | Site</title><style>p{color:red}</style></head><body>
<nav><a href="/">Home</a> <a href="/about">About</a></nav><header><h1>Harbour Weekly</h1></header>
<p>Good morning.</p>
<h2>Quay road closes</h2><p>The council voted nine to four.</p><ul><li>Deliveries before ten</li><li>Ferry stays</li></ul>
<blockquote><p>It is a good day, said the mayor.</p></blockquote>
<h2>Trams run at night</h2><img src="https://example.com/tram.jpg" alt="A tram"><p>Officials said the work would begin in May.</p>
<script>alert(1)</script><footer>Imprint and contact</footer></body></html>"""


def word_file(*paragraphs: tuple[str, str]) -> bytes:
    """A Word document of (style, text)."""
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
        for style, text in paragraphs
    )
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Override PartName="/word/document.xml" ContentType="{kind}"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{relation}" Target="word/document.xml"/></Relationships>',
        )
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{main}"><w:body>{body}</w:body></w:document>')
    return file.getvalue()


def test_what_google_docs_puts_on_the_clipboard() -> None:
    found = parse(GOOGLE_DOCS)

    assert found.title == "Harbour Weekly"
    assert [story.headline for story in found.stories] == ["Quay road closes", "Trams run at night"]
    assert "<em>nine to four</em>" in found.stories[0].body_html
    assert '<a href="https://example.com/plan">the plan</a>' in found.stories[0].body_html


def test_a_web_page() -> None:
    found = parse(PAGE.encode())
    first, second = found.stories

    assert (found.report.format, found.title, found.introduction) == ("html", "Harbour Weekly", ("Good morning.",))
    assert (first.headline, second.headline) == ("Quay road closes", "Trams run at night")
    assert "<ul><li>Deliveries before ten</li><li>Ferry stays</li></ul>" in first.body_html
    assert "<blockquote><p>It is a good day, said the mayor.</p></blockquote>" in first.body_html
    reasons = {one.reason for one in found.report.dropped}
    assert {"navigation of the page", "a script", "the footer of the page"} <= reasons
    assert any("tram.jpg" in reason for reason in reasons)
    assert "alert" not in first.body_html + second.body_html


def test_a_word_file() -> None:
    found = parse(
        word_file(
            ("Title", "Harbour Weekly"),
            ("Normal", "Good morning."),
            ("Heading1", "Quay road closes"),
            ("Normal", "The council voted nine to four."),
            ("Heading1", "Trams run at night"),
            ("Normal", "Officials said the work would begin in May."),
        )
    )

    assert found.report.format == "docx"
    assert [story.headline for story in found.stories] == ["Quay road closes", "Trams run at night"]
    assert found.introduction == ("Good morning.",)


def of_another_zip_version(archive: bytes) -> bytes:
    """Its directory asks for version 9.2 of the format."""
    at = archive.index(b"PK\x01\x02")
    return archive[: at + 6] + b"\x5c\x00" + archive[at + 8 :]


@pytest.mark.parametrize("raw", [b"PK\x03\x04broken", word_file()[:200], of_another_zip_version(word_file())])
def test_a_broken_word_file_is_refused(raw: bytes) -> None:
    with pytest.raises(DigestError, match=r"archive|Word"):
        parse(raw)


@pytest.mark.parametrize("as_html", [True, False])
def test_a_mail(as_html: bool) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = (
        "Fwd: Harbour Weekly – März",
        "ä <a@example.com>",
        "b@example.com",
    )
    message.set_content("Good morning.\n\n1. Quay road closes\n\nThe council voted.\n\n2. Trams\n\nIn May.\n")
    if as_html:
        message.add_alternative(
            "<p>Good morning.</p><p>1. Quay road closes</p><p>The council voted.</p><p>2. Trams</p><p>In May.</p>",
            subtype="html",
        )

    found = parse(message.as_bytes())

    assert (found.report.format, found.report.encoding) == ("eml", "utf-8")
    assert [story.headline for story in found.stories] == ["Quay road closes", "Trams"]
    assert "From: ä <a@example.com>" in [one.text for one in found.report.dropped]


def test_a_comment_that_nothing_ends_is_told_of() -> None:
    found = parse(
        "The Week\n\nHello.\n\n1. Quay closes\n\nOn Monday.\n\n2. Trams run\n\nAll [night](https://example.com).\n<!-- to do"
    )

    assert [story.headline for story in found.stories] == ["Quay closes", "Trams run"]
    assert ("to do", "a comment in the HTML") in [(one.text, one.reason) for one in found.report.dropped]


@pytest.mark.parametrize(
    "header",
    [
        "Date: Mon, 02 Jun 99999999999999999999 08:00:00 +0200",
        "To: @",
        "Reply-To: =?utf-8?b?/w==?= <",
        "Cc: a@[",
        "From: <",
    ],
)
def test_a_mail_s_headers_may_be_nonsense(header: str) -> None:
    text = f"{header}\nSubject: The Week\nMIME-Version: 1.0\n\nThe Week\n\n1. Quay closes\n\nOn Monday.\n\n2. Trams run\n\nAll night.\n"

    found = parse(text.encode())

    assert [story.headline for story in found.stories] == ["Quay closes", "Trams run"]
    assert header.partition(":")[0] in " ".join(one.text for one in found.report.dropped)


def test_links_that_lead_nowhere_safe_are_taken_off() -> None:
    found = parse(
        "Weekly\n\nHello.\n\n## A\n\nText [x](javascript:alert(1)) and [y](https://example.com).\n\n## B\n\nText.\n"
    )

    assert 'href="javascript' not in found.stories[0].body_html
    assert "https://example.com" in found.stories[0].body_html


@pytest.mark.parametrize(
    "shape",
    [
        "x",
        "http://",
        "{",
        "<",
        "<p>",
        "line of text\n",
        "(",
        "*",
        "**a** ",
        "[",
        "a://",
        "1.",
        "&amp;",
        "> ",
        "`",
        "Source: ",
    ],
)
def test_hostile_text_is_read_or_refused(shape: str) -> None:
    text = "Title\n\nIntro.\n\n1. Head\n\nText.\n\n" + shape * (100_000 // len(shape))
    try:
        assert parse(text).stories
    except DigestError as error:
        assert error.line > 0  # noqa: PT017 - either is right
