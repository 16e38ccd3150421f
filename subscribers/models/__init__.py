"""Whom we may write to: subscribers, lists, segments, consent and suppression."""

from subscribers.models.consent import Consent
from subscribers.models.consent_seal import ConsentSeal
from subscribers.models.list import List, Subscription
from subscribers.models.list_growth import ListGrowth
from subscribers.models.merged_reader import MergedReader
from subscribers.models.segment import Segment
from subscribers.models.subscriber import Subscriber
from subscribers.models.suppression import LiftedSuppression, Suppression
from subscribers.models.tracking_answer import TrackingAnswer

__all__ = [
    "Consent",
    "ConsentSeal",
    "LiftedSuppression",
    "List",
    "ListGrowth",
    "MergedReader",
    "Segment",
    "Subscriber",
    "Subscription",
    "Suppression",
    "TrackingAnswer",
]
