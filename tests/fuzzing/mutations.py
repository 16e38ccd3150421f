"""Samples made wrong: bytes changed, cut, doubled, exchanged, and pieces that parsers stumble over put in."""

from random import Random

_PIECES = (
    b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n", b"\t", b"\x1a", b"\x85", b"\xe2\x80\xa8", b"9" * 5000, b"-1", b"1e999", b"NaN",
    b"null", b"true", b"{", b"}", b"[", b"]", b"[" * 3000, b'{"a":' * 1500, b"<" * 50, b"<!--", b"]]>", b"<![CDATA[", b"&#x110000;", b"&#0;", b"{{", b"}}", b"-ndEmail-",
    b'"', b"'", b"\\", b"\\ud800", b"\\u0000", b",", b";", b"=", b"%00", b"%", b"%zz", b"http://[", b"https://[::1", b"//", b"://", b"@", b":", b":99999", b"../", b"#", b"?",
    "\u0661\u0662".encode(), "\u00b2".encode(), "\u202e".encode(), "\ufdd0".encode(), b"=?utf-8?b?/w==?=", b"charset=nonsense", b"0001-01-01", b"9999-12-31T23:59:59+14:00", b"Feb 30",
    b"99999999999999999999", b"0x10", b"Infinity", b" ", b"  \n\n",
)  # fmt: skip


def mutated(sample: bytes, chance: Random, others: tuple[bytes, ...]) -> bytes:
    """The sample after one to six changes; now and then only noise."""
    if chance.random() < 0.03:
        return chance.randbytes(chance.randrange(200))
    content = bytearray(sample)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) + 1)
        kind = chance.random()
        if kind < 0.4:
            content[at:at] = chance.choice(_PIECES)
        elif kind < 0.55 and content:
            content[min(at, len(content) - 1)] = chance.randrange(256)
        elif kind < 0.7:
            del content[at : at + chance.randrange(1, 40)]
        elif kind < 0.8:
            content[at:at] = content[at : at + chance.randrange(1, 200)] * chance.randint(1, 4)
        elif kind < 0.9:
            end = at + chance.randrange(1, 10)
            content[at:end] = chance.choice(_PIECES)
        else:
            other = chance.choice(others)
            begin = chance.randrange(len(other) + 1)
            content[at:at] = other[begin : begin + chance.randrange(1, 300)]
    return bytes(content)
