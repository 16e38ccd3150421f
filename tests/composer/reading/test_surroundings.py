"""What editors' programs put around a digest: menus, footers, headers of mails and chats, properties of notes, quotes."""

from email.message import EmailMessage

import pytest

from composer.digest import Digest, parse

T = "The council voted nine to four on Tuesday night to close the road, after a long debate about buses and bins."
U = "Officials said the work would begin in May and be finished before the summer holidays, weather permitting."
BODY = f"Good morning.\n\n1. Quay road closes\n\n{T}\n\n2. Trams run at night\n\n{U}\n"
HTML = f"<p>Good morning.</p><p><b>1. Quay road closes</b></p><p>{T}</p><p><b>2. Trams run at night</b></p><p>{U}</p>"
HEADER = "From: Jane <jane@example.com>\nDate: Mon, 3 Mar 2025\nSubject: Harbour Weekly\nTo: Ada"
HTML_HEADER = HEADER.replace("<j", "&lt;j").replace("\n", "<br>")
FOOTER = (
    "You are receiving this email because you opted in.\n\nOur mailing address is:\n\n12 Quay Road\n\n"
    "You can update your preferences or unsubscribe from this list.\n"
)


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def mail(text: str = "", html: str = "") -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = "Ada <ada@example.com>", "Fwd: Harbour Weekly", "<1@x>"
    message.set_content(html or text, subtype="html" if html else "plain")
    return message.as_bytes()


def whole(found: Digest) -> tuple[object, ...]:
    """All of the digest that BODY is, whatever stands around it."""
    bodies = [(story.headline, story.lede, story.body_html) for story in found.stories]
    return found.title, found.introduction, bodies, found.closing, found.report.doubts


EXPECTED = (
    "Harbour Weekly",
    ("Good morning.",),
    [("Quay road closes", T, ""), ("Trams run at night", U, "")],
    (),
    (),
)


@pytest.mark.parametrize(
    "raw",
    [
        f"Skip to content\nHarbour News\nMenu\nHome\nNews\nSport\nSearch\n\nHarbour Weekly\n\n{BODY}",
        f"Harbour Weekly\n\n{BODY}\nLike Loading...\n\nRelated\n\nLeave a Reply\n\nNext Post\n\nPrivacy Policy\n\n© 2026 Harbour\n",
        f"Harbour Weekly\n\n{BODY}\nImpressum\n\nDatenschutz\n",
        f"Harbour Weekly\n\n{BODY}\n{FOOTER}",
        f"Ada Lovelace\n  9:41 AM\nHarbour Weekly\n\n{BODY}",
        f"Ada Lovelace  9:41 AM\nHarbour Weekly\n\n{BODY}",
        f"---\ntitle: Harbour Weekly\ntags:\n  - news\ndate: 2026-11-29\n---\n{BODY}",
        f"---\ntags: [news, quay]\n---\n\n# Harbour Weekly\n\n{BODY}",
        f"FYI, see below\n\n---------- Forwarded message ---------\n{HEADER}\n\n{BODY}",
        mail("Begin forwarded message:\n\n" + quoted(f"{HEADER}\n\n{BODY}")),
        mail("See below.\n\n" + quoted(BODY)),
        mail(html=f"<div>FYI</div><div>{HTML_HEADER}<br></div><br>{HTML}"),
        f'<img src="https://x.example/l.png" alt="Logo"><h1>Harbour Weekly</h1>{HTML}',
    ],
)
def test_nothing_around_the_digest_is_in_it(raw: str | bytes) -> None:
    found = parse(raw)

    assert whole(found) == EXPECTED
    assert found.report.dropped


@pytest.mark.parametrize(
    ("above", "title"),
    [
        ("Harbour Weekly\n\nMenu of the week", "Harbour Weekly"),
        ("Harbour Weekly\n\nFrom: the quay\n\nTo: the market", "Harbour Weekly"),
        ("Harbour Weekly\n\n9:41 AM", "Harbour Weekly"),
        ("Opening at 9:41\n\nGood to see you.", "Opening at 9:41"),
        ("---\n\nHarbour Weekly", "Harbour Weekly"),
    ],
)
def test_what_only_looks_like_surroundings_stays(above: str, title: str) -> None:
    found = parse(f"{above}\n\n{BODY}")

    assert (found.title, len(found.stories)) == (title, 2)
    assert set(found.introduction) >= set(above.split("\n\n")[1:]) - {"Harbour Weekly"}


@pytest.mark.parametrize("text", ["You can unsubscribe from the list of the port.", "Contact", "Related: the tram."])
def test_words_of_a_page_inside_a_story_stay(text: str) -> None:
    found = parse(f"Harbour Weekly\n\n1. Quay\n\n{T}\n\n{text}\n\n2. Trams\n\n{U}\n")

    assert text in found.stories[0].body_html + str(found.sections) + str(found.report.doubts)
    assert found.report.dropped == ()


def test_lines_of_a_story_that_look_like_a_mails_header_stay() -> None:
    found = parse(f"Weekly\n\n1. Quay\n\n{T}\n\nFrom: Monday\nTo: Friday\nSubject: closed\n\n2. Trams\n\n{U}\n")

    assert (len(found.stories), "From: Monday" in found.stories[0].body_html, found.report.dropped) == (2, True, ())


def test_a_callout_of_notion_is_text() -> None:
    found = parse(f"# Weekly\n\nHi.\n\n## Quay\n\n<aside>\n💡 Buses go.\n\n</aside>\n\n{T}\n\n## Trams\n\n{U}\n")

    assert found.stories[0].lede == "💡 Buses go."


@pytest.mark.parametrize(
    "farewell",
    [
        "Até a próxima semana!",
        "Do zobaczenia za tydzień!",
        "До встречи на следующей неделе!",
        "それでは、また来週。",
        "पढ़ने के लिए धन्यवाद।",
        "Thanks for reading. Hit reply and tell me what you think.",
        "Thanks for reading! Forward this to a friend.",
        "Viele Grüße,",
        "Das war’s für heute. Bis nächsten Freitag!",
        "¡Eso es todo por hoy! ¡Nos vemos la próxima semana!",
    ],
)
def test_leave_is_taken_in_more_languages(farewell: str) -> None:
    found = parse(f"Weekly\n\n{BODY}\n{farewell}\n\nAda\n")

    assert (found.closing, found.stories[-1].body_html) == ((farewell, "Ada"), "")


@pytest.mark.parametrize(
    "text", ["Best\n\nThat was the word of the critics.", "Copyright reform was voted.\n\nYou can opt out of it."]
)
def test_a_story_is_not_cut_short(text: str) -> None:
    found = parse(f"Weekly\n\n1. Quay\n\n{T}\n\n2. Films\n\n{U}\n\n{text}\n")

    assert (found.stories[-1].paragraphs, found.closing, found.report.dropped) == (tuple(text.split("\n\n")), (), ())


def test_subscribing_is_no_source_of_a_story() -> None:
    found = parse(f"<h1>Weekly</h1>{HTML}<p><a href='https://x.example/s'>Subscribe now</a></p>")

    assert (found.stories[-1].source_url, "Subscribe now" in found.stories[-1].body_html) == ("", True)
