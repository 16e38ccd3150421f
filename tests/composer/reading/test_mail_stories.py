"""A mail that was forwarded to a publication: one story, or a numbered digest's."""

import pytest

from composer.digest import Digest, DigestError
from composer.reading.mail import parse_mail
from composer.reading.mail_stories import stories_of
from tests.mails import DIGEST, FORWARDED, mail


def read(raw: bytes) -> Digest:
    return stories_of(parse_mail(raw))


def test_a_forwarded_release_is_one_story_of_whoever_wrote_it() -> None:
    (story,) = read(mail("Fwd: WG: Quay Road closes", FORWARDED)).stories

    assert (story.headline, story.source_name) == ("Quay Road closes", "Harbour Authority")
    assert story.lede.startswith("Quay Road closes to cars on Monday")
    assert story.body_html == (
        "<p>Buses go by Mill Lane meanwhile. Bicycles may pass, and the fish market stays open on all days.</p>"
    )


GMAIL = """<div>FYI<br><br><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>
From: <strong>Harbour Authority</strong> <span>&lt;<a href="mailto:press@harbour.example">press@harbour.example</a>&gt;</span><br>
Date: Mon, Nov 23, 2026 at 9:00 AM<br>Subject: Quay closes<br>To: &lt;<a href="mailto:ed@news.example">ed@news.example</a>&gt;<br>
</div><br><br><p>The quay closes on Monday.</p></div></div>"""
OUTLOOK = """<p>FYI</p><div><div style="border-top:solid"><p class="MsoNormal"><b>Von:</b> Harbour Authority &lt;press@harbour.example&gt;
<br><b>Gesendet:</b> Montag, 23. November 2026 09:00<br><b>An:</b> Ed &lt;ed@news.example&gt;<br><b>Betreff:</b> Quay closes</p></div></div>
<p>The quay closes on Monday.</p>"""
APPLE = """<p>FYI</p><blockquote><div>Début du message transféré :</div><br><div><b>De : </b>Harbour Authority &lt;press@harbour.example&gt;</div>
<div><b>Objet : </b>Quay closes</div><div><b>Date : </b>23 novembre 2026 à 09:00</div><br><p>The quay closes on Monday.</p></blockquote>"""


@pytest.mark.parametrize("html", [GMAIL, OUTLOOK, APPLE], ids=["Gmail", "Outlook", "Apple"])
def test_mail_programs_forward_in_their_own_ways(html: str) -> None:
    (story,) = read(mail("Fwd: Quay closes", "-", html=html)).stories
    assert (story.source_name, story.lede, story.body) == ("Harbour Authority", "The quay closes on Monday.", ())


@pytest.mark.parametrize("prefix", ["Fwd: ", "FW: ", "Re: ", "WG: ", "TR: ", "AW: WG: "])
def test_the_subject_is_the_headline_without_its_prefixes(prefix: str) -> None:
    (story,) = read(mail(f"{prefix}A new roof", "The market has a new roof.")).stories
    assert (story.headline, story.source_name) == ("A new roof", "Ed Ito")


def test_a_numbered_digest_is_its_stories() -> None:
    digest = read(mail("The week", DIGEST))
    assert [story.headline for story in digest.stories] == ["Quay Road closes", "Trams run again"]


@pytest.mark.parametrize(
    "html",
    [
        "<h2>About us</h2><p>We build quays.</p><h2>Contact</h2><p>Call us on any day.</p>",
        "<p>Three changes:</p><ol><li>Quay Road closes</li><li>Trams run</li><li>A new roof</li></ol>",
    ],
)
def test_headings_and_lists_of_a_release_make_no_more_stories(html: str) -> None:
    (story,) = read(mail("New on the quay", "-", html=html)).stories
    assert story.headline == "New on the quay"


def test_a_mail_with_large_attachments_is_read() -> None:
    raw = mail("Roof", "The market has a new roof.")
    boundary = b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nThe market has a new roof.\n--b\n'
    attached = b"Content-Type: image/png\nContent-Disposition: attachment; filename=a.png\n\n" + b"A" * 3_000_000
    head = raw.split(b"Content-Type")[0].replace(b"MIME-Version: 1.0\n", b"")
    digest = read(head + b"MIME-Version: 1.0\n" + boundary + attached + b"\n--b--\n")

    assert digest.stories[0].lede == "The market has a new roof."
    assert ("a.png", "an attachment of the mail") in {(one.text, one.reason) for one in digest.report.dropped}


@pytest.mark.parametrize(
    "raw", [b"", b"\0" * 50, b"From: a\n\n", mail("x", ""), mail("x", " ").replace(b"utf-8", b"punycode")], ids=range(5)
)
def test_what_has_no_text_is_refused(raw: bytes) -> None:
    with pytest.raises(DigestError):
        read(raw)


def test_a_mail_without_an_id_is_known_by_what_it_says() -> None:
    one, same = (parse_mail(mail("Roof", "A new roof.", html="<p>A new roof.</p>")) for _ in range(2))
    other = parse_mail(mail("Roof", "An old roof."))
    assert one.key == same.key != other.key
