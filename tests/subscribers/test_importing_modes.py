import csv
from pathlib import Path
from typing import Any

import pytest

from composer.models import Publication
from subscribers.models import Consent, Subscriber, Subscription, Suppression
from subscribers.suppression import suppress, unsubscribe
from tests.subscribers.commands import imported
from tests.subscribers.importing import Load, mailed

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

FIRST = 'email,name,tags,city\nclr@example.com,Cl,"old,stays",Oslo\ngone@example.com,,,\n'
SECOND = 'email,name,tags,city\nclr@example.com,,"new,stays",\n'


@pytest.fixture
def take(publication: Publication, tmp_path: Path) -> Any:
    def run(content: str, *words: str, name: str = "people.csv") -> Any:
        path = tmp_path / name
        path.write_text(content)
        command = ("import_subscribers", str(path), "--publication", "weekly", "--list", "readers", "--json")
        return imported(*command, *words)[1]

    return run


@pytest.mark.parametrize(
    ("mode", "name", "tags", "attributes", "listed"),
    [
        ("add", "Cl", ["old", "stays"], {"city": "Oslo"}, 2),
        ("update", "Cl", ["old", "stays", "new"], {"city": "Oslo"}, 2),
        ("replace-tags", "Cl", ["new", "stays"], {"city": "Oslo"}, 2),
        ("mirror", "", ["new", "stays"], {}, 1),
    ],
)
def test_each_mode_says_what_an_empty_cell_and_a_missing_tag_mean(
    take: Any, mode: str, name: str, tags: list[str], attributes: dict[str, str], listed: int
) -> None:
    take(FIRST)
    consents = Consent.objects.count()

    said = take(SECOND, "--mode", mode)

    reader = Subscriber.objects.get(email="clr@example.com")
    assert (reader.name, reader.tags, reader.attributes) == (name, tags, attributes)
    assert (Subscription.objects.count(), said["left"]) == (listed, 2 - listed)
    assert (said["updated"], said["unchanged"]) == ((0, 1) if mode == "add" else (1, 0))
    assert Consent.objects.count() == consents
    assert take(SECOND, "--mode", mode)["unchanged"] == 1


def test_a_mirror_keeps_leavers_and_takes_nobody_off_while_rows_are_refused(
    take: Any, publication: Publication
) -> None:
    take("email\na@example.com\nb@example.com\nc@example.com\n")
    unsubscribe(Subscriber.objects.get(email="b@example.com").pk, publication.pk, "one-click")

    said = take("email\na@example.com\nbroken\n", "--mode", "mirror")
    assert (said["left"], Subscription.objects.count()) == (0, 3)
    assert any("nobody leaves the list" in warning["message"] for warning in said["warnings"])

    assert take("email\na@example.com\n", "--mode", "mirror", "--dry-run")["left"] == 1
    assert take("email\na@example.com\n", "--mode", "mirror")["left"] == 1
    assert dict(Subscription.objects.values_list("subscriber__email", "status")) == {
        "a@example.com": "active",
        "b@example.com": "unsubscribed",
    }


def test_only_what_is_named_is_kept_but_never_without_the_state(take: Any) -> None:
    content = "email,name,city,phone,status,confirmed_at\na@example.com,Ada,Oslo,123,unsubscribed,2020-01-01\n"

    said = take(content, "--only", "City")

    reader = Subscriber.objects.get()
    assert (reader.name, reader.attributes, said["left_out"]) == ("", {"city": "Oslo"}, ["name", "phone"])
    assert mailed() == set()


def test_refused_rows_are_mended_and_imported(take: Any, tmp_path: Path) -> None:
    file = tmp_path / "rejected.csv"
    content = 'email,city\nada@example.com,Oslo\nbroken,Rome\nada@example.com,Bonn\nq@example.com,"x\n'

    said = take(content, "--rejected", str(file), name="unsubscribed.csv")

    with file.open(newline="") as text:
        rows = list(csv.reader(text))
    assert rows[0] == ["rejected_line", "rejected_reason", "rejected_from", "email", "city"]
    assert [[row[0], *row[2:]] for row in rows[1:]] == [
        ["3", "unsubscribed.csv", "broken", "Rome"],
        ["4", "unsubscribed.csv", "ada@example.com", "Bonn"],
        ["5", "unsubscribed.csv", "q@example.com", "x"],
    ]
    assert [row[1] for row in rows[1:]] == [row["reason"] for row in said["rejected"]]
    mended = file.read_text().replace("broken", "bob@example.com")
    again = take(mended, "--rejected", str(file), name="mended.csv")
    # Who had left by the first file's name has left still.
    assert (again["created"], again["statuses"]["unsubscribed"], again["unknown_columns"]) == (2, 3, ["city"])
    assert mailed() == set()
    assert file.read_text().count("\n") == 1


def test_typos_are_told_and_kept(load: Load) -> None:
    report = load("email\nada@gmial.com\nbob@gmail.com\n")

    assert [(one.line, "ada@gmail.com" in one.message) for one in report.warnings] == [(2, True)]
    assert Subscriber.objects.filter(email="ada@gmial.com").exists()


def test_a_dry_run_names_attributes_of_one_row_only(take: Any) -> None:
    content = 'email,city,attributes\na@example.com,Oslo,"{""age"": 1}"\nb@example.com,Rome,\n'

    warnings = take(content, "--dry-run")["warnings"]

    assert warnings == [{"line": 2, "message": "no other row has the attribute age"}]
    assert take(content)["warnings"] == []


LEFT = "email,status,unsubscribed_at\nada@example.com,unsubscribed,2022-05-05\n"


@pytest.mark.parametrize(
    ("column", "date", "back"),
    [("confirmed_at", "2023-01-01", True), ("subscribed_at", "2023-01-01", True), ("confirmed_at", "2022-05-04", False),
     ("confirmed_at", "", False), ("created_at", "2023-01-01", False)],
)  # fmt: skip
def test_a_leaver_comes_back_only_by_a_later_consent(take: Any, column: str, date: str, back: bool) -> None:
    take(LEFT)
    again = f"email,status,{column}\nada@example.com,active,{date}\n"

    said = take(again)

    assert (said["brought_back"], mailed()) == ((1, {"ada"}) if back else (0, set()))
    if back:
        assert any("had left on 2022-05-05, agreed again on 2023-01-01" in one["message"] for one in said["warnings"])
        assert Consent.objects.filter(kind="given", at__date="2023-01-01").exists()
        assert (take(again)["unchanged"], take(LEFT)["statuses"]["unsubscribed"], mailed()) == (1, 1, set())


@pytest.mark.parametrize("reason", ["complaint", "hard_bounce", "invalid", "manual", "@example.com"])
def test_nobody_comes_back_from_worse(take: Any, reason: str) -> None:
    take(LEFT)
    if reason.startswith("@"):
        suppress(reason, "manual")
    else:
        suppress("ada@example.com", reason)

    said = take("email,status,confirmed_at\nada@example.com,active,2023-01-01\n")

    assert (said["brought_back"], Subscription.objects.get().status) == (0, "unsubscribed")
    assert Suppression.objects.filter(reason="unsubscribed").exists()


def test_who_left_here_yesterday_is_not_brought_back_by_an_old_consent(
    take: Any, publication: Publication, make_list: Any, make_subscriber: Any
) -> None:
    ada = make_subscriber(lists={make_list("readers"): "active"})
    unsubscribe(ada.pk, publication.pk, "one-click")

    said = take("email,status,confirmed_at\nada@example.com,active,2023-01-01\n")

    assert (said["brought_back"], said["statuses"]["active"], mailed()) == (0, 1, set())
