"""What a Maildir is for Newsdesk."""

from django.conf import settings

from tasks.providers.base import Provider, Transport
from tasks.providers.file.transport import FileTransport


def make_transport() -> Transport:
    return FileTransport(settings.NEWSDESK_MAILDIR)


PROVIDER = Provider(title="The file system", make_transport=make_transport)
