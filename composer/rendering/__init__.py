"""Edition content → MJML → HTML, and → plain text. Pure: content in, bytes-to-be out."""

from composer.rendering.message import eml
from composer.rendering.pipeline import render
from composer.rendering.result import Links, Rendering, UnknownTheme, theme_names

__all__ = ["Links", "Rendering", "UnknownTheme", "eml", "render", "theme_names"]
