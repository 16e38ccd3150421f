"""Settling what nobody saw the end of: by evidence, by silence that proves something, or by a person (design §5.9)."""

from tasks.reconciliation.deciding import leave, resend
from tasks.reconciliation.proof import prove_accepted
from tasks.reconciliation.silence import reconcile

__all__ = ["leave", "prove_accepted", "reconcile", "resend"]
