"""Mailboxes that are read: who logs in where. Of those for stories editors name a folder, and see no password."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

IMAPS_PORT = 993


@dataclass(frozen=True, kw_only=True)
class MailboxAccount:
    username: str
    host: str
    port: int = IMAPS_PORT
    password: str = field(default="", repr=False)

    def is_of(self, url: str) -> bool:
        """Whether an imaps:// address, which has no password, means a folder of this account."""
        try:
            other = _account(urlsplit(url))
        except ValueError:
            return False
        return (self.username, self.host, self.port) == (other.username, other.host, other.port)


@dataclass(frozen=True, kw_only=True)
class MailboxFolder:
    """One folder of a mailbox."""

    account: MailboxAccount
    folder: str = "INBOX"


def read_folder(url: str) -> MailboxFolder:
    """imaps://user:password@host/Folder. Raises ValueError, whose message says nothing of the password."""
    parts = _split(url)
    account = read_account(parts._replace(path="").geturl())
    return MailboxFolder(account=account, folder=unquote(parts.path.strip("/")) or "INBOX")


def read_account(url: str) -> MailboxAccount:
    """imaps://user:password@host. Raises ValueError, whose message says nothing of the password."""
    parts = _split(url)
    if parts.scheme != "imaps" or not (parts.hostname and parts.username and parts.password):
        raise ValueError("it is no imaps://user:password@host")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("nothing may follow the host; write special characters of the password as %2F, %23, %3F")
    try:
        return _account(parts)
    except ValueError:
        # The library's message repeats what stands for the port: of a password with a slash, a part.
        raise ValueError("its port is no number") from None


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        # The library's message may repeat all that stands before the first slash.
        raise ValueError("it is no imaps://user:password@host") from None


def _account(parts: SplitResult) -> MailboxAccount:
    return MailboxAccount(
        username=unquote(parts.username or ""),
        host=(parts.hostname or "").lower(),
        port=parts.port or IMAPS_PORT,
        password=unquote(parts.password or ""),
    )
