"""Columns that no preset knows, but whose names say that their cells tell who has left, or must not be mailed.

Services and languages name such a column in more ways than a table can hold ("Newsletter abbestellt", "IsExcludedFromCampaigns", "Email
Bounced Date"). Here its words decide: better somebody too many is left out, who is counted in the report, than one is mailed who had left.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from subscribers.importing.dates import is_blank
from subscribers.importing.presets.preset import folded
from subscribers.importing.states import State
from subscribers.importing.yes_and_no import NO, YES

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EMPTY = {"[]", "{}", "[null]", "0.0", "00000000-0000-0000-0000-000000000000"}
#: The worst first: "spam bounce" is a complaint.
_WORDS = {
    State.COMPLAINT: r"complain\w*|spam|spam_?(?:complain|report)\w*|marked_as_spam|abuse|plainte\w*|beschwerde\w*|junk",
    State.HARD_BOUNCE: r"bounced?|hard_?bounced?|undeliver\w*|unzustellbar\w*|npai|cleaned|rebot\w*|rebond|rimbalz\w*|quarantin\w*",
    State.INVALID: r"invalid",
    State.MANUAL: r"do_?not_?(?:e_?mail|contact|send|market)\w*|dont_(?:e_?mail|contact)|dnc|no_bulk_e_?mails?|no_e_?mails?|nomail|on_hold"
    r"|suppress\w*|blocked|block_?list\w*|black_?list\w*|bloqu\w*|gesperrt|\w*sperre|excluded|banned|is_deceased|deceased|verstorben",
    State.UNSUBSCRIBED: r"un_?subscri\w*|unsub|unsubs|opt(?:ed)?_?outs?|abgemeldet\w*|abmelde\w*|abmeldung|\w*abbestell\w*|ausgetragen|austragung\w*"
    r"|d[eé]sinscri\w*|d[eé]sabon\w*|baja|desuscri\w*|disiscri\w*|uitschr\w*|uitgeschreven|afgemeld\w*|descadastr\w*|wypisan\w*|odhl[aá]\w*"
    r"|avregistr\w*|deactivat\w*|removed|removal|forget|deleted|deletion|archived|отпис\w*"
    r"|revoked|withdrawn|widerruf\w*|widersprochen|widerspruch|erased|erasure|forgotten|left_(?:on|date)|leave_date|quit_(?:on|at|date)|stopped|stop_date"
    r"|a[fv]meldt|cancelamento|退订\w*|退会\w*|配信停止\w*",
    State.PENDING: r"(?:opt_?in|confirmation|subscription|e_?mail)_pending|pending_(?:confirmation|opt_?in)|is_pending|unconfirmed|awaiting_confirmation",
}  # fmt: skip
_MARKS = {state: re.compile(rf"(?:^|_)(?:{words})(?:_|\Z)") for state, words in _WORDS.items()}
#: A column in which only a bad word, or a no, means anything.
_SAYS = re.compile(
    r"(?:^|_)(?:consent|permissions?|gdpr|dsgvo|rgpd|lgpd|einwilligung|zustimmung|consentement|consentimiento|consenso|toestemming|subscribed|abonniert|abonn[eé]|inscrit"
    r"|suscrito|inscrito|iscritto|angemeldet|tilmeldt|påmeldt"
    r"|ingeschreven|accepts|opt(?:ed)?_?in|newsletter_abo|(?:wants|receives?|send)_(?:e_?mails?|newsletters?|mailings?)|e_?mail_notifications|is_enabled"
    r"|deliverable|deliverability|verification_result|配信状況|situação)(?:_|\Z)"
    r"|(?:^|_)(?:newsletter|valid)\Z"
)
#: A column of words for states.
_STATUS = re.compile(
    r"(?:^|_)(?:status|statut|estado|stato)(?:_|\Z)|(?:mail|subscri\w+|newsletter|delivery|opt_in)_state\Z"
)
#: Where one of these stands, it is another thing, or a number of things.
_ELSE = re.compile(
    r"(?:^|_)(?:url|link|token|hash|page|key|count|counts|rate|number|total|score|rating|risk|class|category|soft|soft_?bounced?|sms|phone|call|calls|whats_?app|push|fax|mobile"
    r"|bouncecount|bounces|emails_bounced|not|never)(?:_|\Z)"
)
_ELSE_SAYS = re.compile(
    r"(?:^|_)(?:date|datum|time|timestamp|at|on|since|text|wording|ip|source|method|type|version|track\w*|cookies?|terms|photos?|partners?|third"
    r"|initial|previous|prior|former|original|old|lead|payment|paid|order|patron|stripe|billing|plan|marital|employment|deal|invoice|customer|account|job|sections?)(?:_|\Z)"
)
#: Beside a status it is its reason, in words that are without end.
_DETAIL = re.compile(r"(?:^|_)(?:sub_?status|reason|details?|code|message|description|comment|notes?)(?:_|\Z)")

#: A column of addresses that has none of the usual names.
_ADDRESSES = re.compile(
    r"(?:(?:contact|person|subscriber|user|customer|member|primary|main|work|business|private|recipient|reader|profile|channels|client|kontakt"
    r"|indirizzo|adresse|adres|direcci[oó]n|endere[cç]o|de|di)_)*"
    r"(?:e_?mail|courriel|e_?post|correo(?:_electr[oó]nico)?)(?:_(?:address|addresses|adresse|adres|value|other|primary|1))*"
)


class Sign(NamedTuple):
    """What a filled cell makes of its reader. None: nothing, but for words that are known."""

    state: State | None
    #: Its words are those of states: one that nobody knows may say anything.
    is_status: bool = False

    def of(self, cell: str, words: Mapping[str, State]) -> State:
        """What this cell says; `words` are those of states, folded."""
        text = cell.strip()
        said = text.casefold()
        if self.state is None:
            refused = said in NO and said != "null"
            return State.UNSUBSCRIBED if refused else words.get(folded(spaced(text)), State.ACTIVE)
        if is_blank(text) or said in _EMPTY or said in NO:
            return State.ACTIVE
        return self.state if said in YES else words.get(folded(spaced(text)), self.state)


def spaced(text: str) -> str:
    """The text with a blank before each capital inside a word, as in "IsUnsubscribed"."""
    return _CAMEL.sub(" ", text)


def holds_addresses(name: str) -> bool:
    """Whether a column with this folded name is one of e-mail addresses."""
    return bool(_ADDRESSES.fullmatch(name)) and sign(name) is None


def sign(name: str) -> Sign | None:
    """What a column with this folded name tells; None: nothing of that kind."""
    if _ELSE.search(name):
        return None
    for state, words in _MARKS.items():
        if words.search(name):
            return Sign(state)
    if _ELSE_SAYS.search(name):
        return None
    if _STATUS.search(name) and not _DETAIL.search(name):
        return Sign(None, is_status=True)
    return Sign(None) if _SAYS.search(name) or _STATUS.search(name) else None


def is_of_something_else(name: str) -> bool:
    """Whether what stands in a column of this folded name is of no mail of ours, or of the past."""
    return bool(_ELSE.search(name) or _ELSE_SAYS.search(name))
