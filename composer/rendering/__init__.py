"""Edition content → MJML → HTML, and → plain text. Pure: content in, what will be sent out."""

from composer.rendering.errors import FaultyThemeError, RenderingError, UnknownThemeError
from composer.rendering.message import eml
from composer.rendering.pipeline import render
from composer.rendering.result import Links, Rendering
from composer.rendering.themes import theme_names

__all__ = [
    "FaultyThemeError",
    "Links",
    "Rendering",
    "RenderingError",
    "UnknownThemeError",
    "eml",
    "render",
    "theme_names",
]
