"""A theme's folder, read once and whole: what is not read here, no template can get at.

theme.toml        its name, brand and colours
edition.mjml.j2   the document; fills the blocks of shared/document.mjml.j2
*.mjml.j2         macros, if it is too long for one file
inline.css        inlined into the mail's elements
head.css          goes into the mail's head as it is: what cannot be inlined, such as media queries
dark.css          the dark scheme, one rule a line
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from composer.rendering.errors import Fault, FaultyThemeError

MANIFEST, DOCUMENT, TEMPLATE = "theme.toml", "edition.mjml.j2", ".mjml.j2"
STYLESHEETS = ("inline.css", "head.css", "dark.css")
MAX_FILES, MAX_BYTES = 16, 64_000

#: What changes when a file does: name, size, time of change in nanoseconds.
Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Folder:
    name: str
    files: Mapping[str, str]

    @property
    def templates(self) -> dict[str, str]:
        return {name: text for name, text in self.files.items() if name.endswith(TEMPLATE)}


def read(path: Path) -> Folder:
    """Read a theme. Raises FaultyThemeError for what is missing, too much, no text, or leads out of the folder."""
    faults: list[Fault] = []
    files: dict[str, str] = {}
    for file in _ours(path):
        try:
            files[file.name] = _text(file)
        except (OSError, ValueError) as error:
            faults.append(Fault(file=file.name, message=str(error)))
    faults += [
        Fault(file=name, message="it is missing, and every theme needs it")
        for name in (MANIFEST, DOCUMENT, "inline.css")
        if name not in files and not any(fault.file == name for fault in faults)
    ]
    if len(files) > MAX_FILES:
        faults.append(Fault(file=path.name, message=f"it has {len(files)} files; at most {MAX_FILES} are read"))
    if faults:
        raise FaultyThemeError(path.name, tuple(faults))
    return Folder(name=path.name, files=files)


def fingerprint(path: Path) -> Fingerprint:
    files = ((file.name, file.lstat()) for file in _ours(path))
    return tuple((name, state.st_size, state.st_mtime_ns) for name, state in files)


def _ours(path: Path) -> list[Path]:
    names = {MANIFEST, *STYLESHEETS}
    return sorted(file for file in path.iterdir() if file.name in names or file.name.endswith(TEMPLATE))


def _text(file: Path) -> str:
    """A regular file's text: a link could lead to any file of the machine."""
    if file.is_symlink() or not file.is_file():
        raise ValueError("it is no ordinary file; copy it into the folder")
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 1000} KB")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 at byte {error.start}") from error
