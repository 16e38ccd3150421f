import hashlib
from pathlib import Path
from typing import Any

import pytest

from composer.models import Publication
from subscribers import preferences
from subscribers.models import Consent, LiftedSuppression, Subscription, Suppression
from subscribers.suppression import erased_address, suppress
from tasks.transactional.refused_addresses import refused_addresses
from tests.subscribers.commands import imported, refusal, run, run_json
from tests.subscribers.importing import Load, mailed

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def digest(name: str, address: str) -> str:
    return hashlib.new(name, address.encode()).hexdigest()


def rows() -> set[tuple[str, str, int | None]]:
    return set(Suppression.objects.values_list("address", "reason", "publication_id"))


def write(folder: Path, content: str) -> str:
    path = folder / "gone.csv"
    path.write_text(content)
    return str(path)


def test_addresses_domains_and_hashes_each_row_told(db: None, tmp_path: Path) -> None:
    md5 = digest("md5", "x@example.com")
    content = f"Ada@Example.com\n@spam.example\n*@two.example\n{md5.upper()}\nada@example.com\nnobody\nthree.example\n"

    code, said = imported("import_suppressions", write(tmp_path, content), "--reason", "manual", "--json")

    assert (code, said) == (
        3,
        {
            "rows": 7,
            "added": 5,
            "known": 1,
            "readers": 0,
            "rejected": [{"line": 6, "reason": "'nobody' is no address, no domain and no hash"}],
        },
    )
    assert rows() == {
        (address, "manual", None)
        for address in ("ada@example.com", "@spam.example", "@two.example", "@three.example", f"md5:{md5}")
    }
    assert imported("import_suppressions", write(tmp_path, "nobody\n"), "--reason", "manual")[0] == 2
    assert imported("import_suppressions", write(tmp_path, "ada@example.com\n"), "--reason", "manual")[0] == 0


@pytest.mark.parametrize(
    "content",
    ["email,created,reason\nada@example.com,2020-01-01,550 b@example.com\n", "2020-01-01;ada@example.com;Mr.Smith\n",
     "created\temail\n2020-01-01\tada@example.com\n"],
)  # fmt: skip
def test_files_of_other_services(db: None, tmp_path: Path, content: str) -> None:
    assert (
        imported("import_suppressions", write(tmp_path, content), "--reason", "hard_bounce", "--json")[1]["added"] == 1
    )
    assert rows() == {("ada@example.com", "hard_bounce", None)}


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("first", ["reader", "hash"])
def test_a_hash_is_honoured_whichever_comes_first(load: Load, tmp_path: Path, name: str, first: str) -> None:
    words = ("--reason", "unsubscribed", "--publication", "weekly")
    file = write(tmp_path, f"{name}\n{digest(name, 'no@example.com')}\n")
    people = "email\nNo@example.com\nyes@example.com\n"
    if first == "reader":
        load(people)
    code, said = imported("import_suppressions", file, *words, "--json")
    if first == "hash":
        load(people)

    assert (code, said["added"], said["readers"]) == (0, 1, 1 if first == "reader" else 0)
    assert mailed() == {"yes"}
    assert Subscription.objects.get(subscriber__email="No@example.com").status == "unsubscribed"
    assert refused_addresses(["no@example.com"]) == {}
    # A reader who comes back by their own page is not lost to the hash again.
    on = Subscription.objects.get(subscriber__email="No@example.com")
    preferences.choose(on.subscriber_id, on.list.publication_id, {on.list_id}, source="preferences page")
    load("email\nno@example.com\n")
    assert mailed() == {"yes", "No"}


def test_single_mails_honour_hashes_and_domains(db: None) -> None:
    run("suppress", digest("sha1", "ada@example.com"), "--reason", "hard_bounce")
    run("suppress", "@spam.example", "--reason", "complaint")

    refused = refused_addresses(["Ada@example.com", "x@spam.example", "y@spam.example", "bob@example.com"])

    assert set(refused) == {"Ada@example.com", "x@spam.example", "y@spam.example"}


def test_a_suppressed_domain_is_mailed_no_more(load: Load) -> None:
    load("email\nx@spam.example\ny@SPAM.example\nz@notspam.example\n")

    assert run_json("suppress", "@Spam.Example", "--reason", "manual")["added"]
    assert not run_json("suppress", "@spam.example", "--reason", "manual")["added"]

    assert mailed() == {"z"}
    reader = run_json("reader", "x@spam.example")
    assert (reader["mailable"], [row["reason"] for row in reader["suppressions"]]) == ({"weekly": False}, ["manual"])


def test_an_unsubscribe_closes_the_lists_with_proof(
    publication: Publication, make_list: Any, make_subscriber: Any
) -> None:
    make_subscriber(lists={make_list(): "active"})
    assert "say which with --publication" in refusal("suppress", "ada@example.com", "--reason", "unsubscribed")

    run("suppress", "Ada@example.com", "--reason", "unsubscribed", "--publication", "weekly", "--detail", "by phone")

    assert Subscription.objects.get().status == "unsubscribed"
    assert Consent.objects.values_list("kind", "source").get() == ("withdrawn", "by phone")


def test_lifting_keeps_why_and_no_address(publication: Publication) -> None:
    suppress("ada@example.com", "hard_bounce")
    suppress("ada@example.com", "manual", publication_id=publication.pk)
    why = ("--why", "the mailbox is back")

    assert run_json("unsuppress", "Ada@example.com", *why, "--publication", "weekly")["lifted"] == ["manual"]
    assert run_json("unsuppress", "ada@example.com", *why)["lifted"] == ["hard_bounce"]

    assert not Suppression.objects.exists()
    kept = LiftedSuppression.objects.order_by("pk").values_list("address", "reason", "publication_id", "why")
    assert list(kept) == [
        (erased_address("ada@example.com"), "manual", publication.pk, why[1]),
        (erased_address("ada@example.com"), "hard_bounce", None, why[1]),
    ]


@pytest.mark.parametrize("reason", ["complaint", "erased"])
def test_what_a_reader_told_us_is_not_lifted_lightly(db: None, reason: str) -> None:
    suppress("ada@example.com", reason)

    assert "--really" in refusal("unsuppress", "ada@example.com", "--why", "x")
    assert Suppression.objects.count() == 1
    assert run_json("unsuppress", "ada@example.com", "--why", "x", "--really")["lifted"] == [reason]


def test_nothing_to_lift_says_where_it_lies(db: None) -> None:
    suppress("@spam.example", "manual")

    assert "is not suppressed; its whole domain is" in refusal("unsuppress", "x@spam.example", "--why", "x")
    assert run_json("unsuppress", "@spam.example", "--why", "x")["lifted"] == ["manual"]
    assert "is not suppressed" in refusal("unsuppress", "x@spam.example", "--why", "x")
    assert "--why" in refusal("unsuppress", "x@spam.example", "--why", " ")
    assert "is no address" in refusal("suppress", "nobody", "--reason", "manual")
