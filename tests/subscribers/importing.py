"""What the tests of importing share: a file from its content, and whom a send would then reach."""

import io
from collections.abc import Callable
from typing import Any

from django.db import connection

from composer.models import Publication
from subscribers.audience import audience
from subscribers.importing import Choices, ImportReport, import_csv
from subscribers.models import List, Subscriber

Load = Callable[..., ImportReport]


def loader(publication: Publication) -> Load:
    """Imports content as a file, and checks that the report adds up."""

    def load(content: str | bytes, name: str = "people.csv", *, encoding: str = "", **choices: Any) -> ImportReport:
        file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
        file.name = name
        report = import_csv(
            file, publication_id=publication.pk, list_slug="readers", encoding=encoding, choices=Choices(**choices)
        )
        assert report.rows == report.created + report.updated + report.unchanged + len(report.rejected)
        assert sum(report.statuses.values()) == report.rows - len(report.rejected)
        return report

    return load


def mailed() -> set[str]:
    """The local parts of those a send would reach."""
    found = List.objects.get()
    query = audience([found.pk], publication_id=found.publication_id)
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)
        ids = [reader for reader, reason in cursor.fetchall() if reason is None]
    return {address.split("@")[0] for address in Subscriber.objects.filter(pk__in=ids).values_list("email", flat=True)}
