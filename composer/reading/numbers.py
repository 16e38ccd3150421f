"""Numbers at the beginning of lines, in whatever form people write them: “1.”, “2)”, “#3”, “四、”, “Story 5:”, a keycap."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from composer.reading.document import Block, ListItem, Paragraph

_D = r"(?P<number>\d{1,3})"
_CJK = r"(?P<number>\d{1,3}|[一二三四五六七八九十百]{1,5})"
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"{pattern}(?P<headline>\S.*)", re.IGNORECASE))
    for name, pattern in (
        ("1️⃣", r"(?P<number>🔟|(?:\d\ufe0f?\u20e3?){0,2}\d\ufe0f?\u20e3)\s*"),
        ("Story 1:", rf"(?:story|item|news|number|no\.|nr\.|nº|thema|meldung|noticia|sujet)\s*#?{_D}\s*[:：.)–—-]\s*"),
        ("①", r"(?P<number>[①-⑳❶-❿➀-➓])\s*"),
        ("第1条", rf"第\s*{_CJK}\s*(?:[条條则則篇]\s+|[条條则則篇]?\s*[:：、]\s*)"),
        ("(1)", rf"[(（]\s*{_CJK}\s*[)）]\s*"),
        ("[1]", rf"\[\s*{_D}\s*\]\s*"),
        ("#1", rf"#\s?{_D}\s*[.:)–—-]?\s+"),
        ("1º", rf"{_D}\s?[.．]?\s?[ºª°](?:\s*[.:)–—-]\s*|\s+)"),
        ("1.", rf"{_D}\s*[.．](?:\s+|(?=[^\W\d_]|[“‘\"'(]))"),
        ("1.-", rf"{_D}\s*\.\s?[-–—]\s*"),
        ("1)", rf"{_D}\s*[)）]\s*"),
        ("1/", rf"{_D}\s*[/|]\s+"),
        ("1、", rf"{_CJK}\s*[、．]\s*"),
        ("1:", rf"{_D}\s*[:：]\s+"),
        ("1 -", rf"{_D}\s*[-–—]\s+"),
    )
)
#: A number in whatever dress.
ANY_NUMBER = re.compile(r"[^\w\s]{0,4}\s?(?P<number>\d{1,4})[^\w\s]{1,5}\s*(?P<rest>\w.*)")
_LONE_NUMBER = re.compile(r"#?\d{1,3}\s*[.)]|#\d{1,3}")
#: Categories of emoji and what goes with them.
PICTURES = {"So", "Sk", "Mn", "Cf"}
BRACKETS = {"[": "]", "【": "】", "〔": "〕", "［": "］"}
_CJK_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A block that begins with a number."""

    index: int
    form: str
    number: int
    headline: str


def written(block: Block) -> str:
    """A block's text as it stood there: the number that made it a list's item is in front again."""
    return f"{block.marker} {block.text}" if isinstance(block, ListItem) and block.number is not None else block.text


def looks_like_a_heading(text: str) -> bool:
    """Short, capitalised, without the punctuation that ends a sentence."""
    if not text or len(text) > 80 or len(text.split()) > 12 or "//" in text:
        return False
    first = text[0]
    return (first.isupper() or (first.isalpha() and not first.islower())) and text[-1].isalnum()


def undecorated(text: str) -> str:
    """A line without what makes it stand out: signs on both sides (“=== Culture ===”, “【国际】”), emoji in front, a colon behind."""
    for sign in "=-–—#|•*~_+·◆■●":
        if len(text) > 2 and text[0] == sign == text[-1]:
            return text.strip(f"{sign} ")
    if len(text) > 2 and text[0] in BRACKETS and BRACKETS[text[0]] == text[-1] and text.count(text[0]) == 1:
        return text[1:-1].strip()
    in_front = PICTURES | {"Zs"}
    begins = next(
        (at for at, sign in enumerate(text) if sign not in "→»>" and unicodedata.category(sign) not in in_front), 0
    )
    return text[begins:].rstrip(" :：")


def with_numbers_joined(blocks: Sequence[Block]) -> list[Block]:
    """The blocks with each number that stands on a line of its own put in front of the headline right below it."""
    joined: list[Block] = []
    for block in blocks:
        above = joined[-1] if joined else None
        if above is not None and _is_lone_number(above) and looks_like_a_heading(block.text):
            text, html = f"{above.text} {block.text}", f"{above.html} {block.html}"
            joined[-1] = replace(above, text=text, html=html)
        else:
            joined.append(block)
    return joined


def _is_lone_number(block: Block) -> bool:
    return type(block) is Paragraph and bool(_LONE_NUMBER.fullmatch(block.text))


def candidate_in(index: int, block: Block) -> Candidate | None:
    text = written(block)
    for form, pattern in _FORMS:
        match = pattern.fullmatch(text) if len(text) < 5000 else None
        if match:
            return Candidate(index=index, form=form, number=value_of(match["number"]), headline=match["headline"])
    return None


def value_of(digits: str) -> int:
    if digits == "🔟":
        return 10
    if len(digits) == 1 and unicodedata.category(digits) == "No":
        return int(unicodedata.numeric(digits))
    digits = digits.replace("\ufe0f", "").replace("\u20e3", "")
    if digits[0] not in _CJK_DIGITS and digits[0] not in "十百":
        return int("".join(str(unicodedata.digit(sign)) for sign in digits))
    total, digit = 0, 0
    for sign in digits:
        if sign in "十百":
            total += (digit or 1) * (10 if sign == "十" else 100)
            digit = 0
        else:
            digit = _CJK_DIGITS[sign]
    return total + digit


def dominant(candidates: Sequence[Candidate]) -> tuple[str, int]:
    """The form that counts furthest from 1, and how far; the earlier one of two."""
    counts: dict[str, int] = {}
    for candidate in candidates:
        reached = counts.setdefault(candidate.form, 0)
        counts[candidate.form] = reached + (candidate.number == reached + 1)
    if not counts:
        return "", 0
    form = max(counts, key=lambda name: counts[name])
    return form, counts[form]
