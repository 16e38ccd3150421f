"""`newsdesk undo SEND`."""

from newsdesk.management.control import ControlCommand


class Command(ControlCommand):
    help = "Take a send back before anything of it has gone out; its edition can be sent again."
    verb = "undo"
