"""Where the files that are not code live: beside the packages in a checkout, inside `newsdesk` when installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates_dir() -> Path:
    """The folder of email themes and web pages."""
    installed = _PACKAGE / "_templates"
    return installed if installed.is_dir() else _PACKAGE.parent / "templates"


def samples_dir() -> Path:
    """The folder of the sample digests."""
    return _PACKAGE / "samples"
