import json
from pathlib import Path
from typing import Any

import pytest

from composer.models import Publication
from newsdesk.core.errors import InputError
from subscribers.models import List, Segment, Subscriber
from subscribers.saved_segments import count_readers, rules_for, subscribers_matching
from subscribers.suppression import suppress
from tests.subscribers.commands import imported, refusal, run, run_json

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

SINGAPORE = {"field": "attributes.country", "op": "eq", "value": "SG"}


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text("email,country\nada@example.com,SG\nbob@example.com,SG\neve@example.com,MY\nbad\n")
    return file


def test_import_reports_every_row(publication: Publication, people: Path) -> None:
    command = ("import_subscribers", str(people), "--publication", "weekly", "--list", "readers")

    assert imported(*command, "--json") == (
        3,
        {
            "preset": "generic",
            "encoding": "utf-8",
            "rows": 4,
            "created": 3,
            "updated": 0,
            "unchanged": 0,
            "statuses": {
                "active": 3,
                "pending": 0,
                "unsubscribed": 0,
                "manual": 0,
                "invalid": 0,
                "hard_bounce": 0,
                "complaint": 0,
            },
            "unknown_columns": ["country"],
            "left_out": [],
            "brought_back": 0,
            "left": 0,
            "warnings": [{"line": 5, "message": "1 cell, but the heading has 2: the others are taken for empty"}],
            "rejected": [{"line": 5, "reason": "'bad' is not an address"}],
        },
    )
    assert imported(*command) == (
        3,
        (
            "line 5: warning: 1 cell, but the heading has 2: the others are taken for empty\n"
            "line 5: 'bad' is not an address\n"
            "attributes: country\n"
            "read as generic, utf-8: 3 active\n"
            "4 rows: 0 created, 0 updated, 3 unchanged, 1 rejected\n"
        ),
    )


def test_a_dry_run_reports_and_writes_nothing(publication: Publication, people: Path) -> None:
    code, said = imported(
        "import_subscribers", str(people), "--publication", "weekly", "--list", "readers", "--dry-run", "--json"
    )

    assert (code, said["created"], said["statuses"]["active"]) == (3, 3, 3)
    assert not Subscriber.objects.exists()
    assert not List.objects.exists()


def test_the_exit_status_says_how_much_was_taken(publication: Publication, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    command = ("import_subscribers", str(file), "--publication", "weekly", "--list", "readers")
    file.write_text("email\nbad\n")
    assert imported(*command)[0] == 2
    assert not List.objects.exists()

    file.write_text("email\nada@example.com\n")
    assert imported(*command)[0] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"people": "nowhere.csv"}, "nowhere.csv: cannot be read: No such file or directory"),
        ({"weekly": "monthly"}, "--publication: there is no 'monthly'; there are: weekly"),
        ({"readers": "a list"}, "list 'a list'"),
    ],
)
def test_import_refuses_in_one_line(
    publication: Publication,
    people: Path,
    change: dict[str, str],
    message: str,
) -> None:
    chosen = {"people": str(people), "weekly": "weekly", "readers": "readers"} | change

    words = (chosen["people"], "--publication", chosen["weekly"], "--list", chosen["readers"])

    assert message in refusal("import_subscribers", *words)


def test_a_segment_counts_those_a_send_would_reach(publication: Publication, people: Path) -> None:
    imported("import_subscribers", str(people), "--publication", "weekly", "--list", "readers")
    suppress("bob@example.com", "hard_bounce")

    made = run_json("new_segment", "sg", "--publication", "weekly", "--rule", json.dumps(SINGAPORE))

    assert made == {"segment": "sg", "readers": 1}
    assert {reader.email for reader in subscribers_matching(Segment.objects.get())} == {
        "ada@example.com",
        "bob@example.com",
    }


def test_a_segment_made_again_takes_the_new_rule_and_keeps_its_name(publication: Publication, tmp_path: Path) -> None:
    file = tmp_path / "rule.json"
    file.write_text('{"all": []}')
    command = ("new_segment", "sg", "--publication", "weekly", "--rule")

    assert run(*command, json.dumps(SINGAPORE), "--name", "Singapore") == "made sg: 0 readers now\n"
    assert run(*command, f"@{file}") == "replaced sg: 0 readers now\n"

    segment = Segment.objects.get()
    assert (segment.name, segment.rule, segment.publication) == ("Singapore", {"all": []}, publication)


@pytest.mark.parametrize(
    ("slug", "rule", "message"),
    [
        ("sg", "{", "--rule: not JSON at line 1, column 2"),
        ("sg", "", "--rule: not JSON at line 1, column 1"),
        ("sg", "[" * 100_000, "--rule: nested too deeply"),
        ("sg", '{"any": [], "any": []}', "--rule: 'any' is written twice in one object"),
        (
            "sg",
            '{"all": [{"any": [{"field": "email", "op": "foo", "value": 1}]}]}',
            "--rule: all[0].any[0].op: 'foo' is",
        ),
        ("sg", "@nowhere.json", "nowhere.json: No such file or directory"),
        ("no spaces", '{"all": []}', "SLUG"),
        ("s" * 61, '{"all": []}', "SLUG"),
    ],
)
def test_a_segment_is_refused_in_one_line(publication: Publication, slug: str, rule: str, message: str) -> None:
    assert message in refusal("new_segment", slug, "--publication", "weekly", "--rule", rule)
    assert not Segment.objects.exists()


def test_rules_are_looked_up_by_slug(publication: Publication, other_publication: Publication) -> None:
    for slug in ("one", "two"):
        Segment.objects.create(publication=publication, slug=slug, name=slug, rule={"all": []})
    Segment.objects.create(publication=other_publication, slug="three", name="3", rule={"all": []})

    assert rules_for(publication.pk, ["one", "one"]) == {"one": {"all": []}}
    assert rules_for(publication.pk, []) == {}
    with pytest.raises(InputError, match="'three': no such segment; this publication has: one, two"):
        rules_for(publication.pk, ["one", "three"])


def test_readers_are_those_of_the_publications_own_lists(
    publication: Publication, other_publication: Publication, make_list: Any, make_subscriber: Any
) -> None:
    mine, other = make_list(), make_list(publication=other_publication)
    make_subscriber("ada@example.com", lists={mine: "active", other: "active"})
    make_subscriber("bob@example.com", lists={other: "active"})
    make_subscriber("eve@example.com", lists={mine: "pending"})

    assert count_readers(publication.pk, {"all": []}) == 1
    assert count_readers(other_publication.pk, {"all": []}) == 2
    assert (List.objects.count(), Subscriber.objects.count()) == (2, 3)
