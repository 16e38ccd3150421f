"""What one reply of a server means."""

from newsdesk.core.errors import ProviderError
from tasks.providers.base import Reason
from tasks.providers.smtp import status_codes
from tasks.providers.smtp.connection import ConnectionLostError, Reply


class StopPostingError(ProviderError):
    """No further message is tried. `again`: a new connection may go on at once."""

    def __init__(self, reason: Reason, message: str, *, again: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again = again
        self.retry_after = retry_after


def is_about_the_reader(reply: Reply) -> bool:
    """Whether this no to a recipient is about that one: the next may fare better."""
    return (
        status_codes.is_about_the_reader(reply.text) if status_codes.has_code(reply.text) else reply.code in {450, 451}
    )


def names_no_mailbox(reply: Reply) -> bool:
    """Whether the address does not exist, as the server says."""
    return reply.code >= 500 and status_codes.no_mailbox(reply.text)


def refused_sender(mail: Reply) -> None:
    """Anything but a yes to MAIL stops everything: the sender is the same for all."""
    if mail.code == 250:
        return
    closing(mail)
    if mail.code < 400:
        raise ConnectionLostError(f"unexpected reply to MAIL: {mail}")
    if mail.code < 500:
        raise StopPostingError(Reason.TOO_MANY, f"The sender was put off: {mail}")
    raise StopPostingError(Reason.NOT_ALLOWED, f"The sender was refused: {mail}")


def closing(reply: Reply) -> None:
    """Raise ConnectionLostError when the server ends the connection with this reply."""
    if reply.code == 421:
        raise ConnectionLostError(str(reply))
