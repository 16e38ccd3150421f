"""`newsdesk resume SEND`."""

from newsdesk.management.control import ControlCommand


class Command(ControlCommand):
    help = "Go on with a paused send."
    verb = "resume"
