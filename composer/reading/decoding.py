"""Bytes to text, where there is no doubt what the text is; otherwise a refusal that names `--encoding`."""

import codecs
import re
import unicodedata
from dataclasses import dataclass

from composer.reading import guessing
from composer.reading.errors import DigestError

MAX_BYTES = 2_000_000

_MARKS = (  # the longer mark first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE = "save the file as UTF-8, or name its encoding with --encoding"
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Decoded:
    text: str
    #: As Python names it: “utf-8”, “cp1252”.
    encoding: str
    #: 0 to 1; 1 where the bytes themselves prove it.
    confidence: float
    #: The first line that is not plain ASCII, where the encoding was guessed; else 0.
    doubt_line: int = 0

    @property
    def title(self) -> str:
        """What people call the encoding."""
        return (
            self.encoding.replace("cp125", "Windows-125")
            if self.encoding.startswith("cp125")
            else self.encoding.upper()
        )


def decode(raw: bytes | str, encoding: str = "") -> Decoded:
    """The text with Unix line ends. Raises DigestError, also above MAX_BYTES."""
    check_size(raw)
    if isinstance(raw, str):
        found = Decoded(text=raw, encoding="utf-8", confidence=1)
    else:
        found = _named(raw, encoding) if encoding else _found(raw)
    text = found.text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    bad = _UNREADABLE.search(text)
    if bad:
        raise DigestError(_line(text, bad.start()), f"{_name(bad[0])} in the text; remove it and {_SAVE}")
    return Decoded(text=text, encoding=found.encoding, confidence=found.confidence, doubt_line=found.doubt_line)


def check_size(raw: bytes | str) -> None:
    if len(raw) > MAX_BYTES:
        unit = "bytes" if isinstance(raw, bytes) else "characters"
        raise DigestError(1, f"the file has {len(raw):,} {unit}; a digest has at most {MAX_BYTES:,}")


def _found(raw: bytes) -> Decoded:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return Decoded(text=_strictly(raw, encoding), encoding=encoding.removesuffix("-sig"), confidence=1)
    if b"\0" in raw[:2000]:
        return _without_mark(raw)
    try:
        return Decoded(text=raw.decode(), encoding="utf-8", confidence=1)
    except UnicodeDecodeError as error:
        return _guessed(raw, error.start)


def _named(raw: bytes, encoding: str) -> Decoded:
    try:
        name = codecs.lookup(encoding).name
        text = raw.decode(name)
    except LookupError:
        raise DigestError(1, f"--encoding: there is no encoding “{encoding[:40]}”") from None
    except UnicodeDecodeError as error:
        raise DigestError(_bytes_line(raw, error.start), f"--encoding: the file is not {encoding}") from None
    if not isinstance(text, str):
        raise DigestError(1, f"--encoding: “{encoding[:40]}” is no encoding of text")
    return Decoded(text=text, encoding=name, confidence=1)


def _strictly(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].decode(encoding, "ignore").count("\n") + 1
        name = encoding.removesuffix("-sig").upper()
        raise DigestError(line, f"not readable as the {name} its byte order mark promises; {_SAVE}") from None


def _without_mark(raw: bytes) -> Decoded:
    """UTF-16 or UTF-32 without its mark: of line ends and blanks, all bytes but one are zero, at the same place."""
    for encoding, width, blanks in (
        ("utf-32-le", 4, (b"\n\0\0\0", b" \0\0\0")),
        ("utf-32-be", 4, (b"\0\0\0\n", b"\0\0\0 ")),
        ("utf-16-le", 2, (b"\n\0", b" \0")),
        ("utf-16-be", 2, (b"\0\n", b"\0 ")),
    ):
        units = [raw[index : index + width] for index in range(0, min(len(raw), 4000) // width * width, width)]
        if len(raw) % width or sum(unit in blanks for unit in units) * 100 < len(units):
            continue
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return Decoded(text=text, encoding=encoding, confidence=0.95)
    line = raw[: raw.index(b"\0")].count(b"\n") + 1
    raise DigestError(line, f"a NUL character: this is no text, or UTF-16 cut short; {_SAVE}")


def _guessed(raw: bytes, first: int) -> Decoded:
    guess = guessing.guess(raw)
    if guess.is_sure:
        return Decoded(
            text=raw.decode(guess.encoding),
            encoding=guess.encoding,
            confidence=guess.confidence,
            doubt_line=_bytes_line(raw, first),
        )
    could = f"; it may be {' or '.join(guess.candidates)}" if guess.candidates else ""
    raise DigestError(_bytes_line(raw, first), f"not UTF-8, and not certainly anything else{could}; {_SAVE}")


def _bytes_line(raw: bytes, position: int) -> int:
    return raw[:position].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _name(sign: str) -> str:
    if sign == "\0":
        return "a NUL character"
    if unicodedata.category(sign) == "Cs":
        return f"half a character (surrogate U+{ord(sign):04X})"
    return f"a control character (U+{ord(sign):04X})"
