"""The numbers of a text, however they are written: 1,000 · 1.000 · 1 thousand · five · 1.2m · three quarters · 75 percent.

A figure has every reading it may have (1.000 is a thousand in German and one in English); figures agree that share one.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache

#: Words for numbers in English, German, French, Spanish, Italian, Portuguese and Dutch. One, a and their like are left
#: out: they are articles far more often than numbers; so are words that English has too (due, once).
_WORDS: dict[str, int] = {}
for _value, _names in {
    2: "two zwei deux dos dois duas twee",
    3: "three drei trois tres tre três drie",
    4: "four vier quatre cuatro quattro quatro",
    5: "five fünf cinq cinco cinque vijf",
    6: "six sechs seis sei zes",
    7: "seven sieben sept siete sette sete zeven",
    8: "eight acht huit ocho otto oito",
    9: "nine neun neuf nueve nove negen",
    10: "ten zehn dix diez dieci dez tien",
    11: "eleven elf onze undici",
    12: "twelve dozen zwölf dutzend douze doce dodici doze twaalf",
    13: "thirteen dreizehn treize trece tredici treze dertien",
    14: "fourteen vierzehn quatorze catorce quattordici catorze veertien",
    15: "fifteen fünfzehn quinze quince quindici vijftien",
    16: "sixteen sechzehn seize dieciséis sedici dezesseis zestien",
    17: "seventeen siebzehn diecisiete diciassette zeventien",
    18: "eighteen achtzehn dieciocho diciotto dezoito achttien",
    19: "nineteen neunzehn diecinueve diciannove dezenove negentien",
    20: "twenty zwanzig vingt veinte venti vinte twintig",
    30: "thirty dreißig trente treinta trenta trinta dertig",
    40: "forty vierzig quarante cuarenta quaranta quarenta veertig",
    50: "fifty fünfzig cinquante cincuenta cinquanta cinquenta vijftig",
    60: "sixty sechzig soixante sesenta sessanta sessenta zestig",
    70: "seventy siebzig setenta settanta zeventig",
    80: "eighty achtzig ochenta ottanta oitenta tachtig",
    90: "ninety neunzig noventa novanta negentig",
}.items():
    _WORDS |= dict.fromkeys(_names.split(), _value)
_SCALES: dict[str, int] = {}
for _value, _names in {
    100: "hundred hundert cent cien cento cem honderd",
    1_000: "thousand tausend mille mil mila duizend k thousands",
    1_000_000: "million millions m mn mln mio million millionen millones millón milioni milione milhões milhão miljoen",
    # A Spanish “billón” is 10**12; newspapers write “mil millones”, which adds up by itself.
    1_000_000_000: "billion bn b milliarde milliarden mrd milliard milliards miliardi miliardo bilhões bilhão miljard",
    1_000_000_000_000: "trillion tn trn billionen billones biljoen trilhões",
}.items():
    _SCALES |= dict.fromkeys(_names.split(), _value)
_LARGE = frozenset(name for name, value in _SCALES.items() if len(name) > 3 or value == 100)
_PARTS = {
    "half": "50",
    "third": "33.3",
    "thirds": "33.3",
    "quarter": "25",
    "quarters": "25",
    "fifth": "20",
    "fifths": "20",
}
_PERCENT = re.compile(
    r"[\s-]?(?:%|٪|per ?cent\b|percent\b|percentage points?\b|pc\b|prozent\b|pour cent\b|por ciento\b|por cento\b|per cento\b|procent\b)",
    re.IGNORECASE,
)
_MULTIPLE = {"doubled": "2", "doubles": "2", "double": "2", "tripled": "3", "triples": "3", "triple": "3"}
#: Groups of three are parted by one and the same mark.
_DIGITS = re.compile(
    r"\d{1,3}(?P<mark>[.,'’ \u00a0\u202f])\d{3}(?:(?P=mark)\d{3}){0,5}(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
)
_WORD = re.compile(r"[^\W\d_]+")
_SCALE_AFTER = re.compile(r"[\s\u00a0\u202f-]?([^\W\d_]+)\b\.?")
_BEFORE_CURRENCY = re.compile(r"(?:US|A|C|HK|S|NZ)?[$€£¥₹]\s?\Z|\b(?:USD|EUR|GBP|CHF|RMB)\s?\Z")
#: Words that say that a figure is not exact.
_APPROXIMATE = re.compile(
    r"\b(?:about|almost|around|approximately|close to|fewer than|less than|more than|nearly|over|roughly|some|at least|up to|"
    r"under|below|above|etwa|fast|knapp|rund|über|gut|environ|près de|plus de|casi|unos|más de|circa|quasi|oltre|cerca de|mais de|ruim|bijna)"
    r"\s+(?:the\s+|a\s+)?(?:(?:US|A|C|HK)?[$€£¥₹]\s?)?\Z",
    re.IGNORECASE,
)
#: Chinese, Japanese and Korean set numbers between letters, and count in ten thousands.
_FIRST_WITHOUT_BLANKS = "\u2e80"
_EAST_ASIAN_SCALES = {"千": 1000, "万": 10**4, "萬": 10**4, "만": 10**4, "亿": 10**8, "億": 10**8, "억": 10**8}
_LOOK_BACK = 24
#: Of a number in words.
_MOST_WORDS = 8


@dataclass(frozen=True, kw_only=True)
class Figure:
    #: As it stands in the text, with its unit.
    written: str
    start: int
    end: int
    #: What it may mean.
    values: frozenset[Decimal]
    is_percent: bool = False
    is_money: bool = False
    #: Whether a word before it says so: nearly, about, more than.
    is_approximate: bool = False
    #: Whether it is written in digits.
    in_digits: bool = True


def figures(text: str) -> Iterator[Figure]:
    """The text's numbers in reading order. Takes time in proportion to the text's length."""
    at = 0
    for token in re.finditer(r"\d+|[^\W\d_]+", text):
        if token.start() < at:
            continue
        found = _in_digits(text, token.start()) if token[0][0].isdigit() else _in_words(text, token)
        if found is not None:
            yield found
            at = found.end


def values_in(text: str) -> frozenset[Decimal]:
    """What the text's numbers may mean, all readings together."""
    return frozenset(value for figure in figures(text) for value in figure.values)


def _in_digits(text: str, start: int) -> Figure | None:
    before = text[start - 1 : start]
    if before == "_" or (before.isalpha() and before < _FIRST_WITHOUT_BLANKS):
        return None  # Lemon8, GPT-4 keeps its 4
    written = _DIGITS.match(text, start)
    if written is None or len(written[0]) > 40:
        return None
    readings = _readings(written[0])
    end = written.end()
    scale, end = _scale(text, end)
    return _figure(text, start, end, frozenset(reading * scale for reading in readings), in_digits=True)


def _readings(written: str) -> frozenset[Decimal]:
    plain = unicodedata.normalize("NFKC", written).replace(" ", "").replace("'", "").replace("’", "")
    found = set()
    for group, decimal in ((",", "."), (".", ",")):
        whole, _, part = plain.partition(decimal)
        grouped = whole.split(group)
        if decimal in part or (len(grouped) > 1 and any(len(piece) != 3 for piece in grouped[1:])):
            continue
        try:
            found.add(Decimal("".join(grouped) + ("." + part if part.isdigit() else "")).normalize())
        except InvalidOperation:
            continue
    return frozenset(found)


def _scale(text: str, end: int) -> tuple[int, int]:
    """The power of ten in words that follows, and where it ends: 1.2 million, 3.5bn, 2 hundred thousand."""
    scale = 1
    while text[end : end + 1] in _EAST_ASIAN_SCALES:
        scale *= _EAST_ASIAN_SCALES[text[end]]
        end += 1
    for _ in range(2):
        after = _SCALE_AFTER.match(text[end : end + 16])
        word = after[1].lower() if after else ""
        near = after is not None and after[0][0].isalpha()
        if (
            after is None
            or word not in _SCALES
            or not (near or word in _LARGE or word in {"bn", "tn", "mrd", "mio", "mln", "mil"})
        ):
            break
        if word == "m" and text[end + after.end() : end + after.end() + 1].isalnum():
            break
        scale *= _SCALES[word]
        end += after.end(1)
    return scale, end


def _in_words(text: str, token: re.Match[str]) -> Figure | None:
    word = token[0].lower()
    if word in _MULTIPLE:
        return _figure(text, token.start(), token.end(), frozenset({Decimal(_MULTIPLE[word])}), in_digits=False)
    if word in _PARTS:
        return _part(text, token.start(), token.end(), Decimal(1), word)
    if word not in _WORDS:
        return None
    total, current, end = 0, _WORDS[word], token.end()
    for _ in range(_MOST_WORDS):
        after = _SCALE_AFTER.match(text[end : end + 24])
        following = after[1].lower() if after and not after[0][0].isalpha() else ""
        if after is None or not following:
            break
        if following in _PARTS and current < 10:
            return _part(text, token.start(), end + after.end(1), Decimal(current), following)
        added = _added(total, current, following)
        if added is None:
            break
        (total, current), end = added, end + after.end(1)
    return _figure(text, token.start(), end, frozenset({Decimal(total + current)}), in_digits=False)


def _added(total: int, current: int, word: str) -> tuple[int, int] | None:
    """What has been read of a number, with one more of its words: whole thousands, and the rest. None for another word."""
    if word in _LARGE:
        current *= _SCALES[word]
        return (total + current, 0) if _SCALES[word] > 100 else (total, current)
    if word in _WORDS and (current % 100 == 0 or (current % 100 >= 20 and _WORDS[word] < 10)):
        return total, current + _WORDS[word]
    return None


def _part(text: str, start: int, end: int, count: Decimal, name: str) -> Figure | None:
    """Three quarters, half: a share in percent. A quarter that is one of the year or of a point is none."""
    if count == 1 and name not in {"half", "third"}:
        return None
    if count == 1 and not re.match(r"\s+(?:of|the|as)\b", text[end : end + 8]):
        return None
    share = Decimal(_PARTS[name]) * count
    rounded = {share, share.to_integral_value(), share.to_integral_value() + (1 if name.startswith("third") else 0)}
    return Figure(
        written=text[start:end], start=start, end=end, values=frozenset(rounded), is_percent=True, is_approximate=True,
        in_digits=False,
    )  # fmt: skip


def _figure(text: str, start: int, end: int, values: frozenset[Decimal], *, in_digits: bool) -> Figure:
    before = text[max(0, start - _LOOK_BACK) : start]
    currency = _BEFORE_CURRENCY.search(before)
    percent = _PERCENT.match(text[end : end + 20])
    first = start - len(currency[0]) if currency else start
    last = end + percent.end() if percent else end
    after = text[end : end + 12].lower()
    money = bool(currency or re.match(r"\s?(?:[$€£¥₹]|euro|dollar|pound|yuan|yen|cents?\b|[元円圆圓])", after))
    return Figure(
        written=text[first:last].strip(),
        start=start,
        end=last,
        values=values,
        is_percent=percent is not None,
        is_money=money,
        is_approximate=_APPROXIMATE.search(text[max(0, first - _LOOK_BACK) : first]) is not None,
        in_digits=in_digits,
    )


@cache
def number_words() -> frozenset[str]:
    """Words that are numbers, or parts of one."""
    return frozenset({*_WORDS, *_LARGE})
