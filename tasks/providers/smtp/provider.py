"""What an SMTP server is for Newsdesk: it answers for each recipient, and reports later by mail, if at all."""

from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from newsdesk.core.environment import SmtpServer
from tasks.mime.envelope_ids import EnvelopeIds
from tasks.providers.base import Provider, Transport
from tasks.providers.smtp.reports import MailedReports
from tasks.providers.smtp.transport import SmtpTransport


def make_transport() -> Transport:
    assert settings.SMTP_SERVER is not None, "the environment demands SMTP_URL"
    return transport_to(settings.SMTP_SERVER)


def transport_to(server: SmtpServer) -> Transport:
    """A transport to this server, with the home's journal and the configured signature."""
    return SmtpTransport(
        server,
        helo=urlsplit(settings.BASE_URL).hostname or "",
        journal=settings.HOME.smtp,
        dkim=settings.DKIM_KEY,
        envelope_ids=envelope_ids(),
        success_reports=settings.SMTP_SUCCESS_REPORTS,
    )


@lru_cache(maxsize=1)
def envelope_ids() -> EnvelopeIds:
    """One for the process; reports about mails of earlier secret keys are still known."""
    return EnvelopeIds(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)


PROVIDER = Provider(title="The SMTP server", make_transport=make_transport, mail_reports=MailedReports())
