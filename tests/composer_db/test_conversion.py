import datetime as dt
from collections.abc import Callable
from typing import Any

from composer import content
from composer.conversion import edition_content
from composer.inspection import inspect
from composer.models import Publication

Make = Callable[..., Any]


def test_every_kind_of_block_becomes_plain_data_with_its_id(make_edition: Make, make_image: Make) -> None:
    edition = make_edition(
        blocks=[
            ("section", {"heading": " Town "}),
            (
                "story",
                {
                    "headline": "A story",
                    "lede": "Lede.",
                    "body": '<p data-block-key="ab12c">Body<script>x</script></p>',
                    "image": make_image(size=(1600, 900)),
                    "alt": "A river",
                    "source_name": "The Source",
                    "source_url": "https://example.com/a",
                    "audience": "vip",
                    "public": False,
                },
            ),
            ("note", {"body": "<p>Note.</p>"}),
            ("sponsor", {"name": "Sponsor", "body": "<p>Buy.</p>", "url": "https://example.com/s"}),
            ("button", {"label": "Go", "url": "https://example.com/b"}),
            ("divider", {}),
            ("correction", {"body": "<p>We erred.</p>"}),
        ]
    )

    found = edition_content(edition)

    assert [block.key for block in found.blocks] == [child.id for child in edition.content]
    story = found.stories[0]
    assert (story.headline, story.body_html, story.audience, story.public) == ("A story", "<p>Body</p>", "vip", False)
    assert (story.source_name, story.source_url) == ("The Source", "https://example.com/a")
    assert story.image is not None
    assert (story.image.alt, story.image.width) == ("A river", 1200)
    assert story.image.url.startswith("https://news.example.com/media/")
    kinds = [type(block) for block in found.blocks]
    assert kinds == [
        content.SectionBlock,
        content.StoryBlock,
        content.NoteBlock,
        content.SponsorBlock,
        content.ButtonBlock,
        content.DividerBlock,
        content.CorrectionBlock,
    ]


def test_the_envelope_and_the_closing(make_edition: Make) -> None:
    edition = make_edition(
        preheader="In short",
        closing_heading="Wrapping up",
        closing="<p>Thanks.</p>",
        introduction="<p></p>",
        call_to_action_label="Read on",
        slot=dt.datetime(2026, 1, 31, 23, 0, tzinfo=dt.UTC),
    )

    found = edition_content(edition)

    assert (found.title, found.subject, found.preheader) == ("Water and stone", "Water and stone", "In short")
    assert (found.introduction_html, found.closing_heading, found.closing_html) == ("", "Wrapping up", "<p>Thanks.</p>")
    assert found.call_to_action == content.CallToAction(label="Read on", url="")
    assert found.web_url == "https://news.example.com/weekly/1/"
    assert found.date == dt.date(2026, 2, 1)


def test_a_publication_with_an_unknown_theme_is_a_problem_not_a_crash(make_edition: Make) -> None:
    edition = make_edition()
    Publication.objects.update(theme="baroque")
    edition.publication.refresh_from_db()

    found = inspect(edition)

    assert [(problem.level, problem.code) for problem in found.problems] == [("error", "theme.unknown")]


def test_text_beyond_all_bounds_is_a_problem_not_a_crash(make_edition: Make) -> None:
    edition = make_edition(blocks=[("story", {"headline": "Long", "body": f"<p>{'word ' * 50_000}</p>"})])

    assert [problem.code for problem in inspect(edition).problems] == ["text.too_much"]
