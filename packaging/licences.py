"""What others' work Newsdesk stands on, and under which licences; fails when one of them is not on the list below.

    python packaging/licences.py

Read from what is installed, for each package that requirements.txt pins.
"""

import re
import sys
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: They ask for their notice, or (MPL, LGPL) for the source of changes to themselves; none reaches over to us.
ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "CC0-1.0", "CNRI-Python", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "BSD", "ISC", "LGPL-3.0-only", "LGPL-3.0-or-later", "LGPL-2.1-or-later",
        "MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0", "PostgreSQL", "Python-2.0", "Unlicense", "Zlib",
    }
)  # fmt: skip
#: Words of the metadata that stand for a licence of SPDX's list. The first that fits counts.
_WORDS = (
    (r"Apache( Software)?( License)?[ -]*(,? *(v|version))?[ -]*2", "Apache-2.0"), (r"Apache Software License", "Apache-2.0"),
    (r"3-clause|BSD-3|new bsd|modified bsd", "BSD-3-Clause"), (r"2-clause|BSD-2|simplified bsd", "BSD-2-Clause"), (r"\bBSD\b", "BSD"),
    (r"\bLGPL|lesser general public", "LGPL-3.0-or-later"), (r"\bMPL|mozilla public", "MPL-2.0"), (r"\bMIT-CMU\b|\bHPND\b", "MIT-CMU"),
    (r"\bMIT\b|expat", "MIT"), (r"\bISC\b", "ISC"), (r"PSF|python software foundation", "PSF-2.0"), (r"unlicense", "Unlicense"),
    (r"zlib", "Zlib"), (r"postgresql", "PostgreSQL"),
)  # fmt: skip


def pinned(pins: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"^([a-z0-9._-]+)==", pins, re.MULTILINE)))


def licence_of(told: PackageMetadata) -> str:
    """An SPDX expression, or the package's own words where nobody knows what they stand for."""
    if told.get("License-Expression"):
        return str(told["License-Expression"])
    classifiers = [
        line.rpartition("::")[2].strip() for line in told.get_all("Classifier") or () if line.startswith("License")
    ]
    for words in [*classifiers, (told.get("License") or "")[:200]]:
        for pattern, licence in _WORDS:
            if re.search(pattern, words, re.IGNORECASE):
                return licence
    return ", ".join(classifiers) or (told.get("License") or "none told").strip().splitlines()[0][:80]


def is_allowed(expression: str) -> bool:
    """All of an AND, one of an OR; exceptions (WITH) only ever add rights."""
    plain = re.sub(r" WITH [\w.-]+", "", expression.replace("(", " ").replace(")", " "))
    return all(any(one.strip() in ALLOWED for one in part.split(" OR ")) for part in plain.split(" AND "))


def main() -> int:
    refused, missing = [], []
    for name in pinned((ROOT / "requirements.txt").read_text(encoding="utf-8")):
        try:
            told = metadata(name)
        except PackageNotFoundError:
            # For another system, or another version of Python.
            missing.append(name)
            continue
        licence = licence_of(told)
        sys.stdout.write(f"{name:32} {told['Version']:16} {licence}\n")
        if not is_allowed(licence):
            refused.append(f"{name}: {licence}")
    if missing:
        sys.stdout.write(f"not installed here: {', '.join(missing)}\n")
    for line in refused:
        sys.stderr.write(f"not on the list of packaging/licences.py: {line}\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
