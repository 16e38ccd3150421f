"""What `import-stories` was told to take in: a digest, a table, a web page or a feed, read but not stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsdesk.core.errors import InputError
from newsdesk.management import editorial

if TYPE_CHECKING:
    from composer.articles.article import Article
    from composer.digest import Digest
    from composer.intake import Intake
    from composer.models import Publication
    from composer.models.story import Story

TABLES = {".csv": False, ".tsv": False, ".json": True}


@dataclass(frozen=True, kw_only=True)
class Incoming:
    source: str
    #: “page”, “feed”, “csv” or “json”; a digest's report names its own.
    form: str = ""
    digest: "Digest | None" = None
    articles: "Sequence[Article]" = ()
    #: What of it no story takes over.
    unknown: tuple[str, ...] = ()

    def store(self, publication: "Publication") -> "Intake":
        """Must run in a transaction."""
        from composer.intake import import_articles, import_digest

        if self.digest is not None:
            return import_digest(publication, self.digest)
        return import_articles(publication, self.articles, self._origin())

    def _origin(self) -> "Story.Origin":
        from composer.models import Story

        return {"page": Story.Origin.URL, "feed": Story.Origin.FEED}.get(self.form, Story.Origin.FILE)

    def report(self) -> dict[str, Any]:
        """As JSON: a digest's own report, or the same keys for what has no lines."""
        if self.digest is not None:
            return self.digest.report.as_json()
        dropped = [{"line": 1, "text": column, "reason": "no column of a story"} for column in self.unknown]
        return {
            "format": self.form,
            "encoding": "utf-8",
            "language": "",
            "direction": "",
            "stories": len(self.articles),
            "sections": 0,
            "dropped": dropped,
            "doubts": [],
        }

    def remarks(self) -> list[str]:
        """What people should know of it, as lines."""
        columns = f"left out: columns that no story has: {', '.join(self.unknown)}" if self.unknown else ""
        doubts = editorial.as_text(editorial.doubts(self.digest))
        return [*editorial.dropped_lines(self.digest), *doubts, *filter(None, [columns])]


def read(source: str, *, encoding: str = "") -> Incoming:
    """Read a file, or fetch an address. Raises InputError with the file and line, or the address and the reason."""
    if source.lower().startswith(("http://", "https://")):
        from tasks.http.guard import Guard
        from tasks.sources.addresses import fetched

        articles, form = fetched(source, Guard())
        return Incoming(source=source, form=form, articles=articles)
    suffix = Path(source).suffix.lower()
    if suffix in TABLES:
        return _table(source, is_json=TABLES[suffix], encoding=encoding)
    return Incoming(source=source, digest=editorial.read_digest(source, encoding=encoding))


def _table(source: str, *, is_json: bool, encoding: str) -> Incoming:
    from composer.articles.table import read_table

    try:
        table = read_table(Path(source).read_bytes(), is_json=is_json, encoding=encoding)
    except OSError as error:
        raise InputError(f"{source}: {error.strerror or error}") from error
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    form = "json" if is_json else "csv"
    return Incoming(source=source, form=form, articles=table.articles, unknown=table.unknown)


def give_pictures(incoming: Incoming, intake: "Intake") -> list[str]:
    """Fetch the pictures of articles for stories that have none; what did not work, as lines."""
    from tasks.http.guard import Guard
    from tasks.sources import pictures

    return pictures.give_pictures(intake.stories, incoming.articles, Guard()) if incoming.articles else []
