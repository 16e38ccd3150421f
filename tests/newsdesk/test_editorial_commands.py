import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from composer.models import Approval, Edition, Publication, Story
from newsdesk.core.errors import InputError, OperationFailedError

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

DIGEST = """City Digest

Hello, this is what moved in the city this week.

1. The tram line to the harbour opens

The tram line to the harbour opens on Monday with six stops.

Trains run every ten minutes until midnight.

2. A market hall is saved

The council voted to keep the old market hall as it stands.

The traders may stay for another twenty years.

Wrapping Up

That was the week. Thank you for reading.
"""


def run(command: str, *words: str) -> dict[str, Any]:
    out = StringIO()
    call_command(command, *words, "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def new_publication(*words: str) -> dict[str, Any]:
    return run(
        "new_publication", "city", "--title", "The City", "--from", "The City <city@example.com>",
        "--address", "2 High Street, Singapore", *words,
    )  # fmt: skip


@pytest.fixture
def digest_file(tmp_path: Path) -> Path:
    path = tmp_path / "digest.txt"
    path.write_text(DIGEST)
    return path


def test_new_publication_stores_what_was_asked() -> None:
    assert new_publication(
        "--timezone", "Asia/Singapore", "--second-approver", "--weekday", "friday", "--time", "08:30"
    )

    publication = Publication.objects.get()
    assert (publication.slug, publication.sender) == ("city", "The City <city@example.com>")
    assert publication.second_approver
    assert (publication.cadence_weekday, str(publication.cadence_time)) == (4, "08:30:00")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--timezone", "Mars/Olympus"), "--timezone: 'Mars/Olympus'"),
        (("--reply-to", "nobody"), "--reply-to: Enter a valid email address"),
        (("--theme", "baroque"), "--theme: 'baroque'"),
        (("--from", "city@example.com"), "--from: 'city@example.com' is not a sender"),
        (("--from", "a;b <city@example.com>"), "--from: Leave out commas"),
        (("--address", "  "), "Write the postal address"),
        (("--weekday", "monday"), "both a day and a time"),
        (("--weekday", "monday", "--time", "25:99"), "--time: '25:99'"),
    ],
)
def test_new_publication_names_the_option_at_fault(words: tuple[str, ...], named: str) -> None:
    with pytest.raises(InputError) as error:
        new_publication(*words)

    assert named in str(error.value)
    assert not Publication.objects.exists()


def test_a_publication_is_made_once() -> None:
    new_publication()

    with pytest.raises(InputError, match=r"SLUG: .*already exists"):
        new_publication()


def test_import_stories_counts_and_recognises_repeats(digest_file: Path) -> None:
    new_publication()

    first = run("import_stories", str(digest_file), "--publication", "city")
    again = run("import_stories", str(digest_file), "--publication", "city")

    assert (first["created"], first["repeated"]) == (2, 0)
    assert [story["headline"] for story in first["stories"]] == [
        "The tram line to the harbour opens",
        "A market hall is saved",
    ]
    assert (again["created"], again["repeated"]) == (0, 2)
    assert again["stories"] == first["stories"]
    story = Story.objects.get(pk=first["stories"][0]["id"])
    assert story.lede == "The tram line to the harbour opens on Monday with six stops."
    assert story.body == "<p>Trains run every ten minutes until midnight.</p>"


def test_import_stories_takes_all_sources_or_none(digest_file: Path, tmp_path: Path) -> None:
    new_publication()
    bad = tmp_path / "bad.txt"
    bad.write_text("A title\n\n1. First\n\nText.\n\n3. Third\n\nText.\n")

    with pytest.raises(InputError, match=r"bad\.txt:7: story 2 is missing"):
        run("import_stories", str(digest_file), str(bad), "--publication", "city")
    assert not Story.objects.exists()


def test_an_unknown_publication_is_named_with_those_there_are(digest_file: Path) -> None:
    new_publication()

    with pytest.raises(InputError, match="--publication: there is no 'town'; there are: city"):
        run("import_stories", str(digest_file), "--publication", "town")


def test_compose_makes_and_approves_an_edition_from_a_digest(digest_file: Path) -> None:
    new_publication()

    report = run("compose", "--publication", "city", "--digest", str(digest_file), "--subject", "Trams!")

    edition = Edition.objects.get(pk=report["edition"])
    assert report["number"] == 1
    assert [problem for problem in report["problems"] if problem["level"] == "error"] == []
    assert edition.title == "City Digest"
    assert edition.introduction == "<p>Hello, this is what moved in the city this week.</p>"
    assert (edition.closing_heading, edition.placements.count()) == ("Wrapping Up", 2)
    variant = Approval.objects.standing().get().variants.get()
    assert (variant.subject, variant.stories) == ("Trams!", 2)
    assert "Trains run every ten minutes" in variant.text


def test_compose_from_stories_keeps_the_order_given(digest_file: Path) -> None:
    new_publication()
    stories = run("import_stories", str(digest_file), "--publication", "city")["stories"]
    ids = [str(story["id"]) for story in reversed(stories)]

    report = run("compose", "--publication", "city", "--stories", *ids, "--title", "Backwards")

    placements = Edition.objects.get(pk=report["edition"]).placements.values_list("headline", flat=True)
    assert list(placements) == [story["headline"] for story in reversed(stories)]


def test_compose_keeps_a_draft_when_the_checks_find_errors(digest_file: Path) -> None:
    new_publication()
    digest_file.write_text(DIGEST.replace("Trains run", "Lorem ipsum dolor sit amet"))
    out = StringIO()

    with pytest.raises(OperationFailedError, match=r"No\. 1 stays a draft"):
        call_command("compose", "--publication", "city", "--digest", str(digest_file), "--json", stdout=out)

    report = json.loads(out.getvalue())
    assert any(problem["level"] == "error" for problem in report["problems"])
    assert not Approval.objects.exists()
    with pytest.raises(OperationFailedError, match="must be mended"):
        run("check", str(report["edition"]))


def test_compose_is_refused_where_a_second_person_must_approve(digest_file: Path) -> None:
    new_publication("--second-approver")

    with pytest.raises(InputError, match="second person"):
        run("compose", "--publication", "city", "--digest", str(digest_file))
    assert not Edition.objects.exists()


def test_compose_refuses_stories_of_other_publications(digest_file: Path) -> None:
    new_publication()

    with pytest.raises(InputError, match="--stories: city has no story 4711"):
        run("compose", "--publication", "city", "--stories", "4711")


def test_check_reports_the_problems_of_an_edition(digest_file: Path) -> None:
    new_publication()
    edition = run("compose", "--publication", "city", "--digest", str(digest_file))["edition"]

    report = run("check", str(edition))

    assert report["edition"] == edition
    assert all(set(problem) >= {"level", "code", "message"} for problem in report["problems"])
    with pytest.raises(InputError, match="no edition 4711"):
        run("check", "4711")


def test_an_edition_goes_by_its_publication_and_number(digest_file: Path) -> None:
    new_publication()
    edition = run("compose", "--publication", "city", "--digest", str(digest_file))["edition"]

    assert run("check", "city/1")["edition"] == edition
    with pytest.raises(InputError, match="no edition city/2"):
        run("check", "city/2")
    for nonsense in ("city", "/1", "city/one"):
        with pytest.raises(InputError, match="neither an id"):
            run("check", nonsense)


def test_check_without_an_edition_checks_the_installation(capsys: pytest.CaptureFixture[str]) -> None:
    out = StringIO()

    call_command("check", stdout=out)

    assert "no issues" in out.getvalue()


def test_a_person_can_run_nothing_without_the_command_line_being_named_as_approver(digest_file: Path) -> None:
    new_publication()
    get_user_model().objects.create_user("ada")

    run("compose", "--publication", "city", "--digest", str(digest_file))

    assert Approval.objects.get().approver == "the command line"
