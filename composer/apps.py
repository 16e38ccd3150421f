from django.apps import AppConfig
from django.conf import settings

from newsdesk.core import paths


class ComposerConfig(AppConfig):
    name = "composer"
    verbose_name = "Composer"

    def ready(self) -> None:
        paths.use_themes(settings.THEMES_DIR)
