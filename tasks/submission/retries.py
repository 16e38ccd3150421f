"""How often a batch is tried, whom a refusal may set aside, and the explanation when there is no further try without a person."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta

from subscribers.models import Subscriber
from tasks.providers import registry

#: Rounds a batch may be refused for recipients at fault, or a reader put off, before that ends.
MAX_ROUNDS = 20
#: Counted no further: the wait grows no more by then.
MOST_STALLS = 1000
#: So many readers who are put off in one request are not to blame by themselves: a server that greylists everybody, or takes so
#: many an hour. None of them fails before a mail server would give up either (RFC 5321 §4.5.4.1).
MANY_PUT_OFF = 10
GIVE_UP_AFTER = timedelta(days=4)
#: The most readers of a request, as a share of it, whom an SMTP server may refuse, and be believed: one that has lost its
#: directory knows nobody.
REFUSED_SHARE = 0.1
#: The same of those whom it has told to come later before: the living among them are taken first, so that many of the rest are dead.
REFUSED_AFTER_OTHERS_SHARE = 0.5
#: So many named readers may be wrong by chance, whatever the request's size; from the next on the rules below are asked.
BELIEVED = 2
#: The most readers of a request, as a share of it, who may be named before the fault is believed to be ours.
NAMED_SHARE = 0.02
#: Addresses that an explanation shows.
SHOWN = 3


def members_at(members: tuple[int, ...], positions: Iterable[int]) -> tuple[int, ...]:
    """Subscriber ids at these positions of a request, in its order; a position outside the request is nobody."""
    return tuple(members[at] for at in sorted(positions) if at < len(members))


def refusal_explained(transport: str, message: str) -> str:
    """Why a send is paused, for an operator. `transport`: its name with the fingerprint."""
    return f"{registry.title_of(transport)} refused: {message}"


def are_too_many(refused: int, *, of: int, put_off_before: bool = False) -> bool:
    """Whether an SMTP server that refuses so many of a request's readers is not believed.

    `put_off_before`: it told them to come later when they were tried the last time.
    """
    if put_off_before:
        return refused > max(MANY_PUT_OFF, REFUSED_AFTER_OTHERS_SHARE * of)
    return refused > max(BELIEVED, REFUSED_SHARE * of)


def is_systematic(named: Mapping[int, str], *, of: int, failed_before: int = 0) -> bool:
    """Whether so many readers of one request were named, or several in the same words, that the fault cannot be theirs.

    `named`: the provider's words by reader. `of`: readers in the request. `failed_before`: members of its batch who were set
    aside in earlier rounds, since a provider may name one at a time.
    """
    if len(named) + failed_before <= BELIEVED:
        return False
    ((_, in_the_same_words),) = Counter(named.values()).most_common(1)
    return len(named) + failed_before > NAMED_SHARE * of or in_the_same_words > BELIEVED


def why_named_in_vain(transport: str, named: Mapping[int, str], *, of: int, failed_before: int) -> str:
    """Why nobody of those whom a refusal names was set aside, for an operator; empty when they may be.

    `named`: the provider's words by subscriber id; the others as in `is_systematic`. Raises the database's errors.
    """
    if not is_systematic(named, of=of, failed_before=failed_before):
        return ""
    shown = Subscriber.objects.filter(pk__in=sorted(named)[:SHOWN]).order_by("pk").values_list("email", flat=True)
    ((words, _),) = Counter(named.values()).most_common(1)
    more = " and others" if len(named) > SHOWN else ""
    return (
        f"{registry.title_of(transport)} refused a request of {of} readers and named {len(named)} of them"
        f" ({', '.join(shown)}{more}): {words[:200]} So many are not believed to be wrong; nobody was set aside."
        " Mend the cause, or correct these addresses, then resume."
    )
