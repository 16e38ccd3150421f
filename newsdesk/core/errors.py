"""The two ways a command can end badly. The command line prints the message as one line and exits."""


class InputError(Exception):
    """What was asked cannot be done as written (exit 2). The message names the field, row or line and what to do."""


class OperationFailedError(Exception):
    """What was asked was right, but it could not be carried out (exit 1). The message says what and where."""
