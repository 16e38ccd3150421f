"""Where the files that come with the code are, in a checkout and in an installed package alike."""

from functools import cache
from pathlib import Path

#: Where editors' own themes are; the settings say so when they are loaded.
_own_themes: list[Path] = []
_PACKAGE = Path(__file__).resolve().parent.parent


@cache
def templates_dir() -> Path:
    """The folder with `email/` and `web/`: inside the package when installed, beside it in a checkout."""
    shipped = _PACKAGE / "_templates"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "templates"


@cache
def samples_dir() -> Path:
    """The sample digests that come with Newsdesk."""
    return _PACKAGE / "samples"


def provider_names() -> tuple[str, ...]:
    """The providers there are: folders of `tasks.providers` with a `provider.py`, in order of their names."""
    folders = (_PACKAGE.parent / "tasks" / "providers").glob("*/provider.py")
    return tuple(sorted(file.parent.name for file in folders))


def use_themes(path: Path) -> None:
    """Take editors' own themes from this folder; it need not exist."""
    _own_themes[:] = [path]


def own_themes() -> Path | None:
    """The folder of the editors' own themes; None where nobody named one."""
    return _own_themes[0] if _own_themes else None
