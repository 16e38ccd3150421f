"""What a person gets who asks what is held of them."""

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from newsdesk.management import runner
from subscribers.models import Suppression
from subscribers.suppression import suppress
from tasks.privacy import export
from tasks.privacy.naming import Naming
from tests import factories
from tests.reports import deliver
from tests.subscribers.commands import refusal, run, run_json
from tests.tasks.privacy.people import ADDRESS, NEIGHBOUR, hold_everywhere

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def exported(address: str) -> dict[str, Any]:
    out = io.StringIO()
    export.write(out.write, address)
    data: dict[str, Any] = json.loads(out.getvalue())
    return data


def test_every_section_has_what_is_held_and_nothing_of_anybody_else() -> None:
    held = hold_everywhere()
    suppress("@example.com", "manual")

    data = exported(ADDRESS.upper())

    assert [name for name in export.SECTIONS if not data[name]] == []
    assert data["desk_log"][0]["label"] == ADDRESS
    assert data["profile"][0]["attributes"] == {"city": "Oslo-Unique"}
    assert {row["kind"] for row in data["consents"]} == {"given", "withdrawn"}
    assert [(row["answer"], row["wording"]) for row in data["tracking_answers"]] == [("granted", "You may")]
    assert {row["address"] for row in data["suppressions"]} == {ADDRESS.lower(), "@example.com"}
    assert {row["outcome"] for row in data["deliveries"]} == {"submitted", "failed"}
    assert {row["kind"] for row in data["events"]} == {"delivered", "clicked"}
    read = [receipt["events"] for receipt in data["receipts"] if "events" in receipt]
    assert [event["event"] for events in read for event in events] == ["delivered", "click", "open"]
    assert [receipt["unreadable"] for receipt in data["receipts"] if "unreadable" in receipt] == [
        f"no json, but {ADDRESS}"
    ]
    tables = {row["table"] for row in data["mentions"]}
    assert {"tasks_alarm", "tasks_action", "tasks_send", "tasks_warmup", "tasks_letter"} <= tables
    assert NEIGHBOUR not in json.dumps(data)
    # To the end of an id: a timestamp may hold the same digits after its point.
    assert f'.{held.neighbour.pk}"' not in json.dumps(data["receipts"])


def test_a_body_of_many_is_cut_to_one_persons_events() -> None:
    held = hold_everywhere()
    both = [held.world.report(0, "open", email=""), held.world.report(1, "open", email=NEIGHBOUR)]
    deliver(*both)

    cut = exported(ADDRESS)["receipts"][-1]["events"]

    assert [event["nd_delivery"] for event in cut] == [f"{held.world.send.pk}.{held.ada.pk}"]


def test_who_is_no_reader_is_told_what_is_held_all_the_same() -> None:
    suppress("gone@example.com", "complaint", detail="gone@example.com and other@example.com")
    factories.make_transactional_mail("Gone@example.com")

    data = run_json("export_reader", "gone@example.com")

    assert data["profile"] == []
    assert data["suppressions"][0]["detail"] == "gone@example.com and [another address]"
    assert len(data["transactional_mails"]) == 1


def test_without_a_file_it_is_written_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    hold_everywhere()
    command = runner.load("export_reader")
    # As the command line calls it: Django's `call_command`, which other tests use, names a `stdout` of its own accord.
    options = vars(command.create_parser("newsdesk", "export-reader").parse_args([ADDRESS]))

    command.execute(*options.pop("args", ()), **options)

    assert json.loads(capsys.readouterr().out) | {"made_at": ""} == exported(ADDRESS) | {"made_at": ""}


def test_a_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    hold_everywhere()
    file = tmp_path / "ada.json"

    said = run_json("export_reader", ADDRESS, "--output", str(file))

    data = json.loads(file.read_text(encoding="utf-8"))
    assert said["rows"] == sum(len(rows) for rows in data.values() if isinstance(rows, list))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "nothing is held of nobody@example.com" in run(
        "export_reader", "nobody@example.com", "--output", str(tmp_path / "nobody.json")
    )
    assert "ADDRESS: 'nobody' is no address" in refusal("export_reader", "nobody")


def test_a_domains_suppression_does_not_name_its_other_people() -> None:
    Suppression.objects.create(address="@example.com", reason="manual", detail="asked by bob@example.com")

    assert "bob@example.com" not in json.dumps(exported("ada@example.com"))


@pytest.mark.parametrize(
    "text",
    [
        "ada@e.example",
        "<ADA@e.example>",
        "to:ada@e.example.",
        "https://x.example/?to=ada%40e.example&b",
        "x%3Dada%40e.example",
        '"ada@e.example"',
        "is 'ada@e.example'",
        "\\u0022ada@e.example",
        "\\nada@e.example",
    ],
)
def test_an_address_is_found_as_it_is_written(text: str) -> None:
    naming = Naming("Ada@e.example")

    assert naming.names(text)
    assert not Naming("da@e.example").names(text)
    assert not Naming("ada@e.exampl").names(text)
    assert not naming.names(naming.erased(text))
    assert len(naming.masked(text.encode())) == len(text.encode())
    assert not naming.names(naming.masked(text.encode()).decode())


@pytest.mark.parametrize(
    "text", ["bada@e.example", "b.ada@e.example", "ada@e.example.org", "ada@e.example-shop.org", "o'ada@e.example"]
)
def test_another_address_is_left_alone(text: str) -> None:
    assert not Naming("ada@e.example").names(text)
    assert Naming("ada@e.example").erased(text) == text
