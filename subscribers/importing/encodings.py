"""Which old encoding a file is in: the one in which all words with other letters than ASCII's make sense, or none.

A word makes sense where a language has all of its letters. Western files are by far the most; any other encoding has to be
the only one that fits, or charset-normalizer's choice among those that do.
"""

import re
import unicodedata
from collections.abc import Callable

from charset_normalizer import from_bytes

_WORD = re.compile(r"[^\W\d_]+")
_WESTERN = (
    "äöüß", "àâæçéèêëîïôœùûüÿ", "áéíóúüñ", "áâãàçéêíóôõúü", "àèéìíîòóùú", "àçèéíïóòúü", "æøåéèêóòôü", "åäöéüà", "áéíóúýþæðö", "éèëïöüóáäêç",
)  # fmt: skip
_CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîșțşţ", "äöüß")
_TURKISH = ("çğıöşüâîû",)
_BALTIC = ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž")
_TYPOGRAPHY = set("€‚„…‹›‘’“”•–—™¡¿«»°·´ªº§©®²³\xa0")


def _latin(*alphabets: str) -> Callable[[str], bool]:
    letters = [frozenset(alphabet + alphabet.upper()) for alphabet in alphabets]

    def fits(word: str) -> bool:
        beyond = [sign for sign in word if not sign.isascii()]
        # "Àííà" has letters of Portuguese and is no word of it.
        return (len(word) == 1 or 3 * len(beyond) <= 2 * len(word)) and any(own.issuperset(beyond) for own in letters)

    return fits


def _script(*names: str, cased: bool = False) -> Callable[[str], bool]:
    def fits(word: str) -> bool:
        own = all(unicodedata.name(sign, "").startswith(names) for sign in word)
        return own and (not cased or word in {word.lower(), word.upper(), word.title()})

    return fits


_FITS = {
    "cp1252": _latin(*_WESTERN),
    "mac_roman": _latin(*_WESTERN),
    "cp1250": _latin(*_CENTRAL),
    "iso8859_2": _latin(*_CENTRAL),
    "cp1254": _latin(*_TURKISH),
    "cp1257": _latin(*_BALTIC),
    "cp1251": _script("CYRILLIC", cased=True),
    "koi8_r": _script("CYRILLIC", cased=True),
    "cp866": _script("CYRILLIC", cased=True),
    "iso8859_5": _script("CYRILLIC", cased=True),
    "cp1253": _script("GREEK", cased=True),
    "cp1255": _script("HEBREW LETTER"),
    "cp1256": _script("ARABIC LETTER"),
    "cp932": _script("CJK UNIFIED", "HIRAGANA", "KATAKANA"),
    "euc_jp": _script("CJK UNIFIED", "HIRAGANA", "KATAKANA"),
    "gb18030": _script("CJK UNIFIED"),
    "big5": _script("CJK UNIFIED"),
    "cp949": _script("HANGUL SYLLABLE"),
}
_MANY_BYTES = ("cp932", "euc_jp", "gb18030", "big5", "cp949")


def guess(sample: bytes) -> tuple[str, list[str]]:
    """The encoding, "" in doubt, and those that it may be. `sample` is whole lines that hold other bytes than ASCII's."""
    texts = {name: text for name, fits in _FITS.items() if (text := _read(sample, name)) and _makes_sense(text, fits)}
    if not texts:
        return "", []
    if "cp1252" in texts:
        return "cp1252", list(texts)
    if len(set(texts.values())) == 1:
        return next(iter(texts)), list(texts)
    if set(texts) & set(_MANY_BYTES):
        # Every pair of bytes is some ideograph: only kana tell Japanese from the rest.
        kana = [name for name, text in texts.items() if any("\u3040" <= sign <= "\u30ff" for sign in text)]
        return (kana[0] if len(kana) == 1 else ""), list(texts)
    best = from_bytes(sample, cp_isolation=list(texts), preemptive_behaviour=False).best()
    return (best.encoding if best and best.encoding in texts and best.coherence > 0.4 else ""), list(texts)


def _read(sample: bytes, encoding: str) -> str:
    try:
        return sample.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _makes_sense(text: str, fits: Callable[[str], bool]) -> bool:
    odd = {sign for sign in text if not sign.isascii() and not sign.isalpha() and not sign.isdecimal()}
    if any(unicodedata.category(sign) in {"Cc", "Co", "Cn", "Mn"} for sign in odd):
        return False
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    strange = sum(text.count(sign) for sign in odd - _TYPOGRAPHY if unicodedata.category(sign) != "Po")
    misfits = sum(not fits(word) for word in words)
    return bool(words or odd) and misfits + strange <= 0.02 * len(words)
