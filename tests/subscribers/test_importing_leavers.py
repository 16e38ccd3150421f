"""Who left comes back by a file only if they agreed after they last said that they leave."""

from datetime import UTC, datetime, timedelta

import pytest

from composer.models import Publication
from subscribers.models import Consent, Subscriber, Subscription, Suppression
from subscribers.suppression import unsubscribe
from tests.subscribers.importing import Load, mailed

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = NOW - timedelta(days=900)
YESTERDAY = NOW - timedelta(days=1)


def leave(load: Load, at: datetime) -> None:
    """The only reader leaves, at a time that is over: a consent cannot be dated anew."""
    load(f"email,status,unsubscribed_at\nada@e.example,unsubscribed,{at.isoformat()}\n")


def agree_again(load: Load, written: str) -> set[str]:
    load(f"email,status,consent_at\nada@e.example,active,{written}\n")
    return mailed()


def iso(moment: datetime) -> str:
    return moment.isoformat()


def test_who_agreed_after_they_left_is_back(load: Load) -> None:
    leave(load, LONG_AGO)

    assert agree_again(load, iso(YESTERDAY)) == {"ada"}
    assert not Suppression.objects.exists()


def test_who_says_again_that_they_leave_has_left_then(load: Load, publication: Publication) -> None:
    """They signed up elsewhere, thought better of it, and pressed the link of an old mail."""
    leave(load, LONG_AGO)

    assert not unsubscribe(Subscriber.objects.get().pk, publication.pk, "page"), "it is not new"

    assert agree_again(load, iso(YESTERDAY)) == set()
    assert Suppression.objects.get().detail == "page"
    assert agree_again(load, iso(datetime.now(UTC))) == {"ada"}


def test_who_says_so_while_on_no_list_has_left_then(load: Load, publication: Publication) -> None:
    leave(load, LONG_AGO - timedelta(days=900))
    assert agree_again(load, iso(LONG_AGO)) == {"ada"}
    Subscription.objects.all().delete()
    assert unsubscribe(Subscriber.objects.get().pk, publication.pk, "page")
    assert Consent.objects.filter(kind="withdrawn").count() == 1

    assert agree_again(load, iso(YESTERDAY)) == set()


@pytest.mark.parametrize("again", ["", "2024-05-06T07:08:09Z"])
def test_a_file_that_says_so_again_is_as_late_as_it_says(load: Load, again: str) -> None:
    load("email,status,unsubscribed_at\nada@e.example,unsubscribed,2023-01-02T03:04:05Z\n")
    load(f"email,status,unsubscribed_at\nada@e.example,unsubscribed,{again}\n")

    said = again or "2023-01-02T03:04:05Z"
    assert Suppression.objects.get().created_at == datetime.fromisoformat(said)
    assert agree_again(load, "2024-01-01T00:00:00Z") == (set() if again else {"ada"})


@pytest.mark.parametrize(
    ("hours", "zone", "back"),
    [(2, "", set()), (13.9, "", set()), (14.1, "", {"ada"}), (2, "+00:00", {"ada"}), (2, " UTC", {"ada"})],
)
def test_a_date_without_a_zone_is_as_early_as_it_can_mean(load: Load, hours: float, zone: str, back: set[str]) -> None:
    """At 20:00 in Tokyo they signed up, at 22:00 they left, and the file says 20:00."""
    leave(load, YESTERDAY)

    written = (YESTERDAY + timedelta(hours=hours)).replace(tzinfo=None).isoformat(sep=" ")

    assert agree_again(load, written + zone) == back
    if back:
        assert Subscription.objects.get().subscribed_at == YESTERDAY + timedelta(hours=hours), "what was said is kept"


@pytest.mark.parametrize(("zone", "after"), [("", "denied"), ("Z", "granted")])
def test_a_yes_to_tracking_without_a_zone_likewise(load: Load, zone: str, after: str) -> None:
    load(f"email,tracking,tracking_at\nada@e.example,denied,{iso(YESTERDAY)}\n")

    written = (YESTERDAY + timedelta(hours=2)).replace(tzinfo=None).isoformat()
    load(f"email,tracking,tracking_at\nada@e.example,granted,{written}{zone}\n")

    assert Subscriber.objects.get().tracking == after
