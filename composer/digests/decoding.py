"""Bytes to text, where there is no doubt what the text is; otherwise a refusal that names the line."""

import codecs
import re
import unicodedata

from composer.digests.errors import DigestError

MAX_BYTES = 200_000

_MARKS = (  # the longer mark first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE = "save the file as UTF-8"
#: What Western prose has above ASCII in Windows-1252: typographic marks, symbols, and letters.
_WESTERN_MARKS = set("€‚„…‹‘’“”•–—™›\xa0¡¢£§©ª«®°±²³´µ·¹º»¼½¾¿×÷")
_WESTERN_LETTERS = set("ŠŒŽšœžŸ") | {chr(code) for code in range(0xC0, 0x100)} - set("×÷")
#: Other encodings read as Windows-1252 show themselves: three accented letters in a row (Cyrillic, Greek, Chinese), a
#: capital behind a small letter (Mac Roman), the two halves of a UTF-8 character, or five marks in a row (Japanese).
_SUSPECT = re.compile(
    r"[À-ÖØ-öø-ÿŠŒŽšœžŸ]{3}"
    r"|[a-zß-öø-ÿ][À-ÖØ-ÞŠŒŽŸ]"
    r"|[ÂÃ][\x80-\xbf€‚„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
    r"|â€"
    r"|(?=[^\x00-\x7f]{5})[^\x00-\x7f]*[^\x00-\x7f“”‘’«»–—…€\xa0]"
)
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")


def decode(raw: bytes | str) -> tuple[str, tuple[str, ...]]:
    """The text with Unix line ends, and warnings. Raises DigestError."""
    if len(raw) > MAX_BYTES:
        unit = "bytes" if isinstance(raw, bytes) else "characters"
        raise DigestError(1, f"the file has {len(raw):,} {unit}; a digest has at most {MAX_BYTES:,}")
    text, warnings = (raw, ()) if isinstance(raw, str) else _text(raw)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    found = _UNREADABLE.search(text)
    if found:
        raise DigestError(_line(text, found.start()), f"{_name(found[0])} in the text; remove it and {_SAVE}")
    return text, warnings


def _text(raw: bytes) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _strictly(raw, encoding), ()
    if b"\0" in raw[:200]:
        raise DigestError(1, f"NUL bytes: this looks like UTF-16 without a byte order mark; {_SAVE}")
    try:
        return raw.decode(), ()
    except UnicodeDecodeError as error:
        return _western(raw, error.start)


def _strictly(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].decode(encoding, "ignore").count("\n") + 1
        name = encoding.removesuffix("-sig").upper()
        raise DigestError(line, f"not readable as the {name} its byte order mark promises; {_SAVE}") from None


def _western(raw: bytes, first: int) -> tuple[str, tuple[str, ...]]:
    """Windows-1252 (or Latin-1, its subset here), if every byte above ASCII makes sense as such."""
    text = raw.decode("cp1252", "replace")
    for number, line in enumerate(re.split("\r\n|\r|\n", text), start=1):
        strange = [sign for sign in line if not sign.isascii() and sign not in _WESTERN_MARKS | _WESTERN_LETTERS]
        if strange or _SUSPECT.search(line):
            raise DigestError(number, f"neither UTF-8 nor clearly Windows-1252; {_SAVE}")
    line = raw[:first].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
    return text, (f"line {line}: not UTF-8; read as Windows-1252, so look at the accents and quotes",)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _name(sign: str) -> str:
    if sign == "\0":
        return "a NUL character"
    if unicodedata.category(sign) == "Cs":
        return f"half a character (surrogate U+{ord(sign):04X})"
    return f"a control character (U+{ord(sign):04X})"
