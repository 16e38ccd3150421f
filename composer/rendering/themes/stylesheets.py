"""A theme's stylesheets made ready for a mail: no variables, no left and right but by reading direction, no comments.

`var(--name)` stands for a colour of the scheme, or for `radius`, `text-font` and `heading-font`: mail clients know no
variables, so each is written out. START and END stand for left and right by reading direction.
"""

import re
from collections.abc import Callable, Iterator

from composer.brand import Look
from composer.rendering.errors import Fault

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_OF_LATIN = re.compile(r"\b(?:letter-spacing:[^;}]*|font-style:italic|text-transform:[^;}]*);?")
_VARIABLE = re.compile(r"var\(--([a-z-]+)\)")
#: Mail clients drop a style block of more (Gmail).
MAX_HEAD = 16_000
MAX_RULES = 150
#: Matching is polynomial in the number of steps.
_MAX_STEPS = 4
#: What could fetch, run or close something; none of it works in a mail anyway.
_FORBIDDEN = re.compile(
    r"<|@import|@charset|@font-face|url\(|image-set|expression|behaviou?r\s*:|-moz-binding|javascript", re.IGNORECASE
)
_AT_RULE = re.compile(r"@(?!media\b)[\w-]+")


def directed(css: str, direction: str, look: Look) -> str:
    css = _turned(_squeezed(css), direction)
    if look.heading_font == look.text_font:
        css = re.sub(r"font-family:var\(--heading-font\);?", "", css)  # inherited anyway, and 50 bytes a heading
    return _VARIABLE.sub(lambda match: look.value(match[1]), css)


def dark(css: str, direction: str, look: Look) -> str:
    """The dark rules for clients that know the reader's scheme, and for Outlook.com, which marks what it has changed."""
    css = _VARIABLE.sub(lambda match: look.value(match[1], dark=True), _turned(_squeezed(css), direction))
    rules = _RULE.findall(css)
    plain = "".join(f"{selectors.strip()}{{{body}}}" for selectors, body in rules)
    outlook = "".join(
        f"{','.join(f'[data-ogsc] {selector.strip()}' for selector in selectors.split(','))}{{{body}}}"
        for selectors, body in rules
        if not selectors.strip().startswith(("body", ":root"))
    )
    return f"@media (prefers-color-scheme:dark){{{plain}}}\n{outlook}"


def faults(file: str, css: str, known: Callable[[str], bool]) -> Iterator[Fault]:
    """What is wrong with a stylesheet, by line. `known` tells whether a variable exists."""
    css = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), css)
    for number, line in enumerate(css.splitlines(), start=1):
        for match in _FORBIDDEN.finditer(line):
            yield Fault(file=file, line=number, message=f"“{match[0]}” has no place in a mail's stylesheet")
        for match in _AT_RULE.finditer(line):
            yield Fault(file=file, line=number, message=f"{match[0]} is not read by mail clients; only @media is")
        for match in _VARIABLE.finditer(line):
            if not known(match[1]):
                yield Fault(file=file, line=number, message=f"there is no --{match[1]}; name it in theme.toml")
        for match in re.finditer(r"var\((?!--[a-z-]+\))", line):
            yield Fault(file=file, line=number, message=f"“{line[match.start() :][:30]}”: write var(--name)")
    yield from _shape(file, css)


def _shape(file: str, css: str) -> Iterator[Fault]:
    depth = rules = 0
    selector = ""
    for place, character in enumerate(css):
        if character == "{":
            depth, rules = depth + 1, rules + 1
            line = css.count("\n", 0, place) + 1
            if any(len(re.split(r"[\s>+~]+", one.strip())) > _MAX_STEPS for one in selector.split(",")):
                message = f"“{selector.strip()[:60]}” goes through more than {_MAX_STEPS} elements; name a class"
                if not selector.strip().startswith("@"):
                    yield Fault(file=file, line=line, message=message)
            if depth > (2 if file == "head.css" else 1):
                yield Fault(file=file, line=line, message="a rule inside a rule; Gmail drops the whole stylesheet")
        depth -= character == "}"
        selector = "" if character in "{}" else selector + character
        if depth < 0:
            yield Fault(file=file, line=css.count("\n", 0, place) + 1, message="a } without its {")
            return
    if depth:
        yield Fault(file=file, line=css.count("\n") + 1, message="a { is never closed")
    if rules > MAX_RULES:
        yield Fault(file=file, message=f"it has {rules} rules; at most {MAX_RULES} are taken")


def _turned(css: str, direction: str) -> str:
    if direction == "ltr":
        return css.replace("START", "left").replace("END", "right")
    # Arabic letters join, and neither Arabic nor Hebrew is slanted: spacing tears words apart.
    return _OF_LATIN.sub("", css.replace("START", "right").replace("END", "left"))


def _squeezed(css: str) -> str:
    css = _COMMENT.sub("", css)
    return re.sub(r"\s*([{};:,])\s*", r"\1", re.sub(r"\s+", " ", css)).strip()
