"""`newsdesk take-bounces`: delivery reports from files and from a mail server's pipe."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from newsdesk.core.errors import InputError
from tasks.feedback import applying
from tasks.models import Receipt
from tests.delivery_reports import report
from tests.reports import World, make_world, suppressions
from tests.tasks.feedback.test_delivery_reports import sealed

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world(2)


class Pipe(io.BytesIO):
    """Standard input that cannot be wound back."""

    def seekable(self) -> bool:
        return False


def test_files_are_taken_in_and_told_of(world: World, tmp_path: Path) -> None:
    ours, theirs, letter = (tmp_path / name for name in ("ours", "theirs", "letter"))
    ours.write_bytes(report(sealed(world), world.readers[0].email))
    theirs.write_bytes(report("x" * 72, world.readers[1].email))
    letter.write_bytes(b"Subject: hello\n\nI am away.\n")
    out = io.StringIO()

    call_command("take_bounces", str(ours), str(theirs), str(letter), "--json", stdout=out)

    receipt = Receipt.objects.get().pk
    assert json.loads(out.getvalue()) == {"reports": 1, "events": 1, "foreign": 1, "others": 1, "receipt": receipt}
    applying.apply_receipt(receipt)
    assert suppressions() == {(world.readers[0].email, "hard_bounce", None)}


def test_a_pipe_is_read_to_its_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes into it would fail otherwise, and the mail server write a bounce of the bounce."""
    pipe = Pipe(report(sealed(world), world.readers[0].email) + b"x" * 1_000_000)
    stdin: Any = type("Stdin", (), {"buffer": pipe})
    monkeypatch.setattr("sys.stdin", stdin)
    out = io.StringIO()

    call_command("take_bounces", "-", stdout=out)

    assert out.getvalue().strip() == "1 reports about our mails, 0 about none of ours, 0 mails that are no reports"
    assert pipe.read() == b""


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent: No such file"):
        call_command("take_bounces", str(tmp_path / "absent"))
