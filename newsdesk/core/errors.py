"""Every error that Newsdesk raises on purpose. The command line prints the message as one line and exits (`newsdesk.cli`).

A message is for whoever asked: it names the field, row or line, and says what to do.
"""


class NewsdeskError(Exception):
    """The root of them all."""


class InputError(NewsdeskError):
    """What was asked cannot be done as written (exit 2)."""


class OperationFailedError(NewsdeskError):
    """It was asked rightly, but could not be carried out (exit 1). The message says what and where."""


class RefusedError(OperationFailedError):
    """It was asked rightly, but not at this moment: things do not stand so (exit 1)."""


class ProviderError(NewsdeskError):
    """A provider, or the way to it, failed. `permanent`: trying again later would not help."""

    permanent = False


class BrokenPromiseError(NewsdeskError):
    """What must always hold does not: nothing of it was kept, and a person has to look (exit 1)."""
