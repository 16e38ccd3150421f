"""What runs with half a million inputs found: numbers of more digits than Python reads (4300)."""

import pytest

from tests.fuzzing import samples
from tests.fuzzing.parsers import PARSERS, read

LONG = b"9" * 5000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("theme", samples.themes()[0].replace(b"{{ ", b"{{ " + LONG + b" ~ ", 1)),
        ("provider's answer", b'{"errors": [{"message": "no", "field": "personalizations.' + LONG + b'.to"}]}'),
        ("merge tags", b"{{ name | &#" + LONG + b"; }}"),
    ],
)
def test_it_is_answered(name: str, content: bytes) -> None:
    (parser,) = (parser for parser in PARSERS if parser.name == name)

    read(parser, content)
