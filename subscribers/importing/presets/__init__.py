"""How each service names its columns and its readers' states. A new service is one file here and one line below."""

from collections.abc import Collection

from newsdesk.core.errors import InputError
from subscribers.importing.presets.beehiiv import BEEHIIV
from subscribers.importing.presets.brevo import BREVO
from subscribers.importing.presets.buttondown import BUTTONDOWN
from subscribers.importing.presets.campaign_monitor import CAMPAIGN_MONITOR
from subscribers.importing.presets.generic import GENERIC
from subscribers.importing.presets.ghost import GHOST
from subscribers.importing.presets.hubspot import HUBSPOT
from subscribers.importing.presets.keila import KEILA
from subscribers.importing.presets.kit import KIT
from subscribers.importing.presets.listmonk import LISTMONK
from subscribers.importing.presets.mailchimp import MAILCHIMP
from subscribers.importing.presets.mailcoach import MAILCOACH
from subscribers.importing.presets.mailerlite import MAILERLITE
from subscribers.importing.presets.newsdesk import NEWSDESK
from subscribers.importing.presets.preset import Preset
from subscribers.importing.presets.sendy import SENDY
from subscribers.importing.presets.substack import SUBSTACK

#: The first whose header it is; the generic one takes the rest.
PRESETS = (
    NEWSDESK, MAILCHIMP, SUBSTACK, GHOST, LISTMONK, BUTTONDOWN, HUBSPOT, BREVO, MAILERLITE, MAILCOACH, KEILA, BEEHIIV, SENDY,
    CAMPAIGN_MONITOR, KIT, GENERIC,
)  # fmt: skip


def recognised(names: Collection[str]) -> Preset:
    """The preset for these folded names of columns."""
    return next((one for one in PRESETS if any(signature <= set(names) for signature in one.signatures)), GENERIC)


def preset_named(name: str) -> Preset:
    """Raises InputError with the names there are."""
    wanted = "kit" if name.lower() == "convertkit" else name.lower()
    found = next((one for one in PRESETS if one.name == wanted), None)
    if found is None:
        raise InputError(f"--preset: there is no {name!r}; there are: {', '.join(one.name for one in PRESETS)}.")
    return found
