from django.apps import AppConfig
from django.db.backends.signals import connection_created


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = "Delivery"

    def ready(self) -> None:
        # Messages must go to our broker: Celery's default application would send them elsewhere.
        from tasks import celery  # noqa: F401
        from tasks.database.durability import commit_to_disk

        connection_created.connect(commit_to_disk)
