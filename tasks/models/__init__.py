"""Getting it out: sends, batches, attempts, deliveries, and what the provider reported."""

from tasks.models.action import Action
from tasks.models.alarm import Alarm
from tasks.models.alarm_post import AlarmPost
from tasks.models.alarm_way import AlarmWay
from tasks.models.archived_send import ArchivedSend
from tasks.models.batch import Attempt, Batch
from tasks.models.delivery import Delivery, Exclusion
from tasks.models.erasure import Erasure
from tasks.models.event import Event, Receipt
from tasks.models.installation import Installation
from tasks.models.link_check import LinkCheck
from tasks.models.mailbox_domain import MailboxDomain
from tasks.models.send import Send
from tasks.models.slot import Recurrence, Slot
from tasks.models.source_check import SourceCheck
from tasks.models.sunset import Sunset
from tasks.models.suppression_sync import SuppressionSync
from tasks.models.transactional_mail import TransactionalMail
from tasks.models.transport_state import TransportState
from tasks.models.unmatched_report import UnmatchedReport
from tasks.models.warm_up import WarmUp
from tasks.models.webhook_call import WebhookCall
from tasks.models.webhook_state import WebhookState

__all__ = [
    "Action",
    "Alarm",
    "AlarmPost",
    "AlarmWay",
    "ArchivedSend",
    "Attempt",
    "Batch",
    "Delivery",
    "Erasure",
    "Event",
    "Exclusion",
    "Installation",
    "LinkCheck",
    "MailboxDomain",
    "Receipt",
    "Recurrence",
    "Send",
    "Slot",
    "SourceCheck",
    "Sunset",
    "SuppressionSync",
    "TransactionalMail",
    "TransportState",
    "UnmatchedReport",
    "WarmUp",
    "WebhookCall",
    "WebhookState",
]
