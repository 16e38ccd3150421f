"""Which language a text is in, and which way it is read."""

import os
import re
import unicodedata
from collections import Counter
from functools import cache
from typing import Any, Literal

#: So many characters tell as much as all of them.
_SAMPLE = 20_000
#: Fewer letters tell nothing; of scripts that write whole words with one sign, a third of that will do.
_FEWEST_LETTERS = 24
#: Characters of a story below which a quotation or a name decides.
ENOUGH_TEXT = 200
#: How sure the detector must be, from 0 to 1.
_SURE = 0.9
#: What few write whole newsletters in, and what the detector would take its great neighbour for: Moroccan Arabic, Wu, Latin.
_LEFT_OUT = frozenset(
    re.findall(
        r"\w+",
        "ace an ary arz bcl dz eo ext fo fuv gcf gcr gom grc gug guw hbo ht jv kab kik la lij ln ltg nn nso oc pcm qu rw sa sdh se sn "
        "so st tk tt uzs vec vo wa wuu xh yue zu zxx",
    )
)
#: The detector's names that are not the tags of renderers and publications.
_TAGS = {"no": "nb"}
#: Written the same way to a detector's eyes: one of them is never held against another.
_ALIKE = ({"nb", "no", "nn", "da"}, {"hr", "bs", "sr", "sh"}, {"id", "ms"}, {"cs", "sk"}, {"pt", "gl"}, {"fil", "tl"})


def direction_of(text: str) -> Literal["ltr", "rtl"]:
    """The way most letters of the text run (Unicode's bidirectional classes)."""
    classes = Counter(unicodedata.bidirectional(sign) for sign in text[:_SAMPLE] if sign.isalpha())
    return "rtl" if classes["R"] + classes["AL"] > classes["L"] else "ltr"


def language_of(text: str) -> str:
    """A BCP 47 tag of one of py3langid's languages; empty where the text is too short to be sure."""
    sample = text[:_SAMPLE]
    letters = sum(3 if sign >= "\u2e80" else 1 for sign in sample if sign.isalpha())
    if letters < _FEWEST_LETTERS:
        return ""
    language, confidence = _detector().classify(sample)
    return _TAGS.get(language, language) if confidence >= _SURE else ""


def is_another_language(found: str, expected: str) -> bool:
    """Whether a text in `found` is surely not what a publication in `expected` (both BCP 47) would say."""
    one, other = (tag.lower().replace("_", "-").partition("-")[0] for tag in (found, expected))
    return bool(one and other) and one != other and not any({one, other} <= alike for alike in _ALIKE)


@cache
def _detector() -> Any:
    # Its sums are small: threads would only spin beside other processes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - a second, for those who read digests

    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    detector.set_languages([language for language in detector.labels if language not in _LEFT_OUT])
    return detector
