import pytest

from composer.content import (
    MAX_SEGMENTS,
    EditionContent,
    SectionBlock,
    TooManySegmentsError,
    numbered,
    public,
    segments_used,
    variants,
    visible,
)
from tests.composer.editions import make_edition, make_story


def keys(content: EditionContent) -> list[str]:
    return [block.key for block in content.blocks]


def test_a_reader_sees_the_common_blocks_and_those_of_their_segments() -> None:
    edition = make_edition(make_story("a"), make_story("b", audience="north"), make_story("c", audience="south"))

    assert keys(visible(edition, frozenset())) == ["a"]
    assert keys(visible(edition, frozenset({"south"}))) == ["a", "c"]


def test_numbers_run_without_gaps_in_each_variant() -> None:
    edition = make_edition(make_story("a"), make_story("b", audience="north"), make_story("c"))

    shown = list(numbered(visible(edition, frozenset())))

    assert [(number, story.key) for number, story in shown] == [(1, "a"), (2, "c")]


def test_a_section_of_which_nothing_is_visible_is_not_shown() -> None:
    edition = make_edition(
        SectionBlock(key="one", heading="One"),
        make_story("a", audience="north"),
        SectionBlock(key="two", heading="Two"),
        make_story("b"),
    )

    assert keys(visible(edition, frozenset())) == ["two", "b"]


def test_an_edition_for_everybody_has_one_variant() -> None:
    (variant,) = variants(make_edition())

    assert variant.audiences == (frozenset(),)
    assert not variant.empty


def test_each_distinct_set_of_blocks_is_one_variant() -> None:
    edition = make_edition(make_story("a"), make_story("b", audience="north"), make_story("c", audience="south"))

    found = {tuple(keys(variant.content)): variant.audiences for variant in variants(edition)}

    assert found == {
        ("a",): (frozenset(),),
        ("a", "b"): (frozenset({"north"}),),
        ("a", "c"): (frozenset({"south"}),),
        ("a", "b", "c"): (frozenset({"north", "south"}),),
    }


def test_segments_whose_sets_look_the_same_share_a_variant() -> None:
    edition = make_edition(
        make_story("a"), SectionBlock(key="only-a-heading", heading="Nothing below", audience="north")
    )

    (variant,) = variants(edition)

    assert set(variant.audiences) == {frozenset(), frozenset({"north"})}


def test_readers_without_a_story_are_one_empty_variant() -> None:
    edition = make_edition(make_story("a", audience="north"))

    empty, full = variants(edition)

    assert empty.empty
    assert empty.audiences == (frozenset(),)
    assert full.audiences == (frozenset({"north"}),)


def test_every_subset_of_segments_is_in_exactly_one_variant() -> None:
    edition = make_edition(*(make_story(f"s{n}", audience=f"segment-{n % 3}") for n in range(6)))

    subsets = [subset for variant in variants(edition) for subset in variant.audiences]

    assert len(subsets) == len(set(subsets)) == 2**3


def test_too_many_segments_are_refused_by_name() -> None:
    edition = make_edition(*(make_story(f"s{n}", audience=f"segment-{n}") for n in range(MAX_SEGMENTS + 1)))

    with pytest.raises(TooManySegmentsError, match=r"7 segments.*segment-0.*at most 6"):
        variants(edition)


def test_the_archive_shows_limited_stories_only_when_public() -> None:
    edition = make_edition(
        make_story("a", audience="north", public=True), make_story("b", audience="north", public=False), make_story("c")
    )

    assert keys(public(edition)) == ["a", "c"]
    assert segments_used(edition) == {"north"}
