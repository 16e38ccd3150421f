"""Moving in from every service that is known: by the provider's own ledger nobody is mailed who had left there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Desk, running_desk
from tests.subscribers.test_importing_states import FILES

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def desk(migrated_cluster: Path) -> Iterator[Desk]:
    with running_desk(5, migrated_cluster) as desk:
        yield desk


def _one_of_each() -> list[tuple[str, str, str, list[str]]]:
    """A file of each service that names people who had left, and all three kinds of Mailchimp's; each import takes a second."""
    chosen: dict[str, tuple[str, str, str, list[str]]] = {}
    for file in FILES:
        preset, _, _, rows = file
        if preset == "mailchimp" or any("no" in row.split("@")[0] for row in rows):
            chosen.setdefault(f"{preset} {len(chosen)}" if preset == "mailchimp" else preset, file)
    return list(chosen.values())


def test_by_the_ledger_nobody_who_had_left_is_mailed(desk: Desk) -> None:
    wanted: set[str] = set()
    left: set[str] = set()
    for number, (preset, name, header, rows) in enumerate(_one_of_each()):
        own = [row.replace("@", f"-{number}@", 1) for row in rows]
        addresses = {word.strip('"') for row in own for word in row.split(",") if f"-{number}@" in word}
        wanted |= {address for address in addresses if address.startswith("yes")}
        left |= {address for address in addresses if not address.startswith("yes")}
        folder = desk.up.home.path / f"files-{number}"
        folder.mkdir()
        (folder / name).write_text("\n".join([header, *own]) + "\n", encoding="utf-8")
        report = desk("import-subscribers", str(folder / name), "--publication", "weekly", "--list", "moved")
        assert (report["preset"], report["rejected"]) == (preset, [])
    assert wanted
    assert left

    edition = desk.compose()
    told = desk.wait_until_sent(int(desk("send", str(edition), "--list", "moved")["send"]))

    mailed = {one["address"] for one in desk.sandbox(f"/sandbox/accepted?category=edition-{edition}")["messages"]}
    assert mailed == wanted
    assert told["candidates"] == len(wanted | left)
    desk.assert_each_reader_got_it_once(edition, told)
