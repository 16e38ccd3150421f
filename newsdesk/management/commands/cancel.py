"""`newsdesk cancel SEND`."""

from newsdesk.management.control import ControlCommand


class Command(ControlCommand):
    help = "Give up what is not out yet; its readers count as excluded, reason cancelled."
    verb = "cancel"
