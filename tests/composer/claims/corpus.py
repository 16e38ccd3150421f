"""Stories with their sources, and errors put into them: stories.txt marks in each story what may be altered.

The marks are put by hand, so that what is altered does not depend on what the check finds.
"""

import calendar
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from composer.claims.looking_up import Claim, Unsupported, unsupported

FILE = Path(__file__).with_name("stories.txt")
_MARK = re.compile(r"\[(figure|date|name|quote):([^\]]*)\]")
_MONTHS = list(calendar.month_name)[1:]
_OTHER_NAMES = ["Robert Fitch", "Bloomberg", "Karen Oduya", "Westbrook", "Lars Holm", "Vandelay", "Nora Quill"]
_OTHER_WORDS = ["never", "always", "government", "hardly", "tomorrow", "seldom", "yesterday"]


@dataclass(frozen=True)
class Story:
    name: str
    language: str
    source: str
    #: Headline, lede and body, with marks.
    marked: tuple[str, str, str]

    def found(self) -> list[Unsupported]:
        plain = [_MARK.sub(r"\2", text) for text in self.marked]
        claims = [Claim(text, is_headline=at == 0) for at, text in enumerate(plain)]
        return unsupported(claims, self.source, self.language)


@dataclass(frozen=True)
class Error:
    kind: str
    right: str
    wrong: str
    story: Story


@cache
def stories() -> tuple[Story, ...]:
    found = []
    for block in FILE.read_text(encoding="utf-8").split("# ")[1:]:
        title, *lines = block.strip().splitlines()
        fields = dict(line.split(" | ", 1) for line in lines)
        marked = (fields["headline"], fields["lede"], fields["body"])
        found.append(Story(title[3:], title[:2], fields["source"], marked))
    return tuple(found)


def errors(count: int, seed: int) -> Iterator[Error]:
    """Stories with one error each. An alteration that the source happens to say as well is none."""
    dice = random.Random(seed)
    places = [
        (story, at, mark)
        for story in stories()
        for at, text in enumerate(story.marked)
        for mark in _MARK.finditer(text)
    ]
    made = 0
    while made < count:
        story, at, mark = dice.choice(places)
        wrong = ALTER[mark[1]](mark[2], dice)
        if wrong == mark[2] or re.search(rf"(?<!\w){re.escape(wrong)}(?!\w)", story.source, re.IGNORECASE):
            continue
        text = story.marked[at]
        altered = list(story.marked)
        altered[at] = text[: mark.start()] + wrong + text[mark.end() :]
        yield Error(mark[1], mark[2], wrong, replace(story, marked=tuple(altered)))
        made += 1


def _figure(written: str, dice: random.Random) -> str:
    digits = re.sub(r"\D", "", written)
    if not digits:
        words = ["two", "three", "four", "five", "six", "seven", "eight", "nine"]
        first = written.split(maxsplit=1)[0]
        other = dice.choice([word for word in words if word != first.lower()])
        return written.replace(first, other.capitalize() if first[0].isupper() else other, 1)
    way = dice.choice(["swap", "digit", "scale"])
    if way == "scale":
        for scale, other in (("million", "billion"), ("bn", "m"), ("billion", "million"), ("Milliarden", "Millionen")):
            if re.search(rf"\d\s?{scale}|\s{scale}", written):
                return written.replace(scale, other, 1)
    places = [found.start() for found in re.finditer(r"\d", written)]
    if way == "swap" and len(places) > 1 and digits[0] != digits[1] and digits[1] != "0":
        first, second = places[:2]
        letters = list(written)
        letters[first], letters[second] = letters[second], letters[first]
        return "".join(letters)
    place = places[dice.randrange(min(2, len(places)))]
    other = dice.choice([digit for digit in "123456789" if digit != written[place]])
    return written[:place] + other + written[place + 1 :]


def _date(written: str, dice: random.Random) -> str:
    day = re.search(r"\b\d{1,2}\b", written)
    if day and dice.random() < 0.6:
        other = dice.choice([one for one in range(1, 29) if one != int(day[0])])
        return written[: day.start()] + str(other) + written[day.end() :]
    for month in _MONTHS:
        if month in written:
            return written.replace(month, dice.choice([other for other in _MONTHS if other != month]))
    year = re.search(r"\d{4}", written)
    return written.replace(year[0], str(int(year[0]) - 1)) if year else written


def _name(written: str, dice: random.Random) -> str:
    way = dice.choice(["other", "letter", "first"])
    words = written.split()
    if way == "first" and len(words) > 1:
        return " ".join([dice.choice(["Martin", "Sophie", "Grace"]), *words[1:]])
    if way == "letter" and len(words[-1]) > 5 and words[-1].isalpha():
        at = dice.randrange(2, len(words[-1]) - 1)
        letter = dice.choice([one for one in "aeioutrnl" if one != words[-1][at]])
        return " ".join([*words[:-1], words[-1][:at] + letter + words[-1][at + 1 :]])
    return dice.choice(_OTHER_NAMES)


def _quote(written: str, dice: random.Random) -> str:
    words = written.split()
    words[dice.randrange(len(words))] = dice.choice(_OTHER_WORDS)
    return " ".join(words)


ALTER = {"figure": _figure, "date": _date, "name": _name, "quote": _quote}
