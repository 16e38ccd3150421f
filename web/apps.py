from django.apps import AppConfig
from django.db.backends.signals import connection_created


class WebConfig(AppConfig):
    name = "web"
    verbose_name = "Web"

    def ready(self) -> None:
        from web.availability import limit_statements  # noqa: PLC0415 - it needs the models

        connection_created.connect(limit_statements)
