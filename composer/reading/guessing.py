"""Which old encoding bytes are in: charset-normalizer says which are possible, the text's own language decides.

A guess is sure only if every other encoding that fits gives the same text, or a text of no language we know.
"""

import codecs
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from charset_normalizer import from_bytes

from composer.reading.alphabets import LATIN, WORDS

#: Below this a guess is a refusal; a little less will do where no other encoding gives any sense.
SURE, SURE_ALONE = 0.75, 0.6
#: How much is looked at; the beginning and the end of a long text.
_SAMPLE = 60_000

_WESTERN = ["cp1252", "iso8859_15", "iso8859_1", "mac_roman", "cp1254", "iso8859_9", "cp1257", "iso8859_13"]
_CENTRAL = ["cp1250", "iso8859_2", "iso8859_16", "mac_latin2"]
_SCRIPTS = {
    "cp1251": "CYRILLIC", "koi8_r": "CYRILLIC", "iso8859_5": "CYRILLIC", "mac_cyrillic": "CYRILLIC", "cp866": "CYRILLIC",
    "cp1253": "GREEK", "iso8859_7": "GREEK",
    "cp1255": "HEBREW", "iso8859_8": "HEBREW",
    "cp1256": "ARABIC", "iso8859_6": "ARABIC",
    "gb18030": "CJK", "big5": "CJK", "cp932": "KANA", "euc_jp": "KANA", "cp949": "HANGUL",
}  # fmt: skip
_EVERY = [*_WESTERN, *_CENTRAL, "cp1258", *_SCRIPTS]
_TYPOGRAPHY = set("€‚„…‹›‘’“”•–—™¡¢£§©ª«®°±²³´·¹º»¼½¾¿×÷\xa0\xad†‡″′№")
_WORD = re.compile(r"[^\W\d_]+")
#: The commonest letters of each script's languages; a wrong encoding of the same script shows in them.
_COMMON = {
    "CYRILLIC": set("оеаинтсрвлкмдпуяыьгзбчйіїєъ"),
    "GREEK": set("αοιετσνηυρπκμλςάέήίόύώ"),
    "HEBREW": set("יוהלאתמרבנשעדפקח"),
    "ARABIC": set("اليمنترودبعةكهفسقحأىجإ"),
}
_COMMON_CJK = set(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都"
    "同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高"
    "間們這個來為國說時會對發後過裡種經學現當沒動進開關點業將兩從實與機長無還"
    "周月新市今本报道闻消息公司模型价格服务客户企业感谢阅读再见下载全球市场数字科技語報價務戶謝讀見載場數"
)


@dataclass(frozen=True, kw_only=True)
class Guess:
    encoding: str = ""
    confidence: float = 0
    #: The encodings that fit, best first, where none is sure.
    candidates: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        return bool(self.encoding) and self.confidence >= (SURE if len(self.candidates) > 1 else SURE_ALONE)


def guess(raw: bytes) -> Guess:
    """The likeliest encoding of bytes that are not UTF-8."""
    sample = raw if len(raw) <= _SAMPLE else _cut(raw)
    scores: dict[str, float] = {}
    texts: dict[str, str] = {}
    for encoding in _EVERY:
        text = _decoded(sample, encoding, whole=sample is raw)
        if text is None:
            continue
        score = _plausible(text, encoding)
        if score > 0:
            texts[encoding], scores[encoding] = text, score
    if not scores:
        return Guess()
    for encoding, bonus in _second_opinion(sample, list(scores)).items():
        scores[encoding] += bonus
    order = sorted(scores, key=lambda name: (-scores[name], _EVERY.index(name)))
    # Of several that give the same text, the name that most know.
    best = next(name for name in _EVERY if texts.get(name) == texts[order[0]])
    scores[best] = scores[order[0]]
    rivals = [name for name in order if texts[name] != texts[best]]
    margin = scores[best] - scores[rivals[0]] if rivals else 1.0
    confidence = min(1.0, scores[best]) * min(1.0, 0.5 + 5 * margin)
    if sample is not raw and _decoded(raw, best, whole=True) is None:
        return Guess(candidates=tuple(order[:3]))
    return Guess(encoding=best, confidence=round(confidence, 2), candidates=tuple([best, *rivals][:3]))


def _cut(raw: bytes) -> bytes:
    """Lines from the beginning and from around the first bytes beyond ASCII."""
    first = next((match.start() for match in re.finditer(rb"[\x80-\xff]", raw)), 0)
    begin = raw.rfind(b"\n", 0, first) + 1
    end = raw.find(b"\n", begin + _SAMPLE, begin + 2 * _SAMPLE)
    return raw[begin : end if end > 0 else begin + 2 * _SAMPLE]


def _decoded(raw: bytes, encoding: str, *, whole: bool) -> str | None:
    try:
        # A piece may end within a letter of several bytes.
        text = codecs.getincrementaldecoder(encoding)().decode(raw, final=whole)
    except UnicodeDecodeError:
        return None
    controls = any(unicodedata.category(sign) == "Cc" and sign not in "\t\r\n\f\v\x85" for sign in set(text))
    return None if controls or (whole and "\x85" in text) else text


def _second_opinion(raw: bytes, candidates: list[str]) -> dict[str, float]:
    """Charset-normalizer's: a little for what it finds coherent, nothing against the rest."""
    matches = from_bytes(raw[:20_000], cp_isolation=candidates, preemptive_behaviour=False)
    ranked = {match.encoding: 0.05 * match.coherence for match in matches}
    return {name: ranked[name] for name in candidates if name in ranked}


def _plausible(text: str, encoding: str) -> float:
    """0 to 1: how much of what is beyond ASCII makes sense."""
    beyond = Counter(sign for sign in text if ord(sign) > 127)
    letters = Counter({sign: count for sign, count in beyond.items() if unicodedata.category(sign)[0] in "LM"})
    others = sum(count for sign, count in beyond.items() if sign not in letters and sign not in _TYPOGRAPHY)
    total = beyond.total()
    script = _SCRIPTS.get(encoding, "")
    if script in _COMMON:
        return _of_script(text, letters, others, script)
    if script:
        return _of_east_asia(beyond, script)
    return _of_latin(text, letters, others, total)


def _of_script(text: str, letters: Counter[str], others: int, script: str) -> float:
    own = {sign: count for sign, count in letters.items() if unicodedata.name(sign, "").startswith(script)}
    count = sum(own.values())
    if count < 4 or count < 0.8 * (letters.total() + others) or _odd_case(text) or _mixes_scripts(text):
        return 0
    common = sum(n for sign, n in own.items() if sign.lower() in _COMMON[script])
    small = sum(n for sign, n in own.items() if sign == sign.lower())
    return 0.98 * (common / count) * (1 if small >= 0.5 * count else 0.5) * (count / max(1, letters.total() + others))


def _mixes_scripts(text: str) -> bool:
    """Whether words have letters of ASCII and others side by side, as Western text in a wrong encoding does."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    mixed = sum(any(sign.isascii() for sign in word) for word in words)
    return mixed > 0.1 * len(words)


def _of_east_asia(beyond: Counter[str], script: str) -> float:
    total = beyond.total()
    names = {sign: unicodedata.name(sign, "") for sign in beyond}
    ideographs = {sign: n for sign, n in beyond.items() if names[sign].startswith("CJK UNIFIED")}
    kana = sum(n for sign, n in beyond.items() if names[sign].startswith(("HIRAGANA", "KATAKANA")))
    hangul = sum(n for sign, n in beyond.items() if names[sign].startswith("HANGUL SYLLABLE"))
    marks = sum(
        n
        for sign, n in beyond.items()
        if sign in "，。、；：？！《》“”‘’（）「」『』・ー—…·" or 0xFF00 < ord(sign) < 0xFF5F
    )
    half = sum(n for sign, n in beyond.items() if 0xFF61 <= ord(sign) <= 0xFF9F)
    rare = total - sum(ideographs.values()) - kana - hangul - marks
    if total < 4 or rare + half > 0.1 * total:
        return 0
    common = sum(n for sign, n in ideographs.items() if sign in _COMMON_CJK)
    if script == "CJK":
        return 0 if kana + hangul > 0.1 * total else min(1.0, 0.55 + common / max(1, sum(ideographs.values())))
    if script == "KANA":
        return 0 if kana < 0.2 * total else 0.98
    return 0 if hangul < 0.5 * total else 0.98


def _of_latin(text: str, letters: Counter[str], others: int, total: int) -> float:
    if others > 0.02 * total or _odd_case(text):
        return 0
    words = Counter(word for word in _WORD.findall(text.lower()) if word.isascii())
    best = 0.0
    small = Counter(sign.lower() for sign in letters.elements()) if letters.total() < 100_000 else letters
    for language, alphabet in LATIN.items():
        own = sum(small[sign] for sign in alphabet)
        fits = own / small.total() if small else 1.0
        if fits < 0.97:
            continue
        known = sum(words[word] for word in WORDS.get(language, "").split())
        best = max(best, 0.6 + 0.4 * min(1.0, 6 * known / max(1, words.total())))
    return best


def _odd_case(text: str) -> bool:
    """A capital right behind a small letter, beyond ASCII, as wrong encodings have it; more than now and then."""
    odd = sum(
        1
        for word in _WORD.findall(text)
        if not word.isascii()
        and len(word) > 1
        and word != word.upper()
        and any(s.isupper() and not s.isascii() for s in word[1:])
    )
    return odd > 0.02 * max(1, sum(1 for word in _WORD.findall(text) if not word.isascii()))
