"""The sentence at a digest's end that asks its readers for something, with the address it leads to."""

from composer.reading import phrases
from composer.reading.document import Block, Heading, LinkLine
from composer.reading.inline import hrefs
from composer.reading.result import DigestCall
from composer.reading.story_source import BARE_URL


def call_to_action_in(last: Block) -> DigestCall | None:
    """None where the closing's last block asks for nothing, or for more than one thing."""
    urls = hrefs(last.html) or ([last.url] if isinstance(last, LinkLine) else [])
    if len(urls) > 1 or isinstance(last, Heading) or not (urls or phrases.ASKS.search(last.text[-400:])):
        return None
    bare = BARE_URL.search(last.text)
    if not urls or not bare:
        return DigestCall(text=last.text, url=urls[0] if urls else "", line=last.line)
    url = bare[0].rstrip(".,;:!?'’")
    while url.endswith((")", "]")) and url.count(url[-1]) > url.count({")": "(", "]": "["}[url[-1]]):
        url = url[:-1].rstrip(".,;:!?'’")
    before, after = last.text[: bare.start()], last.text[bare.start() + len(url) :]
    before = phrases.LEADS_TO_URL.sub("", before[-80:] if len(before) > 80 else before)
    if bare.start() > 80:
        before = last.text[: bare.start() - 80] + before
    rest = after.strip(" )]>.")
    text = f"{before} {rest}".strip() if rest else before.strip()
    return DigestCall(text=text, url=urls[0], line=last.line)
