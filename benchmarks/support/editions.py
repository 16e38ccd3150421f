"""An edition like a real one, as heavy as that of the reference: 60 KB of HTML and 18 KB of text, with every merge tag."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from composer.models import Edition, Publication

HTML_BYTES = 60_000
TEXT_BYTES = 18_000
LIST = "readers"
_STORY = "The river rose by two metres, and the old bridge held; nobody was hurt. "
#: What stands in a real edition: a greeting, the imprint's address, and the two links, in HTML and in text.
_HTML_TAGS = (
    "<p>Dear -ndFirstNameHtmlX726561646572-,</p><p>for -ndNameHtmlX796f75-, at -ndEmailHtml-</p>"
    '<p><a clicktracking=off href="-ndUnsubscribeUrl-">Unsubscribe</a> '
    '<a clicktracking=off href="-ndPreferencesUrl-">Preferences</a></p>'
)
_TEXT_TAGS = "Dear -ndFirstNameX726561646572-\n\nFor -ndEmail-\n\nUnsubscribe: -ndUnsubscribeUrl-\nPreferences: -ndPreferencesUrl-\n"


def html() -> str:
    cell = f'<td style="margin:0px;padding:0 24px;color:#222222;font-family:Georgia,serif">{_STORY * 6}</td>\n'
    return _padded(f'<!DOCTYPE html><html lang="en"><body>{_HTML_TAGS}', cell, "</body></html>", HTML_BYTES)


def text() -> str:
    return _padded("", _STORY + "\n", _TEXT_TAGS, TEXT_BYTES)


def _padded(head: str, cell: str, tail: str, size: int) -> str:
    return head + cell * ((size - len(head) - len(tail)) // len(cell)) + tail


def publication() -> "Publication":
    from composer.models import Publication

    return Publication.objects.create(
        slug="weekly",
        title="The Weekly",
        from_name="The Weekly",
        from_email="news@example.com",
        reply_to="editors@example.com",
        postal_address="1 Main Street, Singapore 018956",
        tracking=True,
    )


def approved(of: "Publication") -> "Edition":
    """One more edition of the publication, approved in one variant for everybody."""
    from composer.approval import content_hash
    from composer.models import Approval, Edition, Variant

    edition = Edition.objects.create(publication=of, title="The week in rivers")
    approval = Approval(edition=edition, timezone="UTC", request={"tracking": of.tracking, "category": of.slug})
    variant = Variant(
        approval=approval,
        position=0,
        audiences=[[]],
        stories=12,
        subject="The week in rivers",
        html=html(),
        text=text(),
        headers={
            "From": '"The Weekly" <news@example.com>',
            "Reply-To": "editors@example.com",
            "List-Id": "<weekly.example.com>",
        },
    )
    approval.content_hash = content_hash(approval, [variant])
    approval.save()
    variant.save()
    return edition


def fill_list(of: "Publication", slug: str, number: int, *, first: int = 0) -> Any:
    """A list of `number` new active readers, written with two statements."""
    from django.db import connection

    from subscribers.models import List

    chosen = List.objects.create(publication=of, slug=slug, name=slug.title())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO subscribers_subscriber (email, name, language, timezone, attributes, tags)
            SELECT 'reader' || n || '@example.com', 'Søren Reader ' || n, 'en', '', %s, '{}'
              FROM generate_series(%s::int, %s::int) AS n
            """,
            [json.dumps({"country": "SG"}), first, first + number - 1],
        )
        cursor.execute(
            """
            INSERT INTO subscribers_subscription (subscriber_id, list_id, status)
            SELECT id, %s, 'active' FROM subscribers_subscriber s
             WHERE NOT EXISTS (SELECT 1 FROM subscribers_subscription n WHERE n.subscriber_id = s.id)
            """,
            [chosen.pk],
        )
        cursor.execute("ANALYZE subscribers_subscriber, subscribers_subscription")
    return chosen


def prepared(edition: "Edition", chosen: Any) -> Any:
    """A send of the edition to the list, its audience frozen and the send paused before anything was claimed.

    To be called while no worker runs.
    """
    from tasks.models import Send
    from tasks.preparation import preparing
    from tasks.sends import scheduling

    send = scheduling.schedule(edition, lists=[chosen])
    assert preparing.prepare(send.pk) is not None
    # Without the alarm of a pause: nothing is wrong.
    Send.objects.filter(pk=send.pk).update(status=Send.Status.PAUSED)
    return send
