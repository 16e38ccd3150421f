"""Getting it out: sends, batches, attempts, deliveries, and what the provider reported."""

from tasks.models.alarm import Alarm
from tasks.models.batch import Attempt, Batch
from tasks.models.delivery import Delivery, Exclusion
from tasks.models.event import Event, Receipt
from tasks.models.link_check import LinkCheck
from tasks.models.send import Send
from tasks.models.transport_state import TransportState

__all__ = [
    "Alarm",
    "Attempt",
    "Batch",
    "Delivery",
    "Event",
    "Exclusion",
    "LinkCheck",
    "Receipt",
    "Send",
    "TransportState",
]
