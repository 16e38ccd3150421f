"""Whatever is read, a parser answers or raises what it documents; and twice as much takes about twice as long.

`NEWSDESK_FUZZED_INPUTS=500000 pytest tests/fuzzing` for as many as a release is tried with, over all parsers together;
`NEWSDESK_SEED=n` for others than the last time.
"""

import os
import time
import traceback
from random import Random

import pytest

from tests.fuzzing.mutations import mutated
from tests.fuzzing.parsers import PARSERS, Parser, read

MANY = int(os.environ.get("NEWSDESK_FUZZED_INPUTS", "1000"))
SEED = int(os.environ.get("NEWSDESK_SEED", "20261129"))
SHARES = sum(parser.share for parser in PARSERS)
#: Seconds of this process that count as nothing.
NOISE = 0.1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_it_answers_or_says_what_it_documents(parser: Parser) -> None:
    chance = Random(SEED)
    faults: dict[str, str] = {}
    for _ in range(int(MANY * parser.share / SHARES) + 1):
        content = mutated(chance.choice(parser.samples), chance, parser.samples)
        try:
            read(parser, content)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {place.filename}:{place.lineno}"
            faults.setdefault(where, f"{error!s:.200} for {content[:2000]!r}")
    assert faults == {}


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_a_sample_is_read(parser: Parser) -> None:
    answers = [read(parser, sample) for sample in parser.samples]
    assert not all(isinstance(answer, Exception) for answer in answers), answers


CASES = [
    pytest.param(parser, piece, id=f"{parser.name}-{piece[:12]!r}") for parser in PARSERS for piece in parser.repeated
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("parser", "piece"), CASES)
def test_twice_as_much_takes_about_twice_as_long(parser: Parser, piece: bytes) -> None:
    head = parser.samples[0][: 1 + len(parser.samples[0]) // 2]

    def seconds(size: int) -> float:
        content = head + piece * (size // len(piece))
        began = time.process_time()
        read(parser, content)
        return time.process_time() - began

    # The processor's time of this process alone; a cache of it that was emptied is forgiven twice.
    assert any(seconds(2 * parser.size) <= 3 * seconds(parser.size) + NOISE for _ in range(3))
