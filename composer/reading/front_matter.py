"""The properties that Obsidian, Bear, Jekyll and Hugo write above a note: YAML between two lines of “---”."""

import re

from composer.reading.characters import clean, cut
from composer.reading.document import Dropped

_LONGEST = 60
_PROPERTY = re.compile(r"(?P<name>[\w-]{1,40}):(?:\s+(?P<value>.*))?|\s+\S.*|-\s+\S.*|#.*")


def without_front_matter(text: str) -> tuple[str, str, list[Dropped]]:
    """The text with those lines left empty, the title they name, and what was dropped; the text itself where it has none."""
    lines = text.split("\n")[: _LONGEST + 2]
    if lines[0].rstrip() != "---" or "---" not in (ends := [line.rstrip() for line in lines[1:]]):
        return text, "", []
    end = ends.index("---") + 1
    properties = [_PROPERTY.fullmatch(line.rstrip()) for line in lines[1:end] if line.strip()]
    if not properties or not all(properties) or properties[0]["name"] is None:  # type: ignore[index]
        return text, "", []
    named = {match["name"].lower(): clean(match["value"] or "") for match in properties if match and match["name"]}
    dropped = [
        Dropped(line=number, text=cut(clean(line)), reason="a property of the note")
        for number, line in enumerate(lines[1:end], start=2)
        if line.strip()
    ]
    rest = text.split("\n")[end + 1 :]
    return "\n".join([*[""] * (end + 1), *rest]), named.get("title", "").strip("\"'"), dropped
