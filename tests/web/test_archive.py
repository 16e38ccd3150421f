from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from composer.models import Approval, Publication
from tests import factories
from web.archive import impersonal

pytestmark = pytest.mark.django_db

HTML = (
    '<html><body><p style="color:red">Dear -ndFirstNameHtmlX726561646572-, the news for -ndEmailHtml-</p>'
    '<p><a clicktracking="off" href="-ndUnsubscribeUrl-" style="x"><b>Unsubscribe</b></a> &nbsp;·&nbsp; '
    '<a href="-ndPreferencesUrl-">Preferences</a>\u00a0·\u00a0<a href="https://example.com">Home</a></p></body></html>'
)


@pytest.fixture
def publication() -> Publication:
    return factories.make_publication(slug="weekly")


def approved(publication: Publication, number: int = 7, **fields: object) -> Approval:
    variants = fields.pop(
        "variants", ({"audiences": [["vip"]], "html": "<p>secret</p>"}, {"audiences": [[], ["x"]], "html": HTML})
    )
    return factories.make_approval(factories.make_edition(publication, number=number), variants=variants, **fields)  # type: ignore[arg-type]


def sent(publication: Publication, **fields: object) -> Approval:
    approval = approved(publication, **fields)
    factories.make_send(approval=approval, status="sent", prepared_at=timezone.now())
    return approval


def test_an_approved_edition_is_not_shown_before_it_goes_out(client: Client, publication: Publication) -> None:
    approved(publication)

    assert client.get("/weekly/7/").status_code == 404


def test_it_shows_the_approved_bytes_of_everybodys_variant(client: Client, publication: Publication) -> None:
    sent(publication)

    response = client.get("/weekly/7/")

    assert response.status_code == 200
    html = response.content.decode()
    assert '<p style="color:red">Dear reader, the news for you</p>' in html
    assert "secret" not in html
    assert not response.cookies


def test_it_allows_the_mails_own_styles_and_no_script(client: Client, publication: Publication) -> None:
    sent(publication)

    policy = client.get("/weekly/7/")["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize("path", ["/weekly/8/", "/other/7/", "/weekly/0/", "/weekly/99999999999999999999/"])
def test_there_is_nothing_else(client: Client, publication: Publication, path: str) -> None:
    sent(publication)

    assert client.get(path).status_code == 404


def test_a_draft_is_not_shown(client: Client, publication: Publication) -> None:
    factories.make_edition(publication, number=7)

    assert client.get("/weekly/7/").status_code == 404


def test_a_reopened_edition_is_hidden_unless_it_went_out(client: Client, publication: Publication) -> None:
    approval = approved(publication)
    Approval.objects.filter(pk=approval.pk).update(voided_at=timezone.now())
    send = factories.make_send(approval=approval)
    assert client.get("/weekly/7/").status_code == 404

    send.status, send.prepared_at = "sent", timezone.now()
    send.save()
    assert client.get("/weekly/7/").status_code == 200


def test_a_correction_replaces_what_was_sent(client: Client, publication: Publication) -> None:
    first = approved(publication, approved_at=timezone.now() - timedelta(days=1))
    factories.make_send(approval=first, status="sent", prepared_at=timezone.now())
    Approval.objects.filter(pk=first.pk).update(voided_at=timezone.now())
    factories.make_approval(first.edition, variants=[{"audiences": [[]], "html": "<p>corrected</p>"}])

    assert "corrected" in client.get("/weekly/7/").content.decode()


def test_an_edition_for_segments_only_is_not_shown(client: Client, publication: Publication) -> None:
    sent(publication, variants=[{"audiences": [["vip"]]}, {"audiences": [[]], "stories": 0, "html": "", "text": ""}])

    assert client.get("/weekly/7/").status_code == 404


def test_personal_links_are_taken_out_with_their_separators() -> None:
    html = impersonal(HTML)

    assert '<p><a href="https://example.com">Home</a></p>' in html
    assert "-nd" not in html


def test_a_personal_link_in_an_unknown_place_leads_to_the_start() -> None:
    assert impersonal('<img src="x" longdesc="-ndUnsubscribeUrl-">') == '<img src="x" longdesc="/">'
