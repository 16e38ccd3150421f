"""Timezones come from the pinned wheel (issue 13, point 10)."""

import os
import subprocess
import sys
import zoneinfo
from pathlib import Path

import pytest

from newsdesk.core import timezones

ROOT = Path(__file__).parents[2]
#: On a machine whose own timezones are empty folders.
_LOOK = """
import datetime, zoneinfo
from newsdesk.core import timezones
pinned = timezones.use_pinned()
noon = datetime.datetime(2026, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("US/Pacific"))
print(pinned, zoneinfo.TZPATH, noon.utcoffset(), len(zoneinfo.available_timezones()) > 400)
"""


def test_it_is_pinned_on_every_platform() -> None:
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")

    (line,) = [one for one in pins.splitlines() if one.startswith("tzdata==")]

    assert ";" not in line, "no platform is left to its system"
    assert "tzdata" in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()


def test_an_old_name_is_known_whatever_the_system_knows(tmp_path: Path) -> None:
    pytest.importorskip("tzdata", reason="the pinned wheel is not installed here")
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    done = subprocess.run([sys.executable, "-c", _LOOK], env=environment, check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "True () -1 day, 17:00:00 True"


def test_the_settings_use_them() -> None:
    pytest.importorskip("tzdata", reason="the pinned wheel is not installed here")
    assert zoneinfo.TZPATH == ()
    assert "US/Pacific" in zoneinfo.available_timezones()


def test_where_the_wheel_is_missing_the_systems_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezones.importlib.util, "find_spec", lambda _name: None)
    before = zoneinfo.TZPATH

    assert not timezones.use_pinned()

    assert before == zoneinfo.TZPATH
