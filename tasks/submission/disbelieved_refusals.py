"""So many readers of one request refused that the fault is not believed to be theirs: a server that has lost its directory knows nobody.

They wait, and the send pauses, once: when a person has resumed it, they are tried again, and whoever is refused then fails.
"""

from collections import Counter

from subscribers.models import Subscriber
from tasks.models import Action, Attempt, Batch
from tasks.providers import registry
from tasks.providers.base import Partial
from tasks.submission.claiming import Claim
from tasks.submission.retries import SHOWN, are_too_many, members_at

#: In the attempt's record of its answers.
FACT = "disbelieved"


def positions(outcome: Partial) -> frozenset[int]:
    """Those whom the server refused; an address to which we cannot write is no server's doing."""
    return frozenset(outcome.refused.keys() - outcome.not_asked)


def why(claim: Claim, members: tuple[int, ...], outcome: Partial, *, transport: str) -> str:
    """Why nobody whom this request's server refused fails, for an operator; empty when they do.

    `members`: subscriber ids in the order of the request's recipients. `transport`: its name with the fingerprint. Raises the
    database's errors.
    """
    refused = positions(outcome)
    if not are_too_many(len(refused), of=len(members)):
        return ""
    put_off_before = Batch.objects.filter(pk=claim.batch_id, rounds__gt=0).exists()
    if not are_too_many(len(refused), of=len(members), put_off_before=put_off_before) or _a_person_has_looked(claim):
        return ""
    ids = members_at(members, refused)
    shown = Subscriber.objects.filter(pk__in=ids[:SHOWN]).order_by("pk").values_list("email", flat=True)
    ((words, _),) = Counter(outcome.refused[at] for at in refused).most_common(1)
    more = " and others" if len(ids) > SHOWN else ""
    return (
        f"{registry.title_of(transport)} refused {len(ids)} of {len(members)} readers of one request"
        f" ({', '.join(shown)}{more}): {words[:200]} So many are not believed to be wrong; none of them has failed."
        " See whether the server still knows its readers, then resume: they are tried again, and who is refused then fails."
    )


def _a_person_has_looked(claim: Claim) -> bool:
    """Whether the send had paused for this, and somebody had resumed it before this request was made."""
    paused = Attempt.objects.filter(batch__send_id=claim.send_id, evidence__contains=[{"kind": "answers", FACT: True}])
    first = paused.order_by("finished_at").values_list("finished_at", flat=True).first()
    if first is None:
        return False
    began = Attempt.objects.values_list("fenced_at", flat=True).get(pk=claim.attempt)
    return Action.objects.filter(send_id=claim.send_id, what="resumed", at__gt=first, at__lt=began).exists()
