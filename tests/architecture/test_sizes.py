"""A test file that needs more room tests more than one thing."""

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MOST_LINES = 400


def test_no_test_file_is_longer_than_one_can_read() -> None:
    sizes = {file.relative_to(TESTS): len(file.read_text().splitlines()) for file in TESTS.rglob("*.py")}

    assert {str(file): size for file, size in sizes.items() if size > MOST_LINES} == {}
