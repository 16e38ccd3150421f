"""Getting it out: sends, batches, attempts, deliveries, and what the provider reported."""

from tasks.models.action import Action
from tasks.models.alarm import Alarm
from tasks.models.batch import Attempt, Batch
from tasks.models.comparison import Comparison
from tasks.models.delivery import Delivery, Exclusion
from tasks.models.event import Event, Receipt
from tasks.models.flow import WarmUp
from tasks.models.letter import Letter
from tasks.models.link_check import LinkCheck
from tasks.models.send import Send
from tasks.models.slot import Recurrence, Slot
from tasks.models.transport_state import TransportState

__all__ = [
    "Action",
    "Alarm",
    "Attempt",
    "Batch",
    "Comparison",
    "Delivery",
    "Event",
    "Exclusion",
    "Letter",
    "LinkCheck",
    "Receipt",
    "Recurrence",
    "Send",
    "Slot",
    "TransportState",
    "WarmUp",
]
