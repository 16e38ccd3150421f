from pathlib import Path

from tests.mutants.choosing import Spec, chosen
from tests.mutants.groups import GROUPS

SOURCE = """\
@lru_cache(maxsize=1)
def add(a: int | None, b: int = 1 + 2) -> int | str:
    total: int | None = a + b
    return total
"""
SPECS = [
    Spec("m.py", "core/ReplaceBinaryOperator_BitOr_Add", 2, 11, 1),
    Spec("m.py", "core/ReplaceBinaryOperator_Add_Sub", 2, 33, 2),
    Spec("m.py", "core/ReplaceBinaryOperator_BitOr_Add", 2, 46, 3),
    Spec("m.py", "core/ReplaceBinaryOperator_BitOr_Add", 3, 15, 4),
    Spec("m.py", "core/ReplaceBinaryOperator_Add_Sub", 3, 26, 5),
    Spec("m.py", "core/ReplaceBinaryOperator_Add_Mul", 3, 26, 6),
    Spec("m.py", "core/NumberReplacer", 1, 19, 8),
    Spec("m.py", "core/RemoveDecorator", 3, 0, 7),
    Spec("m.py", "core/ReplaceComparisonOperator_Eq_Is", 4, 11, 9),
]


def test_one_for_each_place_and_none_in_an_annotation() -> None:
    found = chosen(SPECS, {"m.py": SOURCE}, sample=0, seed=1)

    assert [spec.occurrence in {5, 6} for spec in found] == [False, True]
    assert found[0].occurrence == 2


def test_a_seed_chooses_the_same_again() -> None:
    assert len(chosen(SPECS, {"m.py": SOURCE}, sample=1, seed=3)) == 1
    assert chosen(SPECS, {"m.py": SOURCE}, sample=1, seed=3) == chosen(SPECS[::-1], {"m.py": SOURCE}, sample=1, seed=3)


def test_what_is_mutated_and_what_must_notice_is_there() -> None:
    root = Path(__file__).parents[2]

    missing = [
        path for group in GROUPS.values() for path in (*group.modules, *group.tests) if not (root / path).exists()
    ]

    assert not missing
