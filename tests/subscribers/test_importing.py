import codecs
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from composer.models import Publication
from newsdesk.core.errors import InputError
from subscribers.importing import ImportReport, import_csv, subscriptions
from subscribers.models import Consent, List, Subscriber, Subscription, Suppression
from subscribers.suppression import suppress, unsubscribe
from tests.waiting import LONG

pytestmark = pytest.mark.django_db
Load = Callable[..., ImportReport]


@pytest.fixture
def load(publication: Publication) -> Load:
    def run(content: str | bytes, *, to: str = "readers") -> ImportReport:
        file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
        file.name = "people.csv"
        report = import_csv(file, publication_id=publication.pk, list_slug=to)
        assert report.rows == report.created + report.updated + report.unchanged + len(report.rejected)
        return report

    return run


def figures(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, len(report.rejected)


def test_it_makes_active_subscribers_with_proof_of_consent(load: Load, publication: Publication) -> None:
    report = load(
        "email,name,language,timezone,tags,country,post code\n"
        'Ada@Example.com,Ada Lovelace,en_gb,Europe/London,"vip; maths|vip",SG,049145\n'
    )

    assert figures(report) == (1, 0, 0, 0)
    ada = Subscriber.objects.get()
    assert (ada.email, ada.name, ada.language, ada.timezone) == (
        "Ada@example.com",
        "Ada Lovelace",
        "en-GB",
        "Europe/London",
    )
    assert ada.tags == ["vip", "maths"]
    assert ada.attributes == {"country": "SG", "post code": "049145"}
    assert Subscription.objects.get().status == "active"
    assert List.objects.get() == List.objects.get(publication=publication, slug="readers", name="Readers")
    assert Consent.objects.values_list("kind", "source").get() == ("given", "import people.csv")


def test_the_same_file_twice_changes_nothing(load: Load) -> None:
    content = "email,name,tags,country\nada@example.com,Ada,vip,SG\nbob@example.com,,,\n"
    load(content)

    assert figures(load(content)) == (0, 0, 2, 0)
    assert figures(load(content.replace("ada@", "ADA@"))) == (0, 0, 2, 0)
    assert Consent.objects.count() == 2


def test_filled_cells_replace_empty_cells_keep_and_tags_are_added(load: Load) -> None:
    load("email,name,language,tags,country,city\nada@example.com,Ada,en,vip,SG,Singapore\n")

    report = load('email,name,language,tags,country,city\nada@example.com,,zh-hans,"vip,new",MY,\n')

    assert figures(report) == (0, 1, 0, 0)
    ada = Subscriber.objects.get()
    assert (ada.name, ada.language, ada.tags) == ("Ada", "zh-Hans", ["vip", "new"])
    assert ada.attributes == {"country": "MY", "city": "Singapore"}


def test_a_known_reader_new_on_a_list_counts_as_updated(load: Load) -> None:
    load("email\nada@example.com\n", to="one")

    assert figures(load("email\nada@example.com\n", to="two")) == (0, 1, 0, 0)


def test_a_pending_subscription_stays_so(load: Load, make_list: Any, make_subscriber: Any) -> None:
    make_subscriber("ada@example.com", lists={make_list("readers"): "pending"})

    assert figures(load("email\nada@example.com\n")) == (0, 0, 1, 0)
    assert Subscription.objects.get().status == "pending"
    assert not Consent.objects.exists()


def test_it_never_brings_back_who_unsubscribed(load: Load, publication: Publication) -> None:
    load("email,name\nada@example.com,Ada\n")
    unsubscribe(Subscriber.objects.get().pk, publication.pk, "one-click")

    assert figures(load("email,name\nada@example.com,Ada\n")) == (0, 0, 1, 0)
    assert figures(load("email,name\nada@example.com,Ada L\n")) == (0, 1, 0, 0)
    assert figures(load("email,name\nada@example.com,Ada L\n", to="another")) == (0, 0, 1, 0)
    assert set(Subscription.objects.values_list("status", flat=True)) == {"unsubscribed"}
    assert Consent.objects.filter(kind="given").count() == 1


def test_an_unsubscribe_from_another_publication_does_not_matter(load: Load, other_publication: Publication) -> None:
    suppress("ada@example.com", "unsubscribed", publication_id=other_publication.pk)

    load("email\nada@example.com\n")

    assert Subscription.objects.get().status == "active"


def test_an_erased_reader_is_refused(load: Load) -> None:
    suppress("Ada@example.com", "erased")
    assert Suppression.objects.get().address.startswith("hmac:")

    report = load("email\nbob@example.com\nADA@example.com\n")

    assert report.rejected == ((3, "this reader asked to be erased"),)
    assert [reader.email for reader in Subscriber.objects.all()] == ["bob@example.com"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ada,,,,", "'ada' is not an address"),
        ("ada@localhost,,,,", "'ada@localhost' is not an address"),
        ("ada@@example.com,,,,", "'ada@@example.com' is not an address"),
        ("a..b@example.com,,,,", "'a..b@example.com' is not an address"),
        ("Ada <ada@example.com> Lovelace,,,,", "'Ada <ada@example.com> Lovelace' is not an address"),
        (f"{'a' * 65}@example.com,,,,", "longer than an address can be"),
        ("ada@1.2.3.4,,,,", "is not an address"),
        ("dörte@example.com,,,,", "letters outside ASCII before the @"),
        ("ada@exa mple.é,,,,", "is not an address"),
        (",Ada,,,", "no address"),
        ('ada@example.com,"A\nB",,,', "the name holds a line break"),
        ("ada@example.com,A\x07B,,,", "the name holds a line break or another control character"),
        ("ada@example.com,A\x00B,,,", "a NUL character"),
        (f"ada@example.com,{'A' * 201},,,", "more than 200 characters"),
        ('ada@example.com,"Ada" L,,,', "a quoted cell is followed by more text"),
        (f"ada@example.com,,,,{'x' * 101}", "longer than 100 characters"),
    ],
)
def test_a_bad_row_is_refused_by_line_and_the_rest_arrives(load: Load, row: str, reason: str) -> None:
    report = load(f"email,name,language,timezone,tags\nbob@example.com,,,,\n{row}\neve@example.com,,,,\n")

    assert figures(report) == (2, 0, 0, 1)
    assert report.rejected[0].line == 3
    assert reason in report.rejected[0].reason


def test_a_later_row_with_the_same_address_names_the_first(load: Load) -> None:
    report = load("email,name\nada@example.com,Ada\nbob@example.com,\nADA@EXAMPLE.COM,Other\n")

    assert report.rejected == ((4, "the same address as on line 2"),)
    assert Subscriber.objects.get(email="ada@example.com").name == "Ada"


def test_domains_are_stored_as_the_network_spells_them(load: Load) -> None:
    load("email\nada@Bücher.example\n")

    assert Subscriber.objects.get().email == "ada@xn--bcher-kva.example"


def test_any_tag_and_any_attribute_arrives_as_it_is(load: Load) -> None:
    load('email,tags,note\nada@example.com,"""q""; back\\slash; {x}; NULL; été","a\tb\\N\\.\n""c"""\n')

    ada = Subscriber.objects.get()
    assert ada.tags == ['"q"', "back\\slash", "{x}", "NULL", "été"]
    assert ada.attributes == {"note": 'a\tb\\N\\.\n"c"'}


def test_lines_are_counted_as_an_editor_counts_them(load: Load) -> None:
    report = load('\nemail,note\n\n \nada@example.com,"two\nlines"\n,,\n\nbad,x\n"x@\n",y\n')

    assert [line for line, _ in report.rejected] == [9, 10]
    assert Subscriber.objects.get().attributes == {"note": "two\nlines"}


def test_what_looks_like_an_escape_is_text_and_a_nul_is_left_out(load: Load) -> None:
    load('email,note,attributes\nada@example.com,a\\u0000b\\,"{""c"": ""d\\u0000e"", ""f"": ""g\\\\u0000""}"\n')

    assert Subscriber.objects.get().attributes == {"note": "a\\u0000b\\", "c": "de", "f": "g\\u0000"}


def test_a_quote_that_is_never_closed_costs_one_row(load: Load) -> None:
    people = "".join(f"r{number}@example.com,Reader\n" for number in range(300))
    report = load(f'email,name\nada@example.com,"Ada\n{people}')

    assert figures(report) == (300, 0, 0, 1)
    assert report.rejected == ((2, "a quote is opened and never closed"),)


@pytest.mark.parametrize(
    "content",
    [
        "email,name\nada@example.com,Zoë\n".encode(),
        codecs.BOM_UTF8 + "email,name\nada@example.com,Zoë\n".encode(),
        "email,name\nada@example.com,Zoë\n".encode("utf-16"),
        "email,name\nada@example.com,Zoë\n".encode("utf-16-be"),
        "email,name\nada@example.com,Zoë\n".encode("utf-16-le"),
        "email,name\nada@example.com,Zoë\n".encode("cp1252"),
        "email;name\r\nada@example.com;Zoë\r\n".encode(),
        "email\tname\rada@example.com\tZoë\r".encode(),
        "sep=;\nemail;name\nada@example.com;Zoë\n".encode(),
        'E-Mail,"NAME"\n"ada@example.com"," Zoë "'.encode(),
        "name,email,,\nZoë,ada@example.com,,\n,,,\n".encode(),
    ],
)
def test_it_reads_what_spreadsheets_write(load: Load, content: bytes) -> None:
    assert figures(load(content)) == (1, 0, 0, 0)
    assert Subscriber.objects.values_list("email", "name").get() == ("ada@example.com", "Zoë")


def test_a_broken_line_in_a_utf8_file_is_refused_alone(load: Load) -> None:
    report = load("email,name\nada@example.com,Zoë\nbob@example.com,".encode() + b"Zo\xeb\n")

    assert report.rejected == ((3, "bytes that are not the file's encoding; save it as UTF-8"),)
    assert Subscriber.objects.get().name == "Zoë"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("mail,Name\na@example.com,A\n", "people.csv: line 1: no column named email; the columns are: mail, Name."),
        ("email,ci\x00ty\n", "the heading of column 2 cannot be read"),
        ('email,"city\n', "line 1: a quote is opened and never closed"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole(load: Load, content: str, message: str) -> None:
    with pytest.raises(InputError, match=r"people\.csv") as refusal:
        load(content)

    assert message in str(refusal.value)
    assert not List.objects.exists()


def test_a_missing_file_is_named(publication: Publication, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: cannot be read: No such file"):
        import_csv(tmp_path / "nowhere.csv", publication_id=publication.pk, list_slug="readers")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        import_csv(tmp_path, publication_id=publication.pk, list_slug="readers")


def test_a_list_name_is_checked(load: Load) -> None:
    with pytest.raises(InputError, match="list 'no spaces'"):
        load("email\nada@example.com\n", to="no spaces")


def test_a_pipe_can_be_read(publication: Publication, tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    report = import_csv(Pipe(b"email\nada@example.com\n"), publication_id=publication.pk, list_slug="readers")

    assert report.created == 1


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_create_everyone_once(publication: Publication, tmp_path: Path) -> None:
    people = [f"r{number}@example.com" for number in range(500)]
    reports: list[ImportReport] = []

    def job(name: str, rows: list[str]) -> None:
        file = tmp_path / name
        file.write_text("\n".join(["email", *rows]))
        try:
            reports.append(import_csv(file, publication_id=publication.pk, list_slug="readers"))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=job, args=("up.csv", people[:400])),
        threading.Thread(target=job, args=("down.csv", people[:99:-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)

    assert sorted(figures(report) for report in reports) == [(100, 0, 300, 0), (400, 0, 0, 0)]
    assert Subscriber.objects.count() == Subscription.objects.count() == Consent.objects.count() == 500


def test_a_failure_leaves_nothing_behind(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_SUBSCRIBE", "SELECT 1 / 0")

    with pytest.raises(DataError), transaction.atomic():
        load("email\nada@example.com\n")

    assert not Subscriber.objects.exists()
    assert not List.objects.exists()


def test_two_imports_in_one_transaction(load: Load) -> None:
    with transaction.atomic():
        assert figures(load("email\nada@example.com\n")) == (1, 0, 0, 0)
        assert figures(load("email\nbob@example.com\n")) == (1, 0, 0, 0)
