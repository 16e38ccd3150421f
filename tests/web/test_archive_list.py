"""`/`, `/<publication>/`, and what a browser asks for besides."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from composer.models import Publication
from tests import factories

pytestmark = pytest.mark.django_db

OUT = datetime(2026, 11, 26, 20, 0, tzinfo=UTC)


def out(publication: Publication, number: int, subject: str, **fields: object) -> None:
    variants = [{"audiences": [["vip"]], "subject": "For few"}, {"audiences": [[]], "subject": subject, **fields}]
    approval = factories.make_approval(factories.make_edition(publication, number=number), variants=variants)
    factories.make_send(approval=approval, status="sent", prepared_at=OUT)


def test_the_start_leads_to_the_archive_of_the_only_publication(client: Client) -> None:
    factories.make_publication(slug="weekly")

    response = client.get("/", follow=True)

    assert response.redirect_chain == [("/weekly/", 302)]
    assert "No edition has come out yet." in response.content.decode()


def test_the_start_lists_the_publications_that_have_come_out(client: Client) -> None:
    out(factories.make_publication(slug="weekly", title="The Weekly", tagline="Rivers & stones"), 1, "High water")
    factories.make_publication(slug="secret", title="Not announced")

    html = client.get("/").content.decode()

    assert '<a href="/weekly/" lang="en" dir="ltr">The Weekly</a>' in html
    assert "Rivers &amp; stones" in html
    assert "Not announced" not in html


def test_without_a_publication_the_start_says_so(client: Client) -> None:
    response = client.get("/")

    assert response.status_code == 200
    assert "Nothing has come out yet." in response.content.decode()


def test_an_archive_lists_what_everybody_may_read_newest_first(client: Client) -> None:
    weekly = factories.make_publication(slug="weekly", timezone="Asia/Singapore")
    out(weekly, 1, "High water")
    out(weekly, 2, "Dear -ndFirstNameX726561646572-")
    out(weekly, 3, "Nothing for everybody", stories=0, html="", text="")
    factories.make_approval(factories.make_edition(weekly, number=4), variants=[{"audiences": [[]], "subject": "Soon"}])
    out(factories.make_publication(slug="other"), 9, "Elsewhere")

    html = client.get("/weekly/").content.decode()

    # By the publication's clock it was the next day already.
    assert "No. 2 · 27 November 2026" in html
    assert html.index("Dear reader") < html.index("High water")
    assert 'href="/weekly/2/"' in html
    for hidden in ("For few", "Nothing for everybody", "Soon", "Elsewhere"):
        assert hidden not in html


def test_a_correction_gives_its_subject(client: Client) -> None:
    weekly = factories.make_publication(slug="weekly")
    first = factories.make_approval(
        factories.make_edition(weekly, number=1), variants=[{"audiences": [[]], "subject": "Wrong"}], voided_at=OUT,
        approved_at=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    factories.make_send(approval=first, status="sent", prepared_at=OUT)
    factories.make_approval(first.edition, variants=[{"audiences": [[]], "subject": "Right"}])

    html = client.get("/weekly/").content.decode()

    assert "Right" in html
    assert "Wrong" not in html


def test_an_archive_costs_the_same_however_long(client: Client, django_assert_max_num_queries: object) -> None:
    weekly = factories.make_publication(slug="weekly")
    for number in range(1, 12):
        out(weekly, number, f"Subject {number}")

    with django_assert_max_num_queries(5):  # type: ignore[operator]
        assert client.get("/weekly/").content.decode().count("<li>") == 11


def test_both_pages_are_public_and_strict(client: Client) -> None:
    factories.make_publication(slug="weekly")

    response = client.get("/weekly/")

    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "public, max-age=300"
    assert "noindex" not in response.content.decode()
    assert not response.cookies


def test_an_archive_of_nothing_is_not_found(client: Client) -> None:
    assert client.get("/nothing/").status_code == 404


def test_the_desk_is_found_without_its_slash(client: Client) -> None:
    assert client.get("/desk")["Location"] == "/desk/"
    assert client.get("/desk?x=1")["Location"] == "/desk/?x=1"


def test_every_page_has_a_favicon(client: Client) -> None:
    factories.make_publication(slug="weekly")

    assert client.get("/favicon.ico")["Location"].endswith("favicon.svg")
    for path in ("/weekly/", "/desk/login/"):
        assert "favicon.svg" in client.get(path).content.decode()
