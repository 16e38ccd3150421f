import importlib.util
from pathlib import Path

import pytest

from tests.mutants.forks import Say, said_by_fork
from tests.mutants.lines import ran, rows
from tests.mutants.swapping import is_swappable, swap

MODULE = """\
LIMIT = 3


def is_long(word: str, least: int = LIMIT) -> bool:
    def measure() -> int:
        return len(word)

    if (
        measure() > least
    ):
        return True
    return False


class Words:
    most = 7
    longest = max([len(word) for word in ("a", "ab")])

    def fit(self, words: list[str]) -> bool:
        return all(len(word) <= self.most for word in words)
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("> least", "< least", True),
        ("return len", "return -len", True),
        ("<= self.most", "< self.most", True),
        ("LIMIT = 3", "LIMIT = 4", False),
        ("int = LIMIT", "int = -LIMIT", False),
        ("most = 7", "most = 8", False),
        ("max([len", "max([-len", False),
    ],
)
def test_only_what_runs_at_the_import_needs_another_import(before: str, after: str, expected: bool) -> None:
    assert is_swappable(MODULE, MODULE.replace(before, after)) is expected


def test_functions_that_are_loaded_do_what_the_mutant_does(tmp_path: Path) -> None:
    file = tmp_path / "words.py"
    file.write_text(MODULE)
    spec = importlib.util.spec_from_file_location("words", file)
    assert spec
    assert spec.loader
    words = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(words)
    is_long, fit = words.is_long, words.Words().fit
    assert (is_long("abcd"), fit(["a"])) == (True, True)

    assert swap(file, MODULE, MODULE.replace("> least", "< least").replace("all(", "not all("))

    assert (is_long("abcd"), fit(["a"])) == (False, False)
    del is_long, words.is_long
    assert not swap(file, MODULE, MODULE.replace("> least", "< least")), "the function is not there any more"


def test_a_mutant_meets_who_runs_its_statement(tmp_path: Path) -> None:
    assert rows(MODULE, 9) == range(8, 11)
    assert rows(MODULE, 11) == range(11, 12)
    file = str(tmp_path / "words.py")
    found: dict[str, object] = {}
    exec(compile(MODULE, file, "exec"), found)

    with ran(frozenset([file])) as lines:
        found["is_long"]("ab")  # type: ignore[operator]

    assert {row for _, row in lines} == {4, 5, 6, 9, 12}


def test_a_fork_is_heard_until_it_ends_or_hangs() -> None:
    def run(say: Say) -> None:
        say("first", 1)
        say("second", 2)

    assert list(said_by_fork(run, 60.0, lambda _: 60.0)) == [["first", 1], ["second", 2]]

    def hang(say: Say) -> None:
        say("hangs")
        while True:
            pass

    heard = said_by_fork(hang, 60.0, lambda _: 0.1)
    assert next(heard) == ["hangs"]
    with pytest.raises(TimeoutError):
        next(heard)
