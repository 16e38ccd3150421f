"""A number of stories in the frame of the edition that is not how many there are: “twelve stories” over three.

The sentence was mostly carried over from an earlier edition. Read in the languages that mails are rendered in; a number
that only says about how many, and a percentage, is no count.
"""

import re
from collections.abc import Iterable, Iterator

from composer.checks.context import CheckContext, Problem
from composer.figures import figures

_FRAME = {"subject", "preheader", "title", "introduction", "closing"}
#: What an edition's stories are called; up to two words may stand between number and name (twelve short stories).
_NAMES = {
    "en": "stories|items|articles|pieces",
    "de": "Geschichten|Meldungen|Nachrichten|Artikel|Beiträge|Themen",
    "fr": "histoires|articles|sujets|nouvelles|actualités",
    "es": "historias|noticias|artículos|temas",
    "ar": "قصص|قصة|أخبار|خبرا|خبرًا|مقالات|مقالة|مقالا|مقالًا",
    "he": "סיפורים|ידיעות|כתבות|חדשות",
    "zh": "新闻|新聞|故事|消息|报道|報道|文章",
}
#: Number words that `composer.figures` does not know.
_WORDS = {
    "ar": {
        "ثلاث": 3, "ثلاثة": 3, "أربع": 4, "أربعة": 4, "خمس": 5, "خمسة": 5, "ست": 6, "ستة": 6, "سبع": 7, "سبعة": 7,
        "ثماني": 8, "ثمانية": 8, "تسع": 9, "تسعة": 9, "عشر": 10, "عشرة": 10, "إحدى عشرة": 11, "أحد عشر": 11,
        "اثنتا عشرة": 12, "اثنتي عشرة": 12, "اثنا عشر": 12, "اثني عشر": 12,
    },
    "he": {
        "שתי": 2, "שני": 2, "שלוש": 3, "שלושה": 3, "ארבע": 4, "ארבעה": 4, "חמש": 5, "חמישה": 5, "שש": 6, "שישה": 6,
        "שבע": 7, "שבעה": 7, "שמונה": 8, "תשע": 9, "תשעה": 9, "עשר": 10, "עשרה": 10, "אחת עשרה": 11, "אחד עשר": 11,
        "שתים עשרה": 12, "שתים־עשרה": 12, "שנים עשר": 12,
    },
    "zh": {
        "两": 2, "兩": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
        **{f"十{ones}": 10 + number for number, ones in enumerate("一二三四五六七八九", start=1)}, "二十": 20,
    },
}  # fmt: skip


def check(context: CheckContext) -> Iterator[Problem]:
    language = context.content.publication.language.partition("-")[0].lower()
    stories = len(context.content.stories)
    if language not in _NAMES:
        return
    for text in context.texts:
        if text.where not in _FRAME or text.kind not in {"text", "html"}:
            continue
        for written, number in _counts(text.text, language):
            if number != stories:
                are = "there is 1" if stories == 1 else f"there are {stories}"
                message = f"speaks of “{written}”, and {are}: is it from an earlier edition?"
                yield Problem(level="warning", code="stories.miscounted", message=message, where=text.where)


def _counts(text: str, language: str) -> Iterator[tuple[str, int]]:
    between = r"(?:\s+[^\W\d_]+){0,2}?\s+" if language != "zh" else r"\s?[条條则則篇个個]?\s?"
    name = re.compile(rf"{between}(?:{_NAMES[language]})(?!\w)" if language != "zh" else f"{between}(?:{_NAMES['zh']})")
    for figure in figures(text):
        after = name.match(text, figure.end)
        if after and len(figure.values) == 1 and not (figure.is_percent or figure.is_money or figure.is_approximate):
            value = next(iter(figure.values))
            if value == value.to_integral_value():
                yield text[figure.start : after.end()], int(value)
    words = _WORDS.get(language, {})
    for found in _number(words, language).finditer(text) if words else ():
        if after := name.match(text, found.end()):
            yield text[found.start() : after.end()], words[found[0]]


def _number(words: Iterable[str], language: str) -> re.Pattern[str]:
    """Any of the words by itself, the longest first: twelve is no ten, and no end of a longer word or number."""
    any_of = "|".join(sorted(words, key=len, reverse=True))
    return re.compile(
        rf"(?<![一二三四五六七八九十百千])(?:{any_of})" if language == "zh" else rf"(?<!\w)(?:{any_of})(?!\w)"
    )
