"""`newsdesk pause SEND`."""

from newsdesk.management.control import ControlCommand


class Command(ControlCommand):
    help = "Stop a send at the next batch; requests in flight run to their end."
    verb = "pause"
