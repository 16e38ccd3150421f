"""`newsdesk new-segment SLUG --publication P --rule JSON`: a saved rule; repeated, it replaces the rule."""

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand

EXAMPLE = '{"field": "attributes.country", "op": "in", "value": ["SG", "MY"]}'


class Command(NewsdeskCommand):
    help = "Save a rule over subscribers under a name and count its readers. A segment of that name is replaced."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the segment's short name")
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")
        parser.add_argument("--rule", required=True, metavar="JSON", help=f"such as {EXAMPLE}, or @FILE")
        parser.add_argument("--name", metavar="N", help="what editors see (default: the slug)")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers.saved_segments import count_readers, save_segment
        from subscribers.segments import RuleError

        publication = editorial.publication_named(options["publication"])
        rule = read_rule(options["rule"])
        try:
            segment, created = save_segment(publication.pk, options["slug"], rule, name=options["name"])
        except RuleError as error:
            raise InputError(f"--rule: {error}") from error
        except ValidationError as error:
            raise InputError(editorial.as_line(error, {"slug": "SLUG", "name": "--name"})) from error
        readers = count_readers(publication.pk, segment.rule)
        done = "made" if created else "replaced"
        self.report(
            {"segment": segment.slug, "readers": readers},
            f"{done} {segment.slug}: {readers} reader{'' if readers == 1 else 's'} now",
        )


def read_rule(written: str) -> object:
    """JSON, or @ and the path of a file that holds it. Raises InputError."""
    where, text = "--rule", written
    if written.startswith("@"):
        where = written[1:]
        try:
            text = Path(where).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise InputError(f"{where}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: not UTF-8 at byte {error.start}") from error
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from error
    except _TwiceError as error:
        raise InputError(f"{where}: {error.args[0]!r} is written twice in one object") from error
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits
        raise InputError(f"{where}: {error}") from error


class _TwiceError(Exception):
    pass


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, value in pairs:
        if key in fields:
            raise _TwiceError(key)
        fields[key] = value
    return fields
