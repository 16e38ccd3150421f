"""The few words a mail says by itself, in the publication's language; English where we have no translation.

Dates and the forms of plurals are those of the Unicode CLDR, as Babel has them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

_RIGHT_TO_LEFT = {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ps", "sd", "ug", "ur", "yi"}
_RIGHT_TO_LEFT_SCRIPTS = {"arab", "hebr", "syrc", "thaa", "nkoo"}


@dataclass(frozen=True, kw_only=True)
class Words:
    #: Of the words. The date is in the publication's own language, whether we speak it or not.
    language: str
    contents: str
    sponsor: str
    correction: str
    source: str
    number: str
    #: By CLDR's plural category; each has "other".
    stories: Mapping[str, str]
    minutes: Mapping[str, str]
    reason: str
    unsubscribe: str
    preferences: str
    web_view: str

    def summary(self, stories: int, words: int) -> str:
        """“12 stories · 6-minute read”: how much there is to read."""
        minutes = max(1, round(words / 230))
        return f"{self._counted(self.stories, stories)} · {self._counted(self.minutes, minutes)}"

    def _counted(self, forms: Mapping[str, str], number: int) -> str:
        form = Locale(self.language).plural_form(number)
        return forms.get(form, forms["other"]).format(number)


def words(language: str) -> Words:
    """The words for a BCP 47 tag such as “de” or “pt-BR”."""
    return _WORDS.get(language.lower().replace("_", "-").partition("-")[0], _WORDS["en"])


def long_date(day: dt.date, language: str) -> str:
    """“1 December 2026”, as the language (a BCP 47 tag) writes it; in English where Babel does not know the language.

    English of no country is written as the world outside America does.
    """
    tag = language.replace("_", "-")
    try:
        locale = Locale.parse("en-001" if tag.lower() == "en" else tag, sep="-")
    except (ValueError, UnknownLocaleError):
        locale = Locale.parse("en-001", sep="-")
    return format_date(day, "long", locale)


def direction_of_language(tag: str) -> Literal["ltr", "rtl"]:
    """Which way a language (a BCP 47 tag) is written; its script decides where the tag names one."""
    primary, *rest = tag.lower().replace("_", "-").split("-")
    scripts = {part for part in rest if len(part) == 4}
    return "rtl" if scripts & _RIGHT_TO_LEFT_SCRIPTS or (not scripts and primary in _RIGHT_TO_LEFT) else "ltr"


def language_name(tag: str) -> str:
    """A BCP 47 tag in English words, “German”; the tag itself where Babel does not know it."""
    try:
        return Locale.parse(tag.replace("_", "-"), sep="-").english_name or tag
    except (ValueError, UnknownLocaleError):
        return tag


def _forms(**forms: str) -> Mapping[str, str]:
    return MappingProxyType(forms)


_WORDS = {
    "en": Words(
        language="en",
        contents="In this edition",
        sponsor="Sponsor",
        correction="Correction",
        source="Source",
        number="No. {}",
        stories=_forms(one="{} story", other="{} stories"),
        minutes=_forms(other="{}-minute read"),
        reason="You receive this because you subscribed to {title}.",
        unsubscribe="Unsubscribe",
        preferences="Change what you receive",
        web_view="Read in your browser",
    ),
    "de": Words(
        language="de",
        contents="In dieser Ausgabe",
        sponsor="Anzeige",
        correction="Korrektur",
        source="Quelle",
        number="Nr. {}",
        stories=_forms(one="{} Beitrag", other="{} Beiträge"),
        minutes=_forms(one="{} Minute Lesezeit", other="{} Minuten Lesezeit"),
        reason="Sie erhalten diese Mail, weil Sie {title} abonniert haben.",
        unsubscribe="Abbestellen",
        preferences="Einstellungen ändern",
        web_view="Im Browser lesen",
    ),
    "fr": Words(
        language="fr",
        contents="Dans ce numéro",
        sponsor="Partenaire",
        correction="Rectificatif",
        source="Source",
        number="Nº {}",
        stories=_forms(one="{} article", other="{} articles"),
        minutes=_forms(one="{} minute de lecture", other="{} minutes de lecture"),
        reason="Vous recevez ce message car vous êtes abonné à {title}.",
        unsubscribe="Se désabonner",
        preferences="Modifier vos préférences",
        web_view="Lire dans le navigateur",
    ),
    "es": Words(
        language="es",
        contents="En esta edición",
        sponsor="Patrocinador",
        correction="Corrección",
        source="Fuente",
        number="N.º {}",
        stories=_forms(one="{} noticia", other="{} noticias"),
        minutes=_forms(one="{} minuto de lectura", other="{} minutos de lectura"),
        reason="Recibe este mensaje porque está suscrito a {title}.",
        unsubscribe="Darse de baja",
        preferences="Cambiar sus preferencias",
        web_view="Leer en el navegador",
    ),
    "ar": Words(
        language="ar",
        contents="في هذا العدد",
        sponsor="برعاية",
        correction="تصحيح",
        source="المصدر",
        number="العدد {}",
        stories=_forms(one="خبر واحد", two="خبران", few="{} أخبار", many="{} خبرًا", other="{} خبر"),
        minutes=_forms(
            one="قراءة دقيقة واحدة",
            two="قراءة دقيقتين",
            few="قراءة {} دقائق",
            many="قراءة {} دقيقة",
            other="قراءة {} دقيقة",
        ),
        reason="تصلك هذه الرسالة لأنك مشترك في {title}.",
        unsubscribe="إلغاء الاشتراك",
        preferences="تعديل تفضيلاتك",
        web_view="القراءة في المتصفح",
    ),
    "he": Words(
        language="he",
        contents="בגיליון זה",
        sponsor="בחסות",
        correction="תיקון",
        source="מקור",
        number="גיליון {}",
        stories=_forms(one="ידיעה אחת", two="שתי ידיעות", other="{} ידיעות"),
        minutes=_forms(one="דקת קריאה אחת", two="שתי דקות קריאה", other="{} דקות קריאה"),
        reason="קיבלת הודעה זו כי נרשמת אל {title}.",
        unsubscribe="הסרה מהרשימה",
        preferences="שינוי העדפות",
        web_view="לקריאה בדפדפן",
    ),
    "zh": Words(
        language="zh",
        contents="本期内容",
        sponsor="赞助",
        correction="更正",
        source="来源",
        number="第 {} 期",
        stories=_forms(other="{} 条消息"),
        minutes=_forms(other="{} 分钟读完"),
        reason="您收到此邮件，是因为您订阅了《{title}》。",
        unsubscribe="退订",
        preferences="更改订阅设置",
        web_view="在浏览器中阅读",
    ),
}
