"""Cells and tags that say outright that somebody has left, in columns that are not known to tell it.

A column for each newsletter ("Weekly: unsubscribed"), a tag "do not email": nobody asked the file for them, and still who has left is not mailed.
Only words that can mean nothing else count; "cancelled" may be an order, and "inactive" an account.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from subscribers.importing.errors import shown
from subscribers.importing.layout import Layout
from subscribers.importing.states import State

_WORDS = {
    State.UNSUBSCRIBED: """
        unsubscribed unsubscribe unsub opted_out opt_out optout abgemeldet abbestellt désabonné désabonnée désinscrit désinscrite dado_de_baja
        dada_de_baja desuscrito desuscrita descadastrado descadastrada disiscritto disiscritta uitgeschreven afgemeld afmeldt avmeldt avregistrerad
        wypisany wypisana odhlášen odhlášený odhlášená отписан отписана отписался отписалась 退订 已退订 退訂 已退訂 取消订阅 配信停止 退会
    """,
    State.MANUAL: "do_not_email do_not_e_mail do_not_mail do_not_contact no_email blocklisted blacklisted blacklisté blacklistée suppressed",
    State.HARD_BOUNCE: "bounced hard_bounce hard_bounced hardbounce",
    State.COMPLAINT: "complained spam_complaint marked_as_spam",
}
#: What a remark holds that may say that its reader wants no mail: it is told, so that somebody reads it. Addresses of pages hold it too.
_SPOKEN_OF = re.compile("nsubscri|bgemeldet|bbestellt|ésabonn|ésinscri")


def _spellings(word: str) -> Iterable[str]:
    """As people and programs write it; a million cells are looked up as they are."""
    for apart in (" ", "_", "-", ""):
        spelt = word.replace("_", apart)
        yield from (spelt, spelt.upper(), spelt.capitalize(), spelt.title())


#: What a cell makes of its reader, by all of its text.
SAYS: Mapping[str, State] = {
    spelling: state for state, words in _WORDS.items() for word in words.split() for spelling in _spellings(word)
}


class TellingCells:
    """What the columns of a file say that nobody asks. `warn` hears of each such cell."""

    def __init__(self, layout: Layout, *, warn: Callable[[int, str], None]) -> None:
        self.columns = layout.may_tell()
        self._headings = layout.headings
        self._warn = warn

    def of(self, cells: Sequence[str], line: int) -> State:
        worst = State.ACTIVE
        for at in self.columns:
            cell = cells[at]
            if not cell:
                continue
            heading = self._headings[at]
            if (state := SAYS.get(cell.strip())) is not None:
                worst = max(worst, state)
                self._warn(
                    line, f'{heading} says {shown(cell)}: not mailed; --map "{heading}=NAME" keeps it as a word only'
                )
            elif _SPOKEN_OF.search(cell) and "://" not in cell:
                self._warn(line, f"{heading} speaks of leaving: {shown(cell)}; nothing is made of it")
        return worst

    def of_tags(self, tags: Sequence[str], line: int) -> State:
        said = {tag: state for tag in tags if (state := SAYS.get(tag)) is not None}
        for tag in said:
            self._warn(line, f"the tag {shown(tag)} says so: not mailed")
        return max(said.values(), default=State.ACTIVE)
