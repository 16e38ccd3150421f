"""What a story says and its source does not: found, named with the nearest, and hardly ever a false alarm."""

import time
from collections import Counter

import pytest

from composer.claims.looking_up import MOST_CLAIMS, Claim, Unsupported, unsupported
from tests.composer.claims.corpus import errors, stories

#: Of 200 errors each. The rules were chosen by looking at those of the first.
SEEDS = [1, 2, 3, 4]
SOURCE = (
    "Downloads rose 57 percent to 1,798 million on 17 November 2026, said Abe Yousef of Sensor Tower in Boston. “It is the best "
    "quarter that we have ever seen,” he added. Half of the 1.2 million users are German. Five of them pay $3.5bn."
)


def found(text: str, *, language: str = "en", is_headline: bool = False) -> list[Unsupported]:
    return unsupported([Claim(text, is_headline=is_headline)], SOURCE, language)


def test_nearly_all_seeded_errors_are_found() -> None:
    told, missed = Counter[int](), Counter[int]()
    for seed in SEEDS:
        for error in errors(200, seed):
            right = {one.written for one in next(one for one in stories() if one.name == error.story.name).found()}
            told[seed] += 1
            if all(one.written in right for one in error.story.found()):
                missed[seed] += 1
                print(f"seed {seed}, missed: {error.story.name}: {error.right} → {error.wrong}")
    print({seed: f"{told[seed] - missed[seed]} of {told[seed]}" for seed in SEEDS})

    assert missed.total() <= 0.05 * told.total()


def test_unaltered_stories_raise_no_more_than_one_alarm_an_edition() -> None:
    alarms = {story.name: story.found() for story in stories() if story.found()}
    print(alarms)

    assert len(stories()) >= 20
    # Ten stories are an edition.
    assert sum(map(len, alarms.values())) <= len(stories()) / 10


@pytest.mark.parametrize(
    "text",
    [
        "Downloads rose 57% to 1.798 billion.",
        "Downloads rose by 57 per cent, to about 1.8 billion.",
        "They reached 1.8 billion on 17.11.2026.",
        "It was on Nov. 17, or the 17th of November.",
        "Yousef’s firm has 1 200 000 users, 50 percent of them in Germany.",
        "That was “the best quarter … we have ever seen” and “the best [quarter] that we have ever seen”.",
        "That was ‘the best quarter that we have ever seen’.",
        "The five pay 3.5 billion dollars.",
        "In November 2026 they met in Boston.",
    ],
)
def test_what_stands_in_the_source_in_another_form(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "kind", "written", "nearest"),
    [
        ("Downloads rose 75 %.", "figure", "75 %", "57 percent"),
        ("They reached 1,789 million.", "figure", "1,789 million", "1,798 million"),
        ("They pay $3.5m for it.", "figure", "$3.5m", "$3.5bn"),
        ("All eight of them pay.", "figure", "eight", "Five"),
        ("It was on 18 November.", "date", "18 November", "17 November 2026"),
        ("It was on 17 November 2025.", "date", "17 November 2025", "17 November 2026"),
        ("It was said by Abe Yousaf.", "name", "Abe Yousaf", "Abe Yousef"),
        ("Yousaf said it.", "name", "Yousaf", "Yousef"),
        ("It was said by Carl Vogt.", "name", "Carl Vogt", ""),
        ("He spoke of “the worst quarter that we have ever seen”.", "quotation",
         "the worst quarter that we have ever seen", "the best quarter that we have ever seen"),
        ("He said: “Nobody knew of any of this.”", "quotation", "Nobody knew of any of this.", ""),
    ],
)  # fmt: skip
def test_what_does_not_is_named_with_the_nearest(text: str, kind: str, written: str, nearest: str) -> None:
    assert [(one.kind, one.written, one.nearest) for one in found(text)] == [(kind, written, nearest)]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("57%的商户支持该计划。", ""),
        ("1,204名商户，耗资240万元。", ""),
        ("75%的商户支持该计划。", "75%"),
        ("工程耗资420万元。", "420万"),
        ("2026年3月4日表示。", "4"),
    ],
)
def test_figures_between_letters_that_need_no_blanks(text: str, written: str) -> None:
    source = "港务委员会2026年3月3日表示，1204名商户中有57%支持该计划。工程耗资2,400,000元，五月开工。"
    assert [one.written for one in unsupported([Claim(text)], source, "zh")] == ([written] if written else [])


def test_words_of_a_title_case_headline_are_no_names_but_slips_are() -> None:
    assert found("Downloads Surge While Analysts Wonder", is_headline=True) == []
    assert [one.nearest for one in found("Downloads Surge, Says Yousaf", is_headline=True)] == ["Yousef"]


def test_only_so_much_is_said_of_one_story() -> None:
    assert len(found(" ".join(f"It was {number} of them." for number in range(300, 400)))) == MOST_CLAIMS


HOSTILE = [
    "5 ",
    "1,",
    "“a b c ",
    "Abc ",
    "Abc. Abd ",
    "17 November ",
    "about 7 ",
    "“a b c” ",
    "…",
    "1.000.",
    "May 1 ",
    "( ",
    "A",
    "9",
]


def seconds(text: str) -> float:
    return min(_timed(text) for _ in range(2))


def _timed(text: str) -> float:
    began = time.process_time()
    unsupported([Claim(text, is_headline=True), Claim(text)], text[:-7] + " x", "de")
    return time.process_time() - began


@pytest.mark.parametrize("shape", HOSTILE)
def test_twice_the_text_takes_at_most_three_times_as_long(shape: str) -> None:
    once = shape * (20_000 // len(shape))

    # A machine has hiccups: the best of three is what counts.
    assert any(seconds(once * 2) <= min(4, 3 * seconds(once) + 0.05) for _ in range(3))


@pytest.mark.parametrize("shape", ["Name{} ", "Wort{}. Xy", "{} ", "about {} ", "“one two {}” ", "{} May "])
def test_many_different_claims_are_read_in_time(shape: str) -> None:
    text = "".join(shape.format(number) for number in range(5_000))
    began = time.process_time()
    unsupported([Claim(text)], text.replace("9", "8"))

    assert time.process_time() - began < 4
