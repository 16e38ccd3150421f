"""A link's text tells where it leads, also out of its sentence: screen readers list links by themselves."""

import re
from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem

_GENERIC = {
    "en": r"(?:click|tap|press)(?: (?:here|this))?|here|(?:read |learn |see |find out |show )?more|this|that|(?:this )?(?:link|page|site|website|article|story)"
    r"|continue(?: reading)?|details|download|go|open|visit|view|read|url",
    "de": r"(?:hier )?klicken(?: sie hier)?|hier(?: klicken)?|(?:lesen sie )?mehr(?: lesen| erfahren)?|weiter(?:lesen)?|link|details",
    "fr": r"(?:cliquez )?ici|(?:en savoir |lire )?plus|lire la suite|suite|ce lien|lien|détails",
    "es": r"(?:haz |haga )?(?:clic )?aquí|(?:leer |ver |saber )?más|este enlace|enlace|detalles",
    "it": r"(?:clicca )?qui|(?:leggi |scopri )?(?:di )?più|continua|questo link|link|dettagli",
    "pt": r"(?:clique )?aqui|(?:ler |leia |saiba )?mais|este link|link|detalhes",
    "nl": r"(?:klik )?hier|(?:lees |meer )?(?:meer|lezen|verder)|deze link|link|details",
}
_PATTERNS = {language: re.compile(pattern, re.IGNORECASE) for language, pattern in _GENERIC.items()}
_CLICK_HERE = re.compile(r"\b(?:click|tap) here\b", re.IGNORECASE)
_BARE = re.compile(r"(?:https?://|www\.)\S{24,}", re.IGNORECASE)


def check(context: CheckContext) -> Iterator[Problem]:
    language = context.content.publication.language.lower()[:2]
    generic = (_PATTERNS["en"], _PATTERNS.get(language, _PATTERNS["en"]))
    for text in context.texts:
        if _CLICK_HERE.search(text.text):
            message = "“click here” says nothing of where it leads; name what the reader finds there"
            yield Problem(level="warning", code="link.click_here", message=message, where=text.where)
    for link in context.page.xpath("//a[@href]"):
        shown = " ".join(link.text_content().split()).strip(" .…→»")
        if not shown and not link.xpath(".//img[@alt!='']"):
            message = f"the link to {link.get('href')[:80]} has no text"
            yield Problem(level="error", code="link.no_text", message=message)
        elif any(one.fullmatch(shown) for one in generic) and not _CLICK_HERE.search(shown):
            message = f"the link text “{shown}” says nothing of where it leads; name what the reader finds there"
            yield Problem(level="warning", code="link.generic_text", message=message)
        elif _BARE.fullmatch(shown):
            message = f"the link's text is its address, {shown[:60]}…; write in words what the reader finds there"
            yield Problem(level="warning", code="link.bare_address", message=message)
