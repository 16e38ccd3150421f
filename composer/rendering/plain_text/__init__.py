"""The edition as plain text, written from its stories and not from their HTML page: 72 columns, links as footnotes."""

from composer.rendering.plain_text.edition import plain_text

__all__ = ["plain_text"]
