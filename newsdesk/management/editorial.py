"""What the commands about stories and editions share: looking things up, and saying what is wrong in one line."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from newsdesk.core.errors import InputError

if TYPE_CHECKING:
    from composer.checks import Problem
    from composer.digest import Digest
    from composer.models import Edition, Publication
    from subscribers.models import List, Segment


def publication_named(slug: str) -> "Publication":
    """Raises InputError with the slugs there are."""
    from composer.models import Publication

    publication = Publication.objects.filter(slug=slug).first()
    if publication is None:
        others = ", ".join(Publication.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise InputError(f"--publication: there is no {slug!r}; there are: {others}")
    return publication


def edition_named(text: str) -> "Edition":
    """An edition by its id, or as its archive's address calls it: `weekly/3`. Raises InputError."""
    from composer.models import Edition

    slug, slash, number = text.rpartition("/")
    if not number.isascii() or not number.isdecimal() or len(number) > 9 or (slash and not slug):
        raise InputError(f"EDITION: {text!r} is neither an id, such as 7, nor a publication and a number: weekly/3")
    wanted = {"publication__slug": slug, "number": number} if slug else {"pk": number}
    edition = Edition.objects.select_related("publication").filter(**wanted).first()
    if edition is None:
        raise InputError(f"EDITION: there is no edition {text}")
    return edition


def list_named(publication: "Publication", slug: str) -> "List":
    """Raises InputError with the lists there are."""
    recipients: List | None = publication.lists.filter(slug=slug).first()
    if recipients is None:
        known = ", ".join(publication.lists.values_list("slug", flat=True)) or "none; import-subscribers makes one"
        raise InputError(f"--list: {publication.slug} has no list {slug!r}; it has {known}")
    return recipients


def segment_named(publication: "Publication", slug: str) -> "Segment":
    """Raises InputError with the segments there are."""
    segment: Segment | None = publication.segments.filter(slug=slug).first()
    if segment is None:
        known = ", ".join(publication.segments.values_list("slug", flat=True)) or "none; new-segment makes one"
        raise InputError(f"--segment: {publication.slug} has no segment {slug!r}; it has {known}")
    return segment


def read_digest(path: str, *, encoding: str = "") -> "Digest":
    """Raises InputError with file and line."""
    from composer.digest import DigestError, parse

    try:
        return parse(Path(path).read_bytes(), encoding=encoding)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except DigestError as error:
        raise InputError(f"{path}:{error.line}: {error.message}") from error


def doubts(digest: "Digest | None") -> tuple["Problem", ...]:
    """What the reader of digests decided in doubt, for an editor to look at."""
    from composer.checks import Problem

    warnings = digest.warnings if digest else ()
    return tuple(Problem(level="warning", code="digest.doubt", message=warning) for warning in warnings)


def dropped_lines(digest: "Digest | None") -> list[str]:
    """What of the digest is not in the edition, and why, for people."""
    return [
        f"left out: line {one.line}: {one.text} ({one.reason})" for one in (digest.report.dropped if digest else ())
    ]


def as_line(error: ValidationError, options: Mapping[str, str]) -> str:
    """A model's complaints as one line that names options."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return "; ".join(f"{_option(field, options)}{' '.join(messages)}" for field, messages in error.message_dict.items())


def as_json(problems: Iterable["Problem"]) -> list[dict[str, Any]]:
    return [asdict(problem) for problem in problems]


def as_text(problems: Iterable["Problem"]) -> list[str]:
    return [
        f"{problem.level}: {f'{problem.where}: ' if problem.where else ''}{problem.message} [{problem.code}]"
        for problem in problems
    ]


def _option(field: str, options: Mapping[str, str]) -> str:
    if field == "__all__":
        return ""
    return f"{options.get(field, '--' + field.replace('_', '-'))}: "
