"""What the law asks of every mail: who sends it, from where, and how to stop it; in both parts."""

from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem


def check(context: CheckContext) -> Iterator[Problem]:
    rendering, publication = context.rendering, context.content.publication
    parts = (("HTML part", context.page.text_content()), ("text part", rendering.text))
    address = "".join(publication.postal_address.split())
    if not address:
        message = "the publication has no postal address; the law asks for one in every mail"
        yield Problem(level="error", code="footer.no_address", message=message, where="footer")
    for where, text in parts:
        if address and address not in "".join(text.split()):
            message = "the postal address is missing"
            yield Problem(level="error", code="footer.no_address", message=message, where=where)
    unsubscribe = rendering.links.unsubscribe
    in_html = bool(unsubscribe) and unsubscribe in context.page.xpath("//a/@href")
    in_text = bool(unsubscribe) and unsubscribe in rendering.text
    for where, present in (("HTML part", in_html), ("text part", in_text)):
        if not present:
            message = "there is no unsubscribe link"
            yield Problem(level="error", code="footer.no_unsubscribe", message=message, where=where)
