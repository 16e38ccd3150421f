"""The demo's readers: the same every time, some of them difficult in each way a reader can be."""

import csv
from collections.abc import Iterator
from pathlib import Path

from composer.models import Publication
from subscribers.importing import ImportReport, import_csv
from subscribers.models import Segment, Subscriber
from subscribers.suppression import SuppressionRequest, suppress_many, unsubscribe_many

LIST = "readers"
#: The first word of an address tells the local SendGrid what to do with it; how many of a hundred readers have it.
DIFFICULT = ("bounce", "bounce", "spam", "unsub", "unsub", "block", "defer", "late", "scanner", "machine")
LIVELY = ("click", "click", "click", "click", "click", "open", "open", "open", "open", "open", "open", "open")
COUNTRIES = ("SG", "MY", "ID", "GB", "US", "DE", "JP", "PH")
NAMES = ("Ada", "Bo", "Chen", "Dewi", "Emil", "Farah", "Gita", "Hana", "Ivan", "Jun", "Zoë", "Łukasz", "Siân", "Nuñez")
ZONES = {"SG": "Asia/Singapore", "MY": "Asia/Kuala_Lumpur", "GB": "Europe/London", "US": "America/New_York"}

SEGMENTS = {
    "asia": ("Readers in Asia", {"field": "attributes.country", "op": "in", "value": ["SG", "MY", "ID", "JP", "PH"]}),
    "members": ("Members", {"field": "tags", "op": "has_any", "value": ["member"]}),
    "far-away": (
        "Neither in Asia nor a member",
        {
            "not": {
                "any": [
                    {"field": "attributes.country", "op": "in", "value": ["SG", "MY", "ID", "JP", "PH"]},
                    {"field": "tags", "op": "has_any", "value": ["member"]},
                ]
            }
        },
    ),
}


def enlist(publication: Publication, number: int, folder: Path) -> ImportReport:
    """Import `number` readers from a CSV file written into `folder`, then let some of them be gone already."""
    path = folder / "readers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name", "language", "timezone", "tags", "country", "age"])
        writer.writerows(_rows(number))
    report = import_csv(path, publication_id=publication.pk, list_slug=LIST)
    _leave(publication)
    for slug, (name, rule) in SEGMENTS.items():
        Segment.objects.get_or_create(publication=publication, slug=slug, defaults={"name": name, "rule": rule})
    return report


def _rows(number: int) -> Iterator[list[str]]:
    for at in range(number):
        kinds = (*DIFFICULT, *LIVELY)
        place = at * 37 % 100
        prefix = f"{kinds[place]}+" if place < len(kinds) else ""
        country = COUNTRIES[at % len(COUNTRIES)]
        tags = "member" if at % 9 == 0 else ""
        name = f"{NAMES[at % len(NAMES)]} {NAMES[at // 7 % len(NAMES)]}"
        yield [f"{prefix}reader{at}@example.com", name, "en", ZONES.get(country, ""), tags, country, str(18 + at % 60)]


def _leave(publication: Publication) -> None:
    """One reader in fifty has unsubscribed long ago, and one in a hundred must not be mailed."""
    numbered = Subscriber.objects.filter(subscriptions__list__publication=publication).order_by("pk")
    leavers = list(numbered.values_list("pk", flat=True)[7::50])
    unsubscribe_many(((reader, publication.pk) for reader in leavers), "demo")
    barred = list(numbered.values_list("email", flat=True)[13::100])
    suppress_many(
        SuppressionRequest(address=email, reason="manual" if at % 2 else "hard_bounce", detail="demo")
        for at, email in enumerate(barred)
    )
