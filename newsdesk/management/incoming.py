"""What `import-stories` was told to take in: a digest, a table, a web page or a feed, read but not stored."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsdesk.core.errors import InputError
from newsdesk.management import editorial

if TYPE_CHECKING:
    from composer.articles.article import Collection
    from composer.digest import Digest
    from composer.intake import Intake
    from composer.models import Publication

TABLES = {".csv": False, ".tsv": False, ".json": True}


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """Either a digest or a collection."""

    source: str
    digest: "Digest | None" = None
    collection: "Collection | None" = None

    def store(self, publication: "Publication") -> "Intake":
        """Must run in a transaction."""
        from composer.intake import take_in

        found = self.digest or self.collection
        assert found is not None
        return take_in(publication, found)

    def report(self) -> dict[str, Any]:
        """As JSON: a digest's own report, or the same keys for what has no lines."""
        if self.digest is not None:
            return self.digest.report.as_json()
        assert self.collection is not None
        return _report(self.collection)

    def remarks(self) -> list[str]:
        """What people should know of it, as lines."""
        unknown = self.collection.unknown if self.collection else ()
        columns = f"left out: columns that no story has: {', '.join(unknown)}" if unknown else ""
        doubts = editorial.as_text(editorial.doubts(self.digest))
        return [*editorial.dropped_lines(self.digest), *doubts, *filter(None, [columns])]


def read(source: str, *, encoding: str = "") -> Incoming:
    """Read a file, or fetch an address. Raises InputError with the file and line, or the address and the reason."""
    if source.lower().startswith(("http://", "https://")):
        from tasks.http.guard import Guard
        from tasks.sources.addresses import fetched

        return Incoming(source=source, collection=fetched(source, Guard()))
    suffix = Path(source).suffix.lower()
    if suffix in TABLES:
        return _table(source, is_json=TABLES[suffix], encoding=encoding)
    return Incoming(source=source, digest=editorial.read_digest(source, encoding=encoding))


def _table(source: str, *, is_json: bool, encoding: str) -> Incoming:
    from composer.articles.table import read_table

    try:
        return Incoming(
            source=source, collection=read_table(Path(source).read_bytes(), is_json=is_json, encoding=encoding)
        )
    except OSError as error:
        raise InputError(f"{source}: {error.strerror or error}") from error
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


def _report(collection: "Collection") -> dict[str, Any]:
    from composer.reading.languages import direction_of, language_of

    text = "\n".join(f"{article.headline}\n{article.lede}\n{article.text}" for article in collection.articles)
    return {
        "format": collection.form,
        "encoding": collection.encoding,
        "language": language_of(text),
        "direction": direction_of(text),
        "stories": len(collection.articles),
        "sections": 0,
        "dropped": [{"line": 1, "text": column, "reason": "no column of a story"} for column in collection.unknown],
        "doubts": [],
    }


def give_pictures(incoming: Incoming, intake: "Intake") -> list[str]:
    """Fetch the pictures of articles for stories that have none; what did not work, as lines."""
    from tasks.http.guard import Guard
    from tasks.sources import pictures

    if incoming.collection is None:
        return []
    return pictures.give_pictures(intake.stories, incoming.collection.articles, Guard())
