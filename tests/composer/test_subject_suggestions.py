import pytest

from composer.subject_suggestions import LONGEST, shortened, suggestions

HEADLINES = [
    "Undersea Cable Cut Traced to a Wandering Anchor, and to Its Owner",
    "Payment Terminals Froze for an Hour Because of a Leap Second Table",
    "Trams run again",
]


def test_three_subjects_are_made_of_the_top_headlines() -> None:
    assert suggestions(HEADLINES) == (
        "Undersea Cable Cut Traced to a Wandering Anchor",
        "Undersea Cable · Payment Terminals Froze",
        "Payment Terminals Froze for an Hour Because",
    )


@pytest.mark.parametrize("language", ["en", "de", "fr", "ar", "pt-BR"])
def test_none_is_longer_than_inboxes_show_and_no_word_is_cut(language: str) -> None:
    words = {word.strip(",") for headline in HEADLINES for word in headline.split()}

    made = suggestions(HEADLINES, language)
    assert len(made) == 3
    for subject in made:
        assert len(subject) <= LONGEST
        assert {word.strip("،,") for word in subject.split()} - words <= {"·", ";"}


def test_a_clause_is_a_better_end_than_a_word() -> None:
    assert shortened("The ferry sails again: what the islands waited for all winter", 30) == "The ferry sails again"


def test_a_short_word_does_not_stand_last() -> None:
    assert shortened("Undersea Cable Cut Traced to a Wandering Anchor", 31) == "Undersea Cable Cut Traced"


def test_the_separator_is_the_languages() -> None:
    long = "渡轮恢复通航，岛民期待已久终于等到了这一天的到来，大家都很高兴"
    assert suggestions([long, "桥梁关闭"], "zh-Hans")[1] == "渡轮恢复通航｜桥梁关闭"
    assert suggestions(["Les ferrys repartent", "Le pont ferme"], "fr")[1] == "Les ferrys repartent ; Le pont ferme"


def test_few_headlines_make_few_subjects_and_none_twice() -> None:
    assert suggestions([]) == ()
    assert suggestions(["  "]) == ()
    assert suggestions(["Trams run", "Trams run"]) == ("Trams run",)
