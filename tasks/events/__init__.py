"""What the provider reports comes back: receipts are applied to deliveries, batches and the lists."""

from tasks.events.applying import Applied, apply_receipt
from tasks.events.parsing import ReportedEvent, parse
from tasks.events.unsubscribing import unsubscribe

__all__ = ["Applied", "ReportedEvent", "apply_receipt", "parse", "unsubscribe"]
