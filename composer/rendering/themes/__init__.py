"""Themes: those that come with Newsdesk, in `templates/email/`, and editors' own, in a folder of theirs.

What all share is in `templates/email/shared/`: the document, the macros and the stylesheets a theme's come after. Ours
are tested with the code; an editor's theme is read whole, looked through and confined (`confinement`) before its first
use, and again whenever a file of it has changed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, Template
from markupsafe import Markup

from composer import brand as brands
from composer.brand import Look
from composer.content import Brand
from composer.rendering.errors import FaultyThemeError, UnknownThemeError
from composer.rendering.themes import examination, folder, manifest, stylesheets
from composer.rendering.themes.environments import environment
from composer.rendering.themes.folder import DOCUMENT, Folder
from composer.rendering.themes.manifest import Manifest
from newsdesk.core.paths import own_themes, templates_dir

SHARED = "shared"
#: What a publication's theme can be called.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@dataclass(frozen=True, kw_only=True)
class Theme:
    name: str
    template: Template
    inline_css: str
    head_css: Markup
    look: Look
    #: The colours as templates name them: on_band for on-band.
    light: Mapping[str, str]
    dark: Mapping[str, str]
    #: An editor's: it runs in the sandbox, and what it makes is looked through once more.
    confined: bool


@dataclass(frozen=True, kw_only=True)
class _Opened:
    folder: Folder
    manifest: Manifest
    environment: Environment
    confined: bool


def theme(name: str, direction: str, brand: Brand = Brand()) -> Theme:  # noqa: B008 - frozen
    """The theme in a publication's brand, ready for a reading direction ("ltr" or "rtl").

    Raises UnknownThemeError, FaultyThemeError for an editor's theme with faults, and BrandError.
    """
    path = _paths().get(name)
    if path is None:
        raise UnknownThemeError(f"there is no theme “{name}”; there are {', '.join(theme_names())}")
    ours = path.parent == _shipped()
    return _ready(path, () if ours else folder.fingerprint(path), direction, brand)


def theme_names() -> tuple[str, ...]:
    return tuple(sorted(_paths()))


def described(name: str) -> Manifest:
    """A theme's name and what it is good for. Raises as `theme` does."""
    path = _paths()[name]
    return _opened(path, () if path.parent == _shipped() else folder.fingerprint(path)).manifest


def open_folder(path: Path, direction: str, brand: Brand = Brand()) -> Theme:  # noqa: B008 - frozen
    """An editor's theme from any folder, to be looked through. Raises FaultyThemeError."""
    return _ready(path, folder.fingerprint(path), direction, brand)


@lru_cache(maxsize=64)
def _ready(path: Path, seen: folder.Fingerprint, direction: str, brand: Brand) -> Theme:
    opened = _opened(path, seen)
    look = brands.look(opened.manifest.brand, brand, opened.manifest.light, opened.manifest.dark)
    sheets = {name: _shared()[name] + opened.folder.files.get(name, "") for name in folder.STYLESHEETS}
    head = stylesheets.directed(sheets["head.css"], direction, look)
    head += stylesheets.dark(sheets["dark.css"], direction, look)
    return Theme(
        name=path.name,
        template=opened.environment.get_template(DOCUMENT),
        inline_css=stylesheets.directed(sheets["inline.css"], direction, look),
        head_css=Markup(head),  # noqa: S704 - stylesheets hold no “<”, and escaping would break their selectors
        look=look,
        light=_named(look.light),
        dark=_named(look.dark),
        confined=opened.confined,
    )


@lru_cache(maxsize=64)
def _opened(path: Path, _seen: folder.Fingerprint) -> _Opened:
    confined = path.parent != _shipped()
    files = folder.read(path)
    shared = {f"{SHARED}/{name}": text for name, text in _shared().items() if name.endswith(folder.TEMPLATE)}
    made = environment({**shared, **files.templates}, confined=confined)
    read, faults = manifest.read(files.files[folder.MANIFEST])
    faults += examination.faults(files, read, made, frozenset(shared))
    if faults or read is None:
        raise FaultyThemeError(path.name, faults)
    return _Opened(folder=files, manifest=read, environment=made, confined=confined)


def _named(colours: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): colour for name, colour in colours.items()}


@cache
def _shared() -> Mapping[str, str]:
    files = (_shipped() / SHARED).iterdir()
    return {file.name: file.read_text(encoding="utf-8") for file in files if file.is_file()}


def _paths() -> dict[str, Path]:
    """Every theme's folder by its name; ours win, so that an update never changes under an editor what “digest” is."""
    folders: dict[str, Path] = {}
    for parent in filter(None, (own_themes(), _shipped())):
        folders |= {
            path.parent.name: path.parent for path in parent.glob(f"*/{DOCUMENT}") if _NAME.fullmatch(path.parent.name)
        }
    return folders


def _shipped() -> Path:
    return templates_dir() / "email"
