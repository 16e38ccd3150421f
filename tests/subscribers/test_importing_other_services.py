"""Files in the shapes of services and languages that no preset is for: nobody who had left is mailed.

`exports_of_other_services.txt` holds them, each below its name (and encoding, where it is not UTF-8). Addresses beginning with "yes" are
active, those beginning with "no" are not. Nothing is imported here: rows are read as an import reads them.
"""

import io
from pathlib import Path

import pytest

from subscribers.importing.layout import Choices, Layout, state_by_name
from subscribers.importing.rows import RowReader
from subscribers.importing.signs import holds_addresses, sign
from subscribers.importing.sources import source
from subscribers.importing.states import State

_TEXT = (Path(__file__).parent / "exports_of_other_services.txt").read_text()
EXPORTS = [block.split("\n", 1) for block in _TEXT.removeprefix("## ").split("\n## ")]


@pytest.mark.parametrize(("named", "content"), EXPORTS, ids=[named for named, _ in EXPORTS])
def test_only_who_is_subscribed_is_active(named: str, content: str) -> None:
    name, _, encoding = named.partition(" | ")
    with source(io.BytesIO(content.encode(encoding or "utf-8"))) as found:
        records = found.records()
        layout = Layout(next(records).cells, name, Choices())
        reader = RowReader(layout, floor=state_by_name(Path(name).stem), warn=lambda *_: None)
        rows = [reader.row(record.cells, record.line) for record in records]

    active = {row.email for row in rows if row.state == State.ACTIVE}
    assert {row.email[:2] for row in rows} <= {"ye", "no"}
    assert active == {row.email for row in rows if row.email.startswith("yes")}


@pytest.mark.parametrize(
    ("name", "state"),
    [("newsletter_abbestellt", State.UNSUBSCRIBED), ("is_excluded_from_campaigns", State.MANUAL), ("spam_complaint_date", State.COMPLAINT),
     ("bounce_rate", "nothing"), ("sms_opted_out", "nothing"), ("never_bounced", "nothing"), ("marketing_consent_status", None),
     ("consent_date", "nothing"), ("city", "nothing")],
)  # fmt: skip
def test_what_a_columns_name_tells(name: str, state: State | str | None) -> None:
    found = sign(name)

    assert (found.state if found else "nothing") == state


@pytest.mark.parametrize(
    ("cell", "state"),
    [("", State.ACTIVE), ("No", State.ACTIVE), ("0000-00-00 00:00:00", State.ACTIVE), ("[]", State.ACTIVE), ("Yes", State.UNSUBSCRIBED),
     ("2020-01-01", State.UNSUBSCRIBED), ("too many mails", State.UNSUBSCRIBED), ("HardBounce", State.HARD_BOUNCE),
     ("spam", State.COMPLAINT), ("active", State.ACTIVE)],
)  # fmt: skip
def test_what_a_cell_in_it_says(cell: str, state: State) -> None:
    words = Layout(["email"], "x", Choices()).words
    found = sign("opt_out_reason")

    assert found is not None
    assert found.of(cell, words) == state


def test_a_column_of_addresses_is_known_by_its_words() -> None:
    names = ("contact_email", "e_mail_1", "courriel", "email_opt_out", "last_email", "mail", "no_email", "email_status")

    assert [name for name in names if holds_addresses(name)] == ["contact_email", "e_mail_1", "courriel"]
