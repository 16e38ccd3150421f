"""`newsdesk render DIGEST --out DIR`: a digest file straight to an edition's files, without a database."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from composer import digest as digests
from composer.checks import Problem, check
from composer.content import EditionContent, PublicationContent
from composer.digest import Digest, DigestError
from composer.merge_tags import fill, values
from composer.rendering import Rendering, RenderingError, UnknownThemeError, eml, render
from composer.sanitising import TextTooLargeError
from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.screenshots import NoBrowserError, Scheme, Shot, pictures

#: A mail client's reading pane, and a phone.
SHOTS: tuple[tuple[int, Scheme], ...] = ((640, "light"), (640, "dark"), (375, "light"), (375, "dark"))
_SAMPLE_ADDRESS = "1 Sample Street\n10000 Sample Town"


@dataclass(frozen=True, kw_only=True)
class Rendered:
    digest: Digest
    content: EditionContent
    rendering: Rendering
    problems: tuple[Problem, ...]


class Command(BaseCommand):
    help = "Render a digest file to edition.mjml, .html, .txt and .eml. Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "digest", metavar="DIGEST", help="a text file: title, introduction, numbered stories, closing"
        )
        parser.add_argument("--out", metavar="DIR", required=True, help="the folder to write to; made if missing")
        parser.add_argument("--theme", metavar="THEME", default="digest", help="the look (default: digest)")
        parser.add_argument(
            "--screenshots",
            action="store_true",
            help="also PNGs at 640 and 375 pixels, light and dark (needs Chromium and newsdesk[screenshots])",
        )
        parser.add_argument("--address", metavar="ADDRESS", default="", help="the postal address for the footer")
        parser.add_argument(
            "--encoding", metavar="NAME", default="", help="the file's encoding, where it cannot be told from its bytes"
        )
        parser.add_argument(
            "--language", metavar="TAG", default="", help="the mail's language, such as de (default: the text's own)"
        )
        parser.add_argument(
            "--direction", choices=("ltr", "rtl"), default="", help="the way it is read (default: the text's own)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        source = Path(options["digest"])
        rendered = rendered_digest(
            source,
            theme=options["theme"],
            address=options["address"],
            encoding=options["encoding"],
            language=options["language"],
            direction=options["direction"],
        )
        files = write(rendered, Path(options["out"]))
        if options["screenshots"]:
            files |= screenshots(rendered, files["html"])
        report = summary(rendered, files)
        self.stdout.write(json.dumps(report, ensure_ascii=False) if options["json"] else as_text(report))


def rendered_digest(
    source: Path, *, theme: str, address: str = "", encoding: str = "", language: str = "", direction: str = ""
) -> Rendered:
    """Read and render a digest file. Raises InputError with file and line, or Failure when the theme is at fault."""
    try:
        raw = source.read_bytes()
    except OSError as error:
        raise InputError(f"{source}: {error.strerror or error}") from error
    try:
        digest = digests.parse(raw, encoding=encoding)
    except DigestError as error:
        raise InputError(f"{source}:{error.line}: {error.message}") from error
    content = digests.content(digest, _publication(digest, address, language, direction))
    try:
        rendering = render(content, theme=theme)
    except UnknownThemeError as error:
        raise InputError(f"--theme: {error}") from error
    except TextTooLargeError as error:
        raise InputError(f"{source}: {error}") from error
    except RenderingError as error:
        raise OperationFailedError(f"theme {theme}: {error}") from error
    problems = (*check(content, rendering), *_own_problems(digest, address))
    return Rendered(digest=digest, content=content, rendering=rendering, problems=problems)


def write(rendered: Rendered, folder: Path) -> dict[str, Path]:
    """Write the four files. Raises InputError where the folder cannot be written to."""
    rendering = rendered.rendering
    contents = {
        "mjml": rendering.mjml.encode(),
        "html": rendering.html.encode(),
        "txt": rendering.text.encode(),
        "eml": eml(rendering, rendered.content.publication),
    }
    files = {kind: folder / f"edition.{kind}" for kind in contents}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, path in files.items():
            path.write_bytes(contents[kind])
    except OSError as error:
        raise InputError(f"--out {folder}: {error.strerror or error}") from error
    return files


def screenshots(rendered: Rendered, html: Path) -> dict[str, Path]:
    """Pictures of the mail beside its HTML, as a reader with a wide or narrow screen sees it in either scheme.

    Raises OperationFailedError where Playwright or Chromium is missing or fails, InputError where nothing can be written.
    """
    sample = values(
        rendered.rendering.tags,
        name="Sample Reader",
        email="reader@example.com",
        unsubscribe_url="https://example.com/u/sample",
        preferences_url="https://example.com/p/sample",
    )
    shots = {
        html.with_name(f"edition-{width}-{scheme}.png"): Shot(width=width, scheme=scheme) for width, scheme in SHOTS
    }
    try:
        pictures(fill(rendered.rendering.html, sample), shots)
    except NoBrowserError as error:
        raise OperationFailedError(f"--screenshots: {error}") from error
    except OSError as error:
        raise InputError(f"--screenshots: {error.filename or html.parent}: {error.strerror or error}") from error
    return {f"png-{shot.width}-{shot.scheme}": path for path, shot in shots.items()}


def summary(rendered: Rendered, files: dict[str, Path]) -> dict[str, Any]:
    return {
        "title": rendered.digest.title,
        "stories": len(rendered.digest.stories),
        "headlines": [story.headline for story in rendered.digest.stories],
        "html_bytes": len(rendered.rendering.html.encode()),
        "text_bytes": len(rendered.rendering.text.encode()),
        "report": rendered.digest.report.as_json(),
        "problems": [asdict(problem) for problem in rendered.problems],
        "files": {kind: str(path) for kind, path in files.items()},
    }


def as_text(report: dict[str, Any]) -> str:
    lines = [report["title"], ""]
    lines += [f"{number:>3}. {headline}" for number, headline in enumerate(report["headlines"], start=1)]
    lines += ["", f"HTML {report['html_bytes'] / 1000:.1f} KB, text {report['text_bytes'] / 1000:.1f} KB"]
    for problem in report["problems"]:
        where = f"{problem['where']}: " if problem["where"] else ""
        lines.append(f"{problem['level']}: {where}{problem['message']} [{problem['code']}]")
    return "\n".join([*lines, *(f"wrote {path}" for path in report["files"].values())])


def _publication(digest: Digest, address: str, language: str, direction: str) -> PublicationContent:
    """A stand-in: a digest file names no sender. What stands before a colon in the title is the newsletter's name."""
    return PublicationContent(
        slug="digest",
        title=digest.title.partition(": ")[0],
        postal_address=address or _SAMPLE_ADDRESS,
        language=language or digest.report.language or "en",
        direction="rtl" if (direction or digest.report.direction) == "rtl" else "ltr",
    )


def _own_problems(digest: Digest, address: str) -> tuple[Problem, ...]:
    read = tuple(Problem(level="warning", code="digest.doubt", message=warning) for warning in digest.warnings)
    if address:
        return read
    message = "the footer shows a sample address; give yours with --address"
    return (*read, Problem(level="warning", code="footer.sample_address", message=message, where="footer"))
