"""Makes composer/checks/data/caniemail.json from the data of the npm package `caniemail` (MIT).

    python packaging/client_support.py node_modules/caniemail

Keeps, of every feature, its title and the mail clients that lack it in the latest version caniemail tested.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "composer" / "checks" / "data"
#: These are named first where a feature is missing.
_MOST_READ = ("Apple Mail", "Gmail", "Outlook", "Yahoo", "Samsung")
#: Tested once and gone since, or of no consequence for a newsletter.
_LEFT_OUT = {"windows-mail"}


def main(package: Path) -> None:
    data = json.loads((package / "data" / "caniemail.json").read_text())
    families, platforms = data["nicenames"]["family"], data["nicenames"]["platform"]
    features = {one["slug"]: (one["title"], _without(one["stats"], families, platforms)) for one in data["data"]}
    clients = sorted({client for _, without in features.values() for client in without}, key=_most_read_first)
    version = json.loads((package / "package.json").read_text())["version"]
    head = {
        "source": f"https://www.caniemail.com/, npm caniemail {version}, MIT: see LICENSE.caniemail",
        "updated": data["last_update_date"],
        "clients": clients,
    }
    lines = [
        f"    {json.dumps(slug)}: {json.dumps([title, sorted(map(clients.index, without))], separators=(',', ':'))}"
        for slug, (title, without) in sorted(features.items())
        if without
    ]
    body = json.dumps(head, indent=2)[:-2] + ',\n  "features": {\n' + ",\n".join(lines) + "\n  }\n}\n"
    (TARGET / "caniemail.json").write_text(body)
    shutil.copyfile(package / "LICENSE", TARGET / "LICENSE.caniemail")


def _most_read_first(client: str) -> tuple[int, str]:
    order = [position for position, family in enumerate(_MOST_READ) if client.startswith(family)]
    return (order[0] if order else len(_MOST_READ)), client


def _without(stats: dict[str, Any], families: dict[str, str], platforms: dict[str, str]) -> set[str]:
    """The clients whose latest tested version says no; partial support is support with a note."""
    features = set()
    for family, by_platform in stats.items():
        for platform, versions in by_platform.items():
            latest = list(versions.values())[-1]
            if latest.startswith("n") and platform not in _LEFT_OUT:
                features.add(f"{families.get(family, family)} ({platforms.get(platform, platform)})")
    return features


if __name__ == "__main__":
    main(Path(sys.argv[1]))
