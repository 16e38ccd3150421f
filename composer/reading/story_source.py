"""Where a story is from, as its last lines say: “Source: …”, “(via …)”, a link alone, “Read more”."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from composer.reading import phrases
from composer.reading.characters import cut
from composer.reading.document import Block, Dropped, LinkLine, ListItem, Paragraph
from composer.reading.inline import hrefs

#: An address, and whatever stands right behind it.
BARE_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"“”]+", re.IGNORECASE)
_LINE = re.compile(
    r"(?:sources?|quellen?|fuentes?|via|original|المصدر|مصدر|מקור|来源|來源)\s*[:：]\s*(?P<name>.*)"
    r"|[(（]\s*(?:via|source|quelle|fuente)[: ]\s*(?P<inside>[^()]{1,200})[)）]",
    re.IGNORECASE,
)
#: At the end of a paragraph, as text and with a link in it.
_VIA = re.compile(
    r"[(（\[]\s*(?:via|source|quelle|fuente|h/t)[: ]\s*(?P<name>(?:<a\b[^<>]*>[^<>()]{1,120}</a>|[^()<>\[\]]){1,200})[)）\]]\.?\Z",
    re.IGNORECASE,
)
_LONE_LINK = re.compile(r"<a\b[^<>]*>[^<>]*</a>[.\s»›→]*")
_LONGEST_NAME = 120


@dataclass(frozen=True, kw_only=True)
class StorySource:
    name: str = ""
    url: str = ""
    #: Words beside the source that no story has room for.
    dropped: tuple[Dropped, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.name or self.url)


def without_source(blocks: Sequence[Block]) -> tuple[list[Block], StorySource]:
    """A story's blocks without the last line, or its end, where that says where the story is from; and that source."""
    finders = (_line, _words_of_a_link, _via) if len(blocks) > 1 else (_via,)
    for find in finders:
        rest, source = find(blocks) if blocks else ([], StorySource())
        if source:
            return rest, source
    return list(blocks), StorySource()


def or_the_headlines_link(source: StorySource, headline: Block) -> StorySource:
    """The source; where a story names no address, the one that its headline leads to."""
    urls = [url for url in hrefs(headline.html) if url != source.url and not BARE_URL.search(headline.text)]
    if not urls:
        return source
    if not source.url:
        source, urls = replace(source, name=source.name or _site(urls[0]), url=urls[0]), urls[1:]
    lost = (
        Dropped(line=headline.line, text=cut(url), reason="a link of the headline, beside the source") for url in urls
    )
    return replace(source, dropped=(*source.dropped, *lost))


def _line(blocks: Sequence[Block]) -> tuple[list[Block], StorySource]:
    last, above = blocks[-1], blocks[-2]
    if isinstance(last, LinkLine):
        belongs = isinstance(above, LinkLine | ListItem) or above.text.endswith(":")
        return list(blocks[:-1]), StorySource() if belongs else StorySource(name=_site(last.url), url=last.url)
    match = None
    if len(last.text) <= 2 * _LONGEST_NAME and not isinstance(last, ListItem):
        match = _LINE.fullmatch(last.text)
    urls = hrefs(last.html)
    if not match or len(urls) > 1:
        return list(blocks), StorySource()
    name = BARE_URL.sub("", match["name"] or match["inside"] or "").strip(" ,;:–—-()")
    url = urls[0] if urls else ""
    if len(name) > _LONGEST_NAME:
        return list(blocks), StorySource()
    return list(blocks[:-1]), StorySource(name=name or _site(url), url=url)


def _words_of_a_link(blocks: Sequence[Block]) -> tuple[list[Block], StorySource]:
    """A link whose own words say nothing, such as “Read more”."""
    last = blocks[-1]
    urls = hrefs(last.html)
    if type(last) is not Paragraph or len(urls) != 1 or last.quote:
        return list(blocks), StorySource()
    words = BARE_URL.sub("", last.text).strip(" \t:：–—-()[]→»>.")
    bare = BARE_URL.findall(last.text)
    ends_with_it = bool(bare) and last.text.rstrip(" .)]>").endswith(bare[-1].rstrip(" .)]>"))
    lone = bool(_LONE_LINK.fullmatch(last.html)) or ends_with_it
    if not lone or len(words) > 40 or not phrases.READ_MORE.match(words) or len(words.split()) > 5:
        return list(blocks), StorySource()
    (url,) = urls
    dropped = Dropped(line=last.line, text=cut(words), reason="the words of a link that is the source")
    return list(blocks[:-1]), StorySource(name=_site(url), url=url, dropped=(dropped,))


def _via(blocks: Sequence[Block]) -> tuple[list[Block], StorySource]:
    """“(via The Post)” at the end of the last paragraph."""
    last = blocks[-1]
    match = _VIA.search(last.html) if type(last) is Paragraph else None
    text = _VIA.search(last.text) if match else None
    if match is None or text is None or not text.start():
        return list(blocks), StorySource()
    urls, name = hrefs(match["name"]), BARE_URL.sub("", text["name"]).strip(" ,;:")
    if len(urls) > 1:
        return list(blocks), StorySource()
    url = urls[0] if urls else ""
    shorter = replace(last, text=last.text[: text.start()].rstrip(), html=last.html[: match.start()].rstrip())
    return [*blocks[:-1], shorter], StorySource(name=name or _site(url), url=url)


def _site(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")[:_LONGEST_NAME]
    except ValueError:
        return ""
