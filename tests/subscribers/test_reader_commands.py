from typing import Any

import pytest

from composer.models import Publication
from subscribers.models import Consent, Subscriber, Subscription, Suppression
from subscribers.suppression import suppress
from tasks.preparation import preparing
from tests import factories
from tests.subscribers.commands import refusal, run, run_json

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_everything_about_a_reader_key_for_key(other_publication: Publication) -> None:
    send = factories.make_send()
    readers, publication = send.lists.get(), send.edition.publication
    ada = factories.make_subscriber(readers, email="Ada@Example.com", name="Ada", tags=["vip"], attributes={"age": 33})
    given = Consent.objects.create(subscriber=ada, list=readers, kind="given", source="form", wording="I agree")
    prepared = preparing.prepare(send.pk)
    assert prepared
    suppress("ada@example.com", "manual", publication_id=publication.pk, detail="asked by phone")
    kept, on = Suppression.objects.get(), Subscription.objects.get()

    said = run_json("reader", "ada@example.COM")

    (edition,) = said.pop("editions")
    assert edition.pop("at")
    assert edition == {"send": send.pk, "edition": send.edition_id, "outcome": "pending"}
    assert said == {
        "email": "Ada@Example.com",
        "name": "Ada",
        "language": "",
        "timezone": "",
        "tags": ["vip"],
        "attributes": {"age": 33},
        "tracking": "unknown",
        "subscriptions": [
            {
                "publication": publication.slug,
                "list": "readers",
                "status": "active",
                "since": on.subscribed_at.isoformat(),
            }
        ],
        "suppressions": [
            {
                "publication": publication.slug,
                "reason": "manual",
                "detail": "asked by phone",
                "at": kept.created_at.isoformat(),
            }
        ],
        "consents": [
            {"kind": "given", "list": "readers", "source": "form", "wording": "I agree", "at": given.at.isoformat()}
        ],
        "mailable": {publication.slug: False},
    }
    text = run("reader", "ada@example.com")
    assert "suppressed for" in text
    assert "is not mailed" in text


def test_mailable_is_decided_for_each_publication(
    publication: Publication, other_publication: Publication, make_list: Any, make_subscriber: Any
) -> None:
    one, two = make_list(), make_list(publication=other_publication)
    make_subscriber(lists={one: "active", two: "pending"})

    assert run_json("reader", "ada@example.com")["mailable"] == {"weekly": True, "other": False}


def test_who_was_excluded_has_that_outcome() -> None:
    send = factories.make_send()
    factories.make_subscriber(send.lists.get(), email="ada@example.com", status="pending")
    factories.make_subscriber(send.lists.get())
    preparing.prepare(send.pk)

    assert [row["outcome"] for row in run_json("reader", "ada@example.com")["editions"]] == ["excluded"]


def test_nobody_of_that_address(db: None) -> None:
    suppress("gone@example.com", "complaint")

    assert "there is no reader ada@example.com" in refusal("reader", "ada@example.com")
    assert "it is suppressed: complaint" in refusal("reader", "gone@example.com")


def test_what_is_named_is_changed_and_the_rest_stays(make_subscriber: Any) -> None:
    make_subscriber(name="Ada", tags=["old", "stays"], attributes={"city": "Oslo", "age": 33}, language="en")

    words = "--language Portuguese --timezone SGT --tag new --untag old --attribute city=Rome --unset age"
    said = run_json("set_reader", "ADA@example.com", *words.split())

    assert (said["name"], said["language"], said["timezone"]) == ("Ada", "pt", "Asia/Singapore")
    assert (said["tags"], said["attributes"]) == (["stays", "new"], {"city": "Rome"})
    assert run_json("set_reader", "ada@example.com", "--name", "", "--language", "")["language"] == ""
    assert Subscriber.objects.get().name == ""


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (("--language", "Klingonish words", "--timezone", "Mars"), ["--language: ", "--timezone: 'Mars'"]),
        (("--name", "x" * 201), ["--name: "]),
        (("--name", "a\nb"), ["--name: "]),
        (("--tag", "x" * 101), ["--tag: "]),
        (("--tag", ""), ["--tag: "]),
        (("--untag", "none"), ["--untag: the reader has no tag 'none'"]),
        (("--unset", "none"), ["--unset: the reader has no attribute 'none'"]),
        (("--attribute", "none"), ["--attribute: 'none' is not NAME=VALUE"]),
        ((), ["nothing to change"]),
    ],
)
def test_a_wrong_value_names_its_option(make_subscriber: Any, words: tuple[str, ...], messages: list[str]) -> None:
    make_subscriber()
    before = Subscriber.objects.values().get()

    line = (
        refusal("set_reader", "ada@example.com", *words, "--tag", "fine")
        if words
        else refusal("set_reader", "ada@example.com")
    )

    assert all(message in line for message in messages), line
    assert Subscriber.objects.values().get() == before


def test_off_one_list_and_then_off_all(publication: Publication, make_list: Any, make_subscriber: Any) -> None:
    one, two = make_list("one"), make_list("two")
    ada = make_subscriber(lists={one: "active", two: "active"})
    Consent.objects.create(subscriber=ada, list=one, kind="given", source="form")
    command = ("remove_reader", "ada@example.com", "--publication", "weekly")

    said = run_json(*command, "--list", "one", "--why", "by phone")
    assert said == {"email": "ada@example.com", "removed": True, "consents": "withdrawn"}
    assert dict(Subscription.objects.values_list("list__slug", "status")) == {"one": "unsubscribed", "two": "active"}
    assert list(Consent.objects.order_by("pk").values_list("kind", "source")) == [
        ("given", "form"),
        ("withdrawn", "remove-reader: by phone"),
    ]
    assert not Suppression.objects.exists()
    assert "nothing is changed" in run(*command, "--list", "one")

    assert "their consents stay as proof" in run(*command)
    assert Suppression.objects.get().reason == "unsubscribed"
    assert not run_json(*command)["removed"]
