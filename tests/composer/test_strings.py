"""The words a mail says by itself, in the language of its publication."""

import datetime as dt

import pytest

from composer.rendering.strings import long_date, words

DAY = dt.date(2026, 12, 1)


@pytest.mark.parametrize(
    ("language", "date"),
    [
        ("en", "1 December 2026"),
        ("en-GB", "1 December 2026"),
        ("en-US", "December 1, 2026"),
        ("de", "1. Dezember 2026"),
        ("fr-CA", "1 décembre 2026"),
        ("pt_BR", "1 de dezembro de 2026"),
        ("zh-Hant", "2026年12月1日"),
        ("it", "1 dicembre 2026"),
        ("xx", "1 December 2026"),
        ("no such language", "1 December 2026"),
        ("", "1 December 2026"),
    ],
)
def test_a_date_is_written_as_the_language_writes_it(language: str, date: str) -> None:
    assert long_date(DAY, language) == date


@pytest.mark.parametrize(
    ("language", "stories", "length", "summary"),
    [
        ("en", 1, 200, "1 story · 1-minute read"),
        ("en", 12, 1400, "12 stories · 6-minute read"),
        ("fr", 2, 1400, "2 articles · 6 minutes de lecture"),
        ("he", 2, 460, "שתי ידיעות · שתי דקות קריאה"),
        ("ar", 1, 200, "خبر واحد · قراءة دقيقة واحدة"),
        ("ar", 2, 460, "خبران · قراءة دقيقتين"),
        ("ar", 3, 1400, "3 أخبار · قراءة 6 دقائق"),
        ("ar", 12, 2760, "12 خبرًا · قراءة 12 دقيقة"),
        ("zh-Hant", 3, 460, "3 条消息 · 2 分钟读完"),
        ("it", 2, 460, "2 stories · 2-minute read"),
    ],
)
def test_plurals_are_the_languages_own(language: str, stories: int, length: int, summary: str) -> None:
    assert words(language).summary(stories, length) == summary
