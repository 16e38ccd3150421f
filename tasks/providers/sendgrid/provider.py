"""What SendGrid is for Newsdesk."""

from django.conf import settings

from tasks.providers.base import Provider, Transport
from tasks.providers.sendgrid.activity import SendGridActivity
from tasks.providers.sendgrid.erasing import SendGridContactErasure
from tasks.providers.sendgrid.suppressions import SendGridSuppressionLists
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.providers.sendgrid.webhook import SendGridWebhook


def make_transport() -> Transport:
    return SendGridTransport(api_key=settings.SENDGRID_API_KEY, host=settings.SENDGRID_HOST)


PROVIDER = Provider(
    title="SendGrid",
    make_transport=make_transport,
    webhook=SendGridWebhook(),
    suppression_lists=SendGridSuppressionLists(),
    contact_erasure=SendGridContactErasure(),
    activity_feed=SendGridActivity(),
)
