"""Answers of a worker that stood still while its batch went another way: taken for unknown, sent again, cancelled, divided.

Its readers have the edition all the same. Those who still wait are not mailed again, and where somebody was, a person is told.
"""

from collections.abc import Iterable, Mapping, Sequence

from tasks.attempts import proof, reader_proof
from tasks.database.durability import durable
from tasks.feedback import flags
from tasks.models import Attempt, evidence
from tasks.providers.base import Partial
from tasks.submission.claiming import Claim


def prove_all(claim: Claim, members: Sequence[int], *, by: Mapping[str, object]) -> None:
    """The whole request was accepted, in whatever state its batch is by now; safe to repeat. Raises the database's errors."""
    with durable():
        # Where the database has lost the attempt its send pauses, which is locked before any batch.
        is_known = Attempt.objects.filter(pk=claim.attempt).exists()
        if is_known:
            lock_batches(claim, members)
        proof.prove_accepted({claim.attempt: claim.send_id}, by=by)
        if is_known:
            prove(claim, members, by=by)


def prove_accepted_ones(claim: Claim, members: tuple[int, ...], outcome: Partial, fact: Mapping[str, object]) -> None:
    """A part of it was, and its batch is not open under this attempt any more; safe to repeat. In the caller's transaction, which holds the send.

    `fact`: the answers, for the attempt's record. Raises the database's errors.
    """
    reached = [members[at] for at in sorted(outcome.accepted) if at < len(members)]
    lock_batches(claim, reached)
    if is_on_record(claim):
        return
    # The attempt's outcome was decided without them, and is theirs alone: only these readers are proven.
    Attempt.objects.filter(pk=claim.attempt).update(evidence=evidence.with_fact(fact))
    prove(claim, reached, by={"kind": "answer"})


def lock_batches(claim: Claim, members: Iterable[int]) -> None:
    """Those in which these readers are by now, and the request's own, in the order of their ids."""
    flags.lock_batches([(claim.send_id, member) for member in sorted(members)], [claim.attempt])


def prove(claim: Claim, members: Iterable[int], *, by: Mapping[str, object]) -> None:
    """These readers have the mail of this attempt. The caller has locked their batches."""
    reader_proof.prove_readers({(claim.send_id, member): claim.attempt for member in members}, by=by)


def is_on_record(claim: Claim) -> bool:
    """Whether the answers to this attempt were recorded before; locks the attempt."""
    attempt = Attempt.objects.select_for_update(of=("self",)).get(pk=claim.attempt)
    return any(known.get("kind") == "answers" for known in attempt.evidence)
