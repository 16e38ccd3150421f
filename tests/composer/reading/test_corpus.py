"""Digests of every shape: each line is in the edition or in the report, or the digest is refused by line. Never silent.

NEWSDESK_DIGESTS=2000 for as many as the release is tried with.
"""

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from composer.digest import Digest, DigestError, parse

EXAMPLES = int(os.environ.get("NEWSDESK_DIGESTS", "150"))

#: By language: headlines, sentences, a section, a closing line, furniture.
LANGUAGES: dict[str, dict[str, list[str]]] = {
    "en": {
        "headlines": [
            "Quay road closes",
            "Trams run at night",
            "Market gets a roof",
            "3 ferries sold",
            "Comments of the mayor",
        ],
        "sentences": [
            "The council voted nine to four on Tuesday night to close the road.",
            "“That’s it,” said the mayor, and left.",
            "On 3. April the deadline ends; see https://example.com/a?b=1 for more.",
            "It costs 2.4 million, 12% more than planned.",
            "Comments were invited until Friday.",
        ],
        "section": ["CULTURE", "POLITICS AND THE CITY"],
        "furniture": ["Share this on Facebook", "1,234 views", "Skip to content", "Advertisement"],
    },
    "de": {
        "headlines": ["Kaistraße gesperrt", "Nachttram kommt", "Der Markt bekommt ein Dach"],
        "sentences": [
            "Der Rat hat am Dienstag mit neun zu vier Stimmen beschlossen, die Straße zu sperren.",
            "Der 3. Mai ist der Stichtag für alle Anträge.",
        ],
        "section": ["KULTUR", "AUS DER STADT"],
        "furniture": ["Zum Inhalt springen", "Teilen"],
    },
    "fr": {
        "headlines": ["Le quai ferme aux voitures", "Des trams la nuit"],
        "sentences": ["Le conseil a voté mardi soir la fermeture du quai par neuf voix contre quatre."],
        "section": ["CULTURE"],
        "furniture": ["Partager sur Facebook"],
    },
    "zh": {
        "headlines": ["腾讯发布新模型", "阿里云降价"],
        "sentences": ["市议会投票决定从五月一日起禁止车辆通过码头路。"],
        "section": [],
        "furniture": [],
    },
    "ar": {
        "headlines": ["إغلاق طريق الرصيف أمام السيارات", "الترام يعمل ليلا"],
        "sentences": ["صوت مجلس المدينة يوم الثلاثاء على إغلاق الطريق أمام السيارات."],
        "section": [],
        "furniture": [],
    },
    "es": {
        "headlines": ["El muelle se cierra a los coches", "Tranvías de noche"],
        "sentences": ["El ayuntamiento votó el martes por la noche cerrar el muelle tras un largo debate."],
        "section": ["CULTURA", "POLÍTICA"],
        "furniture": ["Compartir"],
    },
    "he": {
        "headlines": ["הכביש לאורך הרציף נסגר", "חשמליות בלילה"],
        "sentences": ["מועצת העיר הצביעה ביום שלישי בלילה על סגירת הכביש לאורך הרציף לתנועת כלי רכב."],
        "section": [],
        "furniture": [],
    },
    "ru": {
        "headlines": ["Набережная закрыта для машин", "Трамваи ходят ночью"],
        "sentences": ["Городской совет во вторник вечером проголосовал за закрытие набережной."],
        "section": ["КУЛЬТУРА"],
        "furniture": [],
    },
    "ja": {
        "headlines": ["埠頭の道路が閉鎖", "夜の路面電車"],
        "sentences": ["市議会は火曜日の夜、港の道路を車両通行止めにすることを九対四で決めた。"],
        "section": [],
        "furniture": [],
    },
}


def keycap(number: int) -> str:
    return "🔟" if number == 10 else "".join(f"{digit}\ufe0f\u20e3" for digit in str(number))


FORMS: list[Callable[[int, str], str]] = [
    lambda number, text: f"{number}. {text}",
    lambda number, text: f"{number}) {text}",
    lambda number, text: f"({number}) {text}",
    lambda number, text: f"#{number} {text}",
    lambda number, text: f"{number} - {text}",
    lambda number, text: f"{number}、{text}",
    lambda number, text: f"Story {number}: {text}",
    lambda number, text: f"**{number}. {text}**",
    lambda _number, text: f"## {text}",
    lambda number, text: f"{keycap(number)} {text}",
    lambda number, text: f"{number}º {text}",
    lambda number, text: f"{chr(0x245F + number)} {text}",
]
INVISIBLE = ["", "", "", "\u200b", "\u200e", "\xa0", "\xad"]


@st.composite
def digests(draw: Any) -> str:
    words = LANGUAGES[draw(st.sampled_from(sorted(LANGUAGES)))]
    form, other = draw(st.sampled_from(FORMS)), draw(st.sampled_from(FORMS))
    parts = [draw(st.sampled_from(["Harbour Weekly", "# Harbour Weekly", "Subject: Harbour Weekly", ""]))]
    parts += draw(st.lists(st.sampled_from(words["sentences"]), max_size=2))
    count = draw(st.integers(1, 14))
    for number in range(1, count + 1):
        if words["section"] and draw(st.integers(0, 5)) == 0:
            parts.append(draw(st.sampled_from(words["section"])))
        headline = (
            f"{draw(st.sampled_from(words['headlines']))}{draw(st.sampled_from(INVISIBLE))} {chr(64 + number)}{number}x"
        )
        parts.append((other if draw(st.integers(0, 11)) == 0 else form)(number, headline))
        parts += draw(st.lists(st.sampled_from(words["sentences"]), min_size=1, max_size=3))
        kind = draw(st.integers(0, 9))
        if kind == 0:
            parts.append(
                "\n".join(
                    f"- {one}" for one in draw(st.lists(st.sampled_from(words["sentences"]), min_size=1, max_size=3))
                )
            )
        elif kind == 1:
            parts.append(
                "\n".join(f"{at}. {one}" for at, one in enumerate(words["sentences"], start=draw(st.integers(1, 3))))
            )
        elif kind == 2:
            parts.append(
                draw(
                    st.sampled_from(
                        ["Source: The Post https://example.com/post", "(via The Post)", "https://example.com/x"]
                    )
                )
            )
        elif kind == 3 and words["furniture"]:
            parts.append(draw(st.sampled_from(words["furniture"])))
    parts += draw(
        st.lists(
            st.sampled_from(
                ["Wrapping Up", "Until next week.", "To read more, see the report: https://example.com/r", "---"]
            ),
            max_size=3,
        )
    )
    return draw(st.sampled_from(["\n\n", "\n\n", "\n\n\n"])).join(parts) + "\n"


def kept(digest: Digest) -> str:
    call = digest.call_to_action
    told = [digest.title, digest.introduction_html, digest.closing_heading, digest.closing_html]
    told += [
        f"{story.headline} {story.lede} {story.body_html} {story.source_name} {story.source_url}"
        for story in digest.stories
    ]
    told += [section.heading for section in digest.sections]
    told += [one.text for one in (*digest.report.dropped, *digest.report.doubts)]
    told += [call.text, call.url] if call else []
    return " ".join(told)


def words_of(text: str) -> set[str]:
    plain = re.sub(r"[\u200b\u200e\xad\ufe0f\u20e3]", "", text.replace("&amp;", "&")).replace("\xa0", " ")
    return set(re.findall(r"[^\W_]{2,}", plain))


#: What only marks a line for what it is: the number of a story, “Source:”, “via”, “Subject:”, “Story 1:”.
MARKS = {"Source", "via", "Subject", "Story"} | {f"{number}{sign}" for number in range(100) for sign in ("", "º")}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(digests())
def test_no_line_is_lost(text: str) -> None:
    try:
        digest = parse(text)
    except DigestError as error:
        refused: DigestError | None = error
    else:
        refused = None
    if refused is not None:
        assert 1 <= refused.line <= text.count("\n") + 1
        assert refused.message
        event("refused")
        return
    event("read")
    assert words_of(text) - words_of(kept(digest)) - MARKS == set()
    assert len(digest.stories) == digest.report.stories


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_every_story(form: Callable[[int, str], str], language: str) -> None:
    words = LANGUAGES[language]
    parts = ["Harbour Weekly"]
    for number in range(1, 13):
        parts += [
            form(number, f"{words['headlines'][number % len(words['headlines'])]} A{number}x"),
            words["sentences"][0],
        ]

    digest = parse("\n\n".join(parts))
    assert len(digest.stories) == 12
    assert digest.stories[11].headline.endswith("A12x")


@pytest.mark.parametrize("mark", ["<{}>", "→{}:", "{}¶"])
def test_a_number_in_a_form_of_its_own_is_doubted(mark: str) -> None:
    digest = parse(
        f"Weekly\n\n1. One thing\n\nA text about it.\n\n2. Another thing\n\nA text.\n\n{mark.format(3)} A third thing\n\nIts text.\n"
    )

    assert len(digest.stories) == 2
    assert [doubt.line for doubt in digest.report.doubts] == [11]
