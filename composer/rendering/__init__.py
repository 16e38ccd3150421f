"""Edition content → MJML → HTML, and → plain text. Pure: content in, what will be sent out."""

from composer.rendering.message import eml
from composer.rendering.pipeline import RenderingError, render
from composer.rendering.result import Links, Rendering
from composer.rendering.themes import UnknownTheme, theme_names

__all__ = ["Links", "Rendering", "RenderingError", "UnknownTheme", "eml", "render", "theme_names"]
