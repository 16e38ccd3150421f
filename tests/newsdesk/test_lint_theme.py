import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.core.paths import templates_dir


def linted(folder: Path, **options: Any) -> str:
    stdout = StringIO()
    try:
        call_command("lint_theme", str(folder), stdout=stdout, **options)
    except OperationFailedError as failure:
        return f"{stdout.getvalue()}{failure}"
    return stdout.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(templates_dir() / "email" / "magazine", tmp_path / "mine"))


def test_a_good_theme_has_nothing_to_mend(folder: Path) -> None:
    assert linted(folder) == "mine: nothing to mend\n"


def test_faults_are_listed_by_line_and_end_in_failure(folder: Path) -> None:
    (folder / "dark.css").write_text("p { color: var(--nothing) }\n")
    fault = "there is no --nothing; name it in theme.toml"

    assert linted(folder) == f"dark.css:1: {fault}\nmine: 1 fault"
    report = json.loads(linted(folder, json=True).partition("\n")[0])
    assert report == {"theme": "mine", "faults": [{"file": "dark.css", "line": 1, "message": fault}]}


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: No such file or directory"):
        linted(tmp_path / "nowhere")
