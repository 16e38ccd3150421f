import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from composer.models import Publication
from newsdesk.core.errors import InputError
from subscribers.importing import ImportReport, import_csv
from subscribers.models import Consent, Subscriber

pytestmark = pytest.mark.django_db


def workbook() -> Workbook:
    book = Workbook()
    first = book.active
    first.title = "Readers"
    first.append(["Email", "Name", "Born", "Confirmed at", "Age", "Score"])
    first.append(["ada@example.com", "Ada Ünï", date(1990, 5, 1), datetime(2019, 3, 14, 9, 12), 33, 1.5])
    first.append([])
    first.append(["bob@example.com", "Bob"])
    first.append(["nobody"])
    book.create_sheet("More").append(["email"])
    book["More"].append(["eve@example.com"])
    return book


def load(publication: Publication, content: bytes, **options: Any) -> ImportReport:
    file = io.BytesIO(content)
    file.name = "people.xlsx"
    return import_csv(file, publication_id=publication.pk, list_slug="readers", **options)


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_the_first_sheet_is_read_like_a_file(publication: Publication) -> None:
    refused: list[Any] = []

    report = load(publication, saved(workbook()), refused=refused.append)

    assert (report.encoding, report.created, report.warnings) == ("xlsx", 2, ())
    assert [(one.line, one.reason) for one in report.rejected] == [(5, "'nobody' is not an address")]
    assert refused[1][3] == "nobody"
    ada = Subscriber.objects.get(email="ada@example.com")
    assert (ada.name, ada.attributes) == ("Ada Ünï", {"Born": "1990-05-01", "Age": "33", "Score": "1.5"})
    assert Consent.objects.get(subscriber=ada).at.isoformat() == "2019-03-14T09:12:00+00:00"


def test_a_sheet_is_chosen_by_name(publication: Publication) -> None:
    assert load(publication, saved(workbook()), sheet="More").created == 1
    with pytest.raises(InputError, match="there is no 'Nowhere'; there are: Readers, More"):
        load(publication, saved(workbook()), sheet="Nowhere")
    with pytest.raises(InputError, match="no Excel workbook"):
        load(publication, b"email\na@example.com\n", sheet="More")


def test_what_only_looks_like_a_workbook_is_refused(publication: Publication) -> None:
    content = saved(workbook())
    for broken in (content[:200], b"PK\x03\x04" + b"x" * 100):
        with pytest.raises(InputError, match="no Excel workbook that can be read"):
            load(publication, broken)


def test_an_archive_of_a_services_files_is_to_be_unpacked(publication: Publication) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("unsubscribed_members_export_a1b2c3.csv", "Email Address\nno@e.example\n")
    with pytest.raises(InputError, match="unpack it and import each file in it"):
        load(publication, content.getvalue())
