"""A theme's CSS written onto the elements, for the mail clients that read no stylesheet."""

import logging
from functools import cache
from typing import Any

import cssutils
from premailer import Premailer

cssutils.log.setLevel(logging.CRITICAL)


def inlined(html: str, css: str) -> str:
    """The document with the CSS inlined, and its own style blocks as they were.

    Only the theme's CSS is inlined: MJML's reset would be repeated on every element (84 KB became 104).
    """
    html = html.replace("<!doctype html>", "<!DOCTYPE html>", 1).replace("<style", '<style data-premailer="ignore"')
    inliner = _Inliner(
        html,
        css_text=css,
        strip_important=False,
        disable_validation=True,
        allow_network=False,
        align_floating_images=False,
        disable_basic_attributes=["width", "height", "align", "valign", "bgcolor"],
    )
    result: str = inliner.transform(pretty_print=False)
    return result.replace(' data-premailer="ignore"', "")


class _Inliner(Premailer):
    """Premailer with the work that depends on the stylesheet alone done once; it is half of the time."""

    def _parse_style_rules(self, css_body: str, ruleset_index: int) -> Any:
        rules, leftover = _parsed(css_body, ruleset_index)
        return list(rules), list(leftover)


@cache
def _parsed(css_body: str, ruleset_index: int) -> Any:
    reader = Premailer("", disable_validation=True, strip_important=False, cache_css_parsing=False)
    return reader._parse_style_rules(css_body, ruleset_index)  # noqa: SLF001 - premailer offers no other seam
