"""Tests from the desk go to the team and to those the publication allows, and not without end."""

from typing import Any

import pytest

from composer.models import Edition, Membership
from tasks.models import TransactionalMail
from tasks.transactional.test_limits import CannotTestError
from tasks.transactional.test_sends import send_test
from tests.factories import make_approval, make_edition, make_editor, make_publication

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition(monkeypatch: pytest.MonkeyPatch) -> Edition:
    monkeypatch.setattr("tasks.queue.enqueue_mail", lambda _mail_id, countdown=0: True)
    made = make_edition()
    make_approval(made)
    return made


def person(edition: Edition, name: str, role: str, **where: Any) -> Any:
    user = make_editor(name, is_superuser=False)
    Membership.objects.create(user=user, role=role, publication=where.get("publication", edition.publication))
    return user


def sent() -> set[str]:
    return set(TransactionalMail.objects.values_list("to_email", flat=True))


def test_a_writer_tests_to_the_team_and_to_what_is_allowed(edition: Edition) -> None:
    ada = person(edition, "ada", "writer")
    person(edition, "bob", "analyst")
    person(edition, "eve", "editor", publication=make_publication())
    edition.publication.test_addresses = "Proof@agency.example\n\n@Example.ORG\n"
    edition.publication.save()

    send_test(edition, ["ADA@example.com", "bob@example.com", "proof@agency.example", "anyone@example.org"], by=ada)
    with pytest.raises(CannotTestError, match=r"^eve@example\.com, x@sub\.example\.org: tests go to the team's"):
        send_test(edition, ["ada@example.com", "eve@example.com", "x@sub.example.org"], by=ada)

    assert sent() == {"ADA@example.com", "bob@example.com", "proof@agency.example", "anyone@example.org"}


@pytest.mark.parametrize("role", ["publisher", "administrator"])
def test_a_publisher_tests_to_anybody(edition: Edition, role: str) -> None:
    send_test(edition, ["stranger@example.net"], by=person(edition, "ada", role))
    assert sent() == {"stranger@example.net"}


def test_an_hour_has_a_number_of_tests_for_each_person(edition: Edition, settings: Any) -> None:
    settings.TEST_MAILS_PER_HOUR = 5
    ada, bob = person(edition, "ada", "publisher"), person(edition, "bob", "publisher")
    addresses = [f"reader{number}@example.com" for number in range(4)]

    send_test(edition, addresses, by=ada)
    with pytest.raises(CannotTestError, match="5 test mails in an hour, and 1 are left"):
        send_test(edition, addresses, by=ada)
    send_test(edition, addresses[:1], by=ada)
    send_test(edition, addresses, by=bob)
    send_test(edition, addresses, who="the command line")
    assert TransactionalMail.objects.count() == 13

    TransactionalMail.objects.filter(asked_by="ada").update(created_at="2020-01-01T00:00:00Z")
    send_test(edition, addresses, by=ada)


def test_what_a_publication_allows_is_checked(edition: Edition) -> None:
    from django.core.exceptions import ValidationError

    edition.publication.test_addresses = "a@example.com\n@example.org\nnobody"
    with pytest.raises(ValidationError, match="Line 3: 'nobody' is neither"):
        edition.publication.full_clean()
