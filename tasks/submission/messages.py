"""What is the same for every reader of a variant."""

from email.utils import parseaddr

from composer.models import Variant
from tasks.database import high_water
from tasks.messages import Message

#: Headers a transport writes itself, from fields of its own.
_OWN_FIELDS = frozenset({"From", "Reply-To", "Subject"})


def message_of(variant: Variant, *, send_id: int, tracked: bool = False) -> Message:
    """The frozen bytes with their frozen headers; nothing here is read from what an editor may have changed since.

    Raises KeyError when the headers name no sender.
    """
    edition, request = variant.approval.edition, variant.approval.request
    from_name, from_email = parseaddr(variant.headers["From"])
    _, reply_to = parseaddr(variant.headers.get("Reply-To", ""))
    return Message(
        from_email=from_email,
        from_name=from_name,
        reply_to=reply_to,
        subject=variant.subject,
        html=variant.html,
        text=variant.text,
        headers={name: value for name, value in variant.headers.items() if name not in _OWN_FIELDS},
        categories=(request.get("category") or edition.publication.slug, f"edition-{edition.pk}", f"send-{send_id}"),
        tracking=tracked,
        installation=high_water.known_installation(),
    )
