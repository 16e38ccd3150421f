"""What pages and mails put around their text, and what opens a closing, in the languages the renderer speaks and some more."""

import re
from collections.abc import Sequence
from functools import cache

from babel import Locale

#: A line that is nothing but these words opens the closing section.
CLOSING = re.compile(
    r"(?:"
    # English
    r"wrapping (?:it |things )?up|(?:the )?wrap[- ]?up|(?:in |the |our )?(?:conclusion|closing)s?|final thoughts"
    r"|closing (?:thoughts|words|remarks|notes?)|to sum up|in (?:summary|short)|summing up"
    r"|that[’']s (?:all|a wrap|it)(?: for (?:this week|today|now|this time))?|before (?:you|we) go"
    r"|until next (?:week|time|month)|parting (?:thoughts|words|shots?)|one last thing|and finally"
    # German
    r"|zum (?:schluss|abschluss|ausklang)|fazit|schlusswort|das war(?:[’']s| es)(?: für (?:heute|diese woche))?|bis nächste woche"
    # French
    r"|(?:en |pour )?(?:conclusion|conclure|finir)|le mot de la fin|c[’']est tout(?: pour (?:cette semaine|aujourd[’']hui))?"
    r"|à la semaine prochaine"
    # Spanish
    r"|(?:en |para )(?:conclusión|resumen|terminar|concluir)|conclusi(?:ón|ones)|eso es todo(?: por (?:hoy|esta semana))?"
    r"|hasta la próxima(?: semana)?|para cerrar"
    # Arabic
    r"|(?:في )?(?:الختام|الخاتمة)|خاتمة|ختام[اًا]*|كلمة أخيرة|إلى اللقاء"
    # Hebrew
    r"|לסיום|לסיכום|סיכום|מילות סיכום|זה הכול(?: להשבוע)?|להתראות"
    # Italian, Portuguese, Dutch, Polish, Russian, Japanese, Korean
    r"|(?:per |in )(?:concludere|conclusione|finire)|(?:em |para )(?:conclusão|concluir)|conclus(?:ão|ioni)"
    r"|(?:tot|ten) (?:slot|besluit)|na (?:koniec|zakończenie)|podsumowanie|напоследок|(?:в )?заключени[ея]|в завершение|итоги"
    r"|おわりに|終わりに|最後に|まとめ|마치며|맺음말|끝으로|अंत में|और अंत में|निष्कर्ष|समापन"
    # Chinese
    r"|结语|結語|总结|總結|小结|小結|结束语|結束語|写在最后|寫在最後|最后的话"
    r")\s*[.!:…。！：]?",
    re.IGNORECASE,
)
#: A sentence that takes leave of the readers. A paragraph of nothing but these, and such as above, is the closing.
_FAREWELL = re.compile(
    r"(?:(?:many )?thank(?:s|[ -]you)(?: (?:so|very) much| a lot)?(?:,? (?:as always,? )?for (?:reading|being here|your time)(?: .{1,40})?)?"
    r"|see you (?:next (?:week|time|month|\w+day)|soon|then|on \w+day|tomorrow|again .{1,20})|until (?:then|\w+day)"
    r"|have a (?:great|good|nice|lovely|wonderful|peaceful) (?:week(?:end)?|day|evening|one)"
    r"|(?:vielen )?dank(?:e)? fürs (?:lesen|mitlesen)|bis (?:nächste woche|zum nächsten mal|bald|dann|(?:nächsten )?\w+tag)|(?:eine )?(?:schöne|gute) woche(?: noch)?"
    r"|(?:ein )?schönes wochenende|merci (?:de (?:votre lecture|nous lire)|d[’']avoir lu)|à (?:la semaine prochaine|bientôt|\w+di(?: prochain)?)"
    r"|(?:bonne (?:semaine|lecture|journée)|bon (?:week-end|dimanche))|gracias por (?:leer(?:nos)?|su lectura|acompañarnos)"
    r"|nos (?:vemos|leemos) (?:la (?:próxima semana|semana que viene)|pronto|el \w+)|hasta (?:la (?:próxima(?: semana)?|semana que viene)|pronto|el \w+)|(?:que (?:tengan|tengas) )?(?:un )?buen(?:a)? (?:semana|fin de semana|día)"
    r"|شكر[اًا]+ (?:على|ل)\s?قراءت?\S*|(?:أراكم|نراكم|نلتقي) .{1,30}|إلى الأسبوع (?:القادم|المقبل)"
    r"|תודה שקראתם|נתראה (?:בשבוע הבא|בקרוב)|שבוע טוב|(?:感谢|謝謝|感謝|谢谢)(?:您的?|你的?)?(?:阅读|閱讀)|下周(?:再)?见|下週(?:再)?見|再见|再見"
    # Italian, Portuguese, Dutch, Polish, Russian, Japanese, Korean, Hindi
    r"|grazie per (?:averci letto|la lettura)|(?:a|alla) (?:presto|prossima(?: settimana)?)|buona settimana"
    r"|obrigad[oa] por (?:ler|nos ler)|até (?:à|a) próxima(?: semana)?|até (?:breve|logo)|boa semana|bom fim de semana"
    r"|bedankt voor het lezen|tot (?:volgende week|de volgende keer|snel)|fijne week"
    r"|dziękuj(?:ę|emy) za (?:lekturę|przeczytanie|uwagę)|do (?:zobaczenia|usłyszenia|następnego razu)(?: za tydzień)?|miłego (?:tygodnia|weekendu)"
    r"|спасибо,? что (?:читаете|прочитали|были с нами)|до (?:встречи|скорого|свидания)(?: (?:на следующей неделе|через неделю|в .{1,20}))?|хорошей недели"
    r"|(?:それでは、?|では、?)?また来週(?:お会いしましょう)?|お読みいただき、?ありがとうございま(?:した|す)|읽어\s?주셔서 감사합니다|다음 주에 (?:만나요|뵙겠습니다)"
    r"|पढ़ने के लिए धन्यवाद|(?:अगले (?:सप्ताह|हफ़्ते|हफ्ते)|जल्द ही?) (?:फिर )?मिलेंगे|फिर मिलेंगे"
    r")",
    re.IGNORECASE,
)
#: Words above a name at the very end.
_SIGN_OFF = re.compile(
    r"(?:cheers|(?:kind |warm |best )?regards|best(?: wishes)?|warmly|yours(?: (?:truly|sincerely))?|take care|all the best"
    r"|(?:viele|liebe|herzliche|beste) grüße|bien à vous|cordialement|bises|(?:un )?(?:abrazo|saludos?)(?: cordiales)?|abraços?|pozdrawiam(?:y)?)[,.!]?",
    re.IGNORECASE,
)
_LONGEST_NAME = 40
#: What is asked for beside it.
_REQUEST = re.compile(
    r"(?:(?:please |and |or |just )?(?:forward|share) (?:this|it)|(?:just |simply )?(?:hit )?reply|(?:please )?(?:tell|let) (?:me|us)|got a tip|any (?:tips|questions|feedback)"
    r"|questions|weiter(?:sagen|leiten)|teilen sie|partagez|comparte|reenvía)\b.{0,120}",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?…。！？，।])\s*")
_READ_MORE = (
    r"\b(?:click here|delve deeper|read (?:more|the full)|find out more|learn more|download|hier klicken|mehr (?:lesen|erfahren)|jetzt lesen"
    r"|weiterlesen|cliquez ici|en savoir plus|lire (?:la suite|plus)|haga clic|leer más|más información)\b"
    r"|اقرأ المزيد|اضغط هنا|للمزيد|קראו עוד|לחצו כאן|阅读全文|点击此处|了解更多|閱讀全文|點擊"
)
#: What the words of a link say that leads to more of the same story.
READ_MORE = re.compile(_READ_MORE, re.IGNORECASE)
#: A last sentence that asks readers to do something, with or without an address.
ASKS = re.compile(
    rf"{_READ_MORE}|\b(?:sign up|register|subscribe|jetzt anmelden|inscrivez-vous|suscríbase|inscríbase)\b|להרשמה",
    re.IGNORECASE,
)
#: Words that lead to an address at the end of a sentence and mean nothing without it.
LEADS_TO_URL = re.compile(
    r"[\s:：–—(\[<-]*(?:\b(?:at|on|via|under|here|unter|auf|hier|sur|ici|en|aquí)\s*)?[\s:：–—(\[<-]*$", re.IGNORECASE
)

#: Blocks that a closing without a heading may have: a farewell, a name, a call to action.
_LONGEST_CLOSING = 6
NAVIGATION = "navigation of the page"
_NUMBER = r"\d[\d.,]{0,12}\s?[KkMm]?"
_FURNITURE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(rf"(?:{pattern})", re.IGNORECASE))
    for reason, pattern in (
        (
            NAVIGATION,
            (
                r"(?:top|bottom) of page|back to top|skip to (?:main )?content|(?:open |main )?menu|log ?in|sign ?in|search|home"
                r"|see all|recent posts|related posts|zum inhalt springen|menü|startseite|aller au contenu|saltar al contenido|menú"
            ),
        ),
        ("an advertisement's label", r"advertisements?|anzeige|publicité|publicidad"),
        (
            "counts of the page",
            (
                rf"{_NUMBER} (?:views?|likes?|shares?|comments?|reads?|claps?|retweets?|aufrufe|kommentare?|vues?|commentaires?)"
                r"|(?:no|leave a|write a|add a) comments?(?:\.\.\.|…)?|post not marked as liked"
            ),
        ),
        (
            "how long it takes to read, by the page",
            r"\d{1,3}[- ]?(?:min(?:ute)?s?)\.?[- ](?:read|lesezeit|de lecture|de lectura)|(?:lesezeit|reading time):? \d{1,3} min\w*",
        ),
        (
            "links of the mail it was copied from",
            (
                r"(?:view|read|open) (?:this (?:email|mail|newsletter) )?(?:in|on)(?: your| the)? (?:web ?)?browser"
                r"|unsubscribe(?: \| .{1,60})?|(?:manage|update)(?: your)? preferences|im browser (?:ansehen|lesen)|abbestellen"
                r"|se désabonner|voir dans le navigateur|darse de baja|ver en el navegador"
            ),
        ),
        (
            "a notice of copyright",
            r"(?:©|\(c\) ?\d|copyright (?:©|\(c\)|\d{4})).{0,80}|all rights reserved\.?|alle rechte vorbehalten\.?",
        ),
        (
            "sharing on networks",
            r"share(?: this(?: (?:post|article|story))?| on [\w ]{1,20})?:?|tweet(?: this)?|teilen:?|partager:?|compartir:?",
        ),
        (
            "the header of a mail",
            (
                r"-{0,20} ?(?:begin )?(?:forwarded|original) message ?:?-{0,20}|-{2,20} ?weitergeleitete nachricht ?-{0,20}"
                r"|-{2,20} ?message (?:transféré|d[’']origine) ?-{0,20}|-{2,20} ?mensaje reenviado ?-{0,20}"
            ),
        ),
        ("a picture's label", r"writer[’'‘`´]?s picture.{0,70}(?<![.!?…:;])"),
    )
)
_NETWORKS = re.compile(
    r"(?:(?:twitter|x|facebook|linkedin|whatsapp|instagram|threads|mastodon|bluesky|reddit|pinterest|telegram|email|e-mail"
    r"|copy link|print)(?:\s*[|·•,/]\s*)?)+",
    re.IGNORECASE,
)
#: Words of a page that are furniture only where nothing of the text follows.
_AT_THE_END = tuple(
    (reason, re.compile(rf"(?:{pattern})[.…:]*", re.IGNORECASE))
    for reason, pattern in (
        ("the comments of the page", r"comments|kommentare|commentaires|comentarios|leave a (?:reply|comment)"),
        (
            NAVIGATION,
            (
                r"related(?: (?:posts|articles|stories))?|(?:previous|next|older|newer) (?:posts?|articles?|issue)|like(?: this)?|like loading"
                r"|privacy(?: (?:policy|notice))?|terms(?: (?:of (?:service|use)|(?:and|&) conditions))?|cookie (?:policy|settings)"
                r"|about(?: us)?|contact(?: us)?|imprint|impressum|datenschutz(?:erklärung)?|agb|kontakt|über uns"
                r"|mentions légales|confidentialité|politique de confidentialité|contactez-nous|à propos"
                r"|subscribe to our newsletter|aviso legal|(?:política de )?privacidad(?:e)?|contacto|contato|powered by .{1,40}"
            ),
        ),
    )
)
#: What begins the lines at a mail's end that say why somebody gets it, and what one of them says.
MAIL_FOOTER = re.compile(
    r"(?:you(?: are|[’']re)? (?:receiv(?:ing|ed)|getting|get|received) this (?:e-?mail|message|newsletter)|this (?:e-?mail|message|newsletter) was sent to"
    r"|want to change how you receive|our mailing address|if you (?:no longer|don[’']t|do not) (?:wish|want)|©|copyright (?:©|\(c\)|\d{4})"
    r"|(?:sie|du) (?:erhalten|erhältst|bekommen|bekommst) diese|wenn (?:sie|du) diese[nr]? (?:newsletter|e-?mail)"
    r"|vous (?:recevez|avez reçu) ce|si vous ne souhaitez plus|(?:usted )?(?:recibe|recibes|has recibido|ha recibido) este"
    r"|si (?:ya )?no desea)",
    re.IGNORECASE,
)
LEAVING = re.compile(
    r"\b(?:unsubscribe|opt out|abmelden|abbestellen|désabonner|désinscrire|darse de baja|cancelar)\b", re.IGNORECASE
)
MAIL_HEADER = re.compile(
    r"(?P<name>subject|from|date|to|cc|sent|reply-to|betreff|von|datum|gesendet|an|objet|de|à|envoyé|asunto|para|fecha|enviado(?: el)?)"
    r"\s?:\s?(?P<value>.*)",
    re.IGNORECASE,
)
#: What a mail's subject has in front when it was answered or sent on.
FORWARDED = re.compile(r"^(?:\s*(?:fwd?|fw|wg|tr|rv|re|aw)\s*:)+\s*", re.IGNORECASE)
#: Between things on one line that have nothing to do with each other: “12 likes · 3 comments”.
_BESIDES = re.compile(r"\s+[|·•]\s+")
SUBJECT = {"subject", "betreff", "objet", "asunto"}
_BYLINE = re.compile(
    r"(?:(?:[Ww]ritten |[Pp]osted )?[Bb]y|[Vv]on|[Pp]ar|[Pp]or) (?:[A-ZÀ-ÞŠŽ][\w.’'-]*|and|&|und|et|y|,|de|van|von|der)(?: (?:[A-ZÀ-ÞŠŽ][\w.’'-]*|and|&|und|et|y|,|de|van|von|der)){0,7}"
)
_NUMERIC_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{4}年\d{1,2}月\d{1,2}日")
_POSTED = re.compile(
    r"^(?:posted|published|updated|last updated|veröffentlicht|publié|publicado)(?: on)?:? ", re.IGNORECASE
)
_MONTH_LANGUAGES = (
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "cs",
    "sv",
    "da",
    "nb",
    "fi",
    "tr",
    "ro",
    "hu",
    "ru",
    "uk",
)


def furniture(text: str) -> str:
    """Why a line is what a page puts around its text; empty where it is not."""
    if not text or len(text) > 120:
        return ""
    parts = _BESIDES.split(text)
    found = _furniture(text)
    if found or len(parts) < 2 or not all(_furniture(part) for part in parts):
        return found
    return _furniture(parts[0])


def _furniture(text: str) -> str:
    return next((reason for reason, pattern in _FURNITURE if pattern.fullmatch(text)), "")


def furniture_at_the_end(text: str) -> str:
    """Why a line with nothing of the text behind it is a page's; empty where it is not."""
    if not text or len(text) > 60:
        return ""
    return next((reason for reason, pattern in _AT_THE_END if pattern.fullmatch(text)), "")


def is_networks(text: str) -> bool:
    """Whether a line names networks to share on, and nothing else."""
    return len(text) <= 120 and bool(_NETWORKS.fullmatch(text))


def above_the_text(text: str) -> str:
    """Why a line right under a title or headline is no part of the text: a byline or a date; empty where it is one."""
    if len(text) > 80:
        return ""
    first, *others = _BESIDES.split(text)
    if others and all(furniture(other) or above_the_text(other) for other in others):
        return above_the_text(first)
    if _BYLINE.fullmatch(text):
        return "a byline"
    return "a date" if is_date(_POSTED.sub("", text)) else ""


def is_date(text: str) -> bool:
    """Whether a text is a date and nothing else, in figures or with a month's name."""
    if _NUMERIC_DATE.fullmatch(text):
        return True
    words = re.findall(r"[^\W\d_]+|\d+", text.casefold())
    if not 2 <= len(words) <= 6 or not any(word.isdigit() for word in words):
        return False
    named = [word for word in words if not word.isdigit()]
    return any(word in months() for word in named) and all(
        word in months() or word in _weekdays() or word in {"th", "st", "nd", "rd", "de", "of", "del"} for word in named
    )


def begins_with_month(text: str) -> bool:
    """Whether the first word is a month's name: “2. Mai” may be a date and no second story."""
    first = re.match(r"[^\W\d_]+", text)
    return first is not None and first[0].casefold() in months()


@cache
def months() -> frozenset[str]:
    return _names("months")


@cache
def _weekdays() -> frozenset[str]:
    return _names("days")


def _names(kind: str) -> frozenset[str]:
    found: list[str] = []
    for language in _MONTH_LANGUAGES:
        forms = getattr(Locale.parse(language), kind)["format"]
        found += [name.casefold() for width in ("wide", "abbreviated") for name in forms[width].values()]
    return frozenset(name.rstrip(".") for name in found if name.rstrip(".").isalpha())


def closing_in(texts: Sequence[str], after: int) -> int | None:
    """Where the closing section begins from `after` on: at its heading (the last line that could be one), or at a farewell."""
    known = [index for index in range(after, len(texts)) if is_closing(texts[index])]
    if known:
        return known[-1]
    farewell = next(
        (index for index in range(after, len(texts)) if is_farewell(texts[index]) or _is_sign_off(texts[index:])), None
    )
    if farewell is None or len(texts) - farewell > _LONGEST_CLOSING:
        return None
    return farewell


def _is_sign_off(texts: Sequence[str]) -> bool:
    """Whether nothing but a name or two follows words such as “Cheers,”."""
    last = texts[1:4]
    return (
        1 < len(texts) < 4
        and bool(_SIGN_OFF.fullmatch(texts[0][:60]))
        and all(len(text) <= _LONGEST_NAME and not text.endswith(".") for text in last)
    )


def is_closing(text: str) -> bool:
    """Whether a line is the heading of a closing section."""
    return len(text) <= 80 and bool(CLOSING.fullmatch(text)) and not is_farewell(text)


def is_farewell(text: str) -> bool:
    """Whether a paragraph does nothing but take leave: “That’s all for this week. See you next Friday!”"""
    if not 0 < len(text) <= 200:
        return False
    sentences = [sentence.strip(" ¡") for sentence in _SENTENCES.split(text) if sentence.strip()]
    leaves = [bool(_FAREWELL.fullmatch(sentence.rstrip(" .!…。！，,।"))) for sentence in sentences]
    return any(leaves) and all(
        leave or bool(CLOSING.fullmatch(sentence) or _REQUEST.fullmatch(sentence))
        for leave, sentence in zip(leaves, sentences, strict=True)
    )
