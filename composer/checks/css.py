"""As much of CSS as the checks need: rules with the at-rules they stand in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# Possessive, so that no CSS, however broken, makes them go back.
_PIECE = re.compile(r"""((?:[^{};"']++|"[^"]*+"|'[^']*+')*+)([{};])""")
_DECLARATION = re.compile(r"""\s*+([-\w]++)\s*+:\s*+((?:[^;"']++|"[^"]*+"|'[^']*+')*+)""")


@dataclass(frozen=True, kw_only=True)
class Rule:
    #: The at-rules round it, from the outside; empty for most rules.
    within: tuple[str, ...]
    selectors: tuple[str, ...]
    declarations: tuple[tuple[str, str], ...]


@lru_cache(maxsize=64)  # the style blocks of a theme are the same in all its mails
def rules(css: str) -> tuple[Rule, ...]:
    """Every rule; an at-rule with declarations of its own (@font-face) has no selectors. Broken CSS ends it early."""
    return tuple(_rules(css))


def _rules(css: str) -> Iterator[Rule]:
    opened: list[str] = []
    body = ""
    for piece in _PIECE.finditer(_COMMENT.sub(" ", css)):
        text, mark = piece[1].strip(), piece[2]
        if mark == "{":
            opened.append(text)
            body = ""
        elif mark == ";":
            body += f"{text};"
            if not opened and text.startswith("@"):
                yield Rule(within=(text,), selectors=(), declarations=())
        elif opened:
            head, body = opened.pop(), f"{body}{text}"
            if not head.startswith("@"):
                selectors = tuple(part.strip() for part in head.split(","))
                yield Rule(within=tuple(opened), selectors=selectors, declarations=declarations(body))
            elif declarations_of_its_own := declarations(body):
                yield Rule(within=(*opened, head), selectors=(), declarations=declarations_of_its_own)
            body = ""


@lru_cache(maxsize=2048)
def declarations(body: str) -> tuple[tuple[str, str], ...]:
    """The properties, in lower case, and their values of a style attribute or a rule's body."""
    return tuple((match[1].lower(), match[2].strip()) for match in _DECLARATION.finditer(body))
