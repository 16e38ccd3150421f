"""What Postbox is for Newsdesk: the one file that the registry looks for."""

from tasks.providers.base import Provider

from .suppressions import PostboxSuppressionLists
from .transport import PostboxTransport
from .webhook import PostboxWebhook

PROVIDER = Provider(
    title="Postbox",
    make_transport=PostboxTransport,
    webhook=PostboxWebhook(),
    suppression_lists=PostboxSuppressionLists(),
)
