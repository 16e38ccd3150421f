"""The few words a mail says by itself, in the publication's language; English where we have no translation."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Words:
    contents: str
    sponsor: str
    correction: str
    source: str
    number: str
    #: For one, and for more.
    stories: tuple[str, str]
    minutes: tuple[str, str]
    reason: str
    unsubscribe: str
    preferences: str
    web_view: str
    months: tuple[str, ...] = ()

    def summary(self, stories: int, words: int) -> str:
        """“12 stories · 6-minute read”: how much there is to read."""
        minutes = max(1, round(words / 230))
        return f"{self.stories[stories != 1].format(stories)} · {self.minutes[minutes != 1].format(minutes)}"

    def date(self, day: dt.date) -> str:
        if not self.months:
            return day.isoformat()
        return f"{day.day} {self.months[day.month - 1]} {day.year}"


def words(language: str) -> Words:
    return _WORDS.get(language.lower().partition("-")[0].partition("_")[0], _WORDS["en"])


_WORDS = {
    "en": Words(
        contents="In this edition",
        sponsor="Sponsor",
        correction="Correction",
        source="Source",
        number="No. {}",
        stories=("{} story", "{} stories"),
        minutes=("{}-minute read", "{}-minute read"),
        reason="You receive this because you subscribed to {title}.",
        unsubscribe="Unsubscribe",
        preferences="Change what you receive",
        web_view="Read in your browser",
        months=(
            *("January", "February", "March", "April", "May", "June"),
            *("July", "August", "September", "October", "November", "December"),
        ),
    ),
    "de": Words(
        contents="In dieser Ausgabe",
        sponsor="Anzeige",
        correction="Korrektur",
        source="Quelle",
        number="Nr. {}",
        stories=("{} Beitrag", "{} Beiträge"),
        minutes=("{} Minute Lesezeit", "{} Minuten Lesezeit"),
        reason="Sie erhalten diese Mail, weil Sie {title} abonniert haben.",
        unsubscribe="Abbestellen",
        preferences="Einstellungen ändern",
        web_view="Im Browser lesen",
    ),
    "fr": Words(
        contents="Dans ce numéro",
        sponsor="Partenaire",
        correction="Rectificatif",
        source="Source",
        number="Nº {}",
        stories=("{} article", "{} articles"),
        minutes=("{} minute de lecture", "{} minutes de lecture"),
        reason="Vous recevez ce message car vous êtes abonné à {title}.",
        unsubscribe="Se désabonner",
        preferences="Modifier vos préférences",
        web_view="Lire dans le navigateur",
    ),
    "es": Words(
        contents="En esta edición",
        sponsor="Patrocinador",
        correction="Corrección",
        source="Fuente",
        number="N.º {}",
        stories=("{} noticia", "{} noticias"),
        minutes=("{} minuto de lectura", "{} minutos de lectura"),
        reason="Recibe este mensaje porque está suscrito a {title}.",
        unsubscribe="Darse de baja",
        preferences="Cambiar sus preferencias",
        web_view="Leer en el navegador",
    ),
    "ar": Words(
        contents="في هذا العدد",
        sponsor="برعاية",
        correction="تصحيح",
        source="المصدر",
        number="العدد {}",
        stories=("خبر واحد", "عدد الأخبار: {}"),
        minutes=("مدة القراءة بالدقائق: {}", "مدة القراءة بالدقائق: {}"),
        reason="تصلك هذه الرسالة لأنك مشترك في {title}.",
        unsubscribe="إلغاء الاشتراك",
        preferences="تعديل تفضيلاتك",
        web_view="القراءة في المتصفح",
    ),
    "he": Words(
        contents="בגיליון זה",
        sponsor="בחסות",
        correction="תיקון",
        source="מקור",
        number="גיליון {}",
        stories=("ידיעה אחת", "{} ידיעות"),
        minutes=("דקת קריאה אחת", "{} דקות קריאה"),
        reason="קיבלת הודעה זו כי נרשמת אל {title}.",
        unsubscribe="הסרה מהרשימה",
        preferences="שינוי העדפות",
        web_view="לקריאה בדפדפן",
    ),
    "zh": Words(
        contents="本期内容",
        sponsor="赞助",
        correction="更正",
        source="来源",
        number="第 {} 期",
        stories=("{} 条消息", "{} 条消息"),
        minutes=("{} 分钟读完", "{} 分钟读完"),
        reason="您收到此邮件，是因为您订阅了《{title}》。",
        unsubscribe="退订",
        preferences="更改订阅设置",
        web_view="在浏览器中阅读",
    ),
}
