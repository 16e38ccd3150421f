"""Which language a text is in, by its script and its commonest words, and which way it is read."""

import re
import unicodedata
from collections import Counter
from typing import Literal

from composer.reading.alphabets import WORDS

#: So many characters tell as much as all of them.
_SAMPLE = 20_000
#: Fewer words tell nothing, and a language needs this share of common words and so much more than the next.
_FEWEST_WORDS, _SHARE, _LEAD = 12, 0.12, 1.25
_WORD = re.compile(r"[^\W\d_]+")
#: Scripts that one language writes, by the first word of their letters' Unicode names.
_SCRIPTS = {
    "HEBREW": "he",
    "ARABIC": "ar",
    "GREEK": "el",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
    "THAI": "th",
}
_WORDS = {language: frozenset(words.split()) for language, words in WORDS.items()}


def direction_of(text: str) -> Literal["ltr", "rtl"]:
    """The way most letters of the text run (Unicode's bidirectional classes)."""
    classes = Counter(unicodedata.bidirectional(sign) for sign in text[:_SAMPLE] if sign.isalpha())
    return "rtl" if classes["R"] + classes["AL"] > classes["L"] else "ltr"


def language_of(text: str) -> str:
    """A BCP 47 tag; empty where the text is too short or in a language that is not known here."""
    sample = text[:_SAMPLE]
    scripts = Counter(unicodedata.name(sign, "").partition(" ")[0] for sign in sample if sign.isalpha())
    if not scripts:
        return ""
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > scripts["CJK"] // 10:
        scripts["CJK"] = 0
    script = max(scripts, key=lambda name: scripts[name])
    if script != "LATIN":
        return _SCRIPTS.get(script, "")
    words = [word.casefold() for word in _WORD.findall(sample)]
    if len(words) < _FEWEST_WORDS:
        return ""
    shares = Counter(
        {language: sum(word in common for word in words) / len(words) for language, common in _WORDS.items()}
    )
    (best, share), (_, second) = shares.most_common(2)
    return best if share >= _SHARE and share >= second * _LEAD else ""
