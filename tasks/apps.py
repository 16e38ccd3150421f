from django.apps import AppConfig
from django.db.backends.signals import connection_created


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = "Delivery"

    def ready(self) -> None:
        # Whoever rings a doorbell must ring it at our broker: Celery's default application would not.
        from tasks import celery  # noqa: F401
        from tasks.database.durability import commit_to_disk

        connection_created.connect(commit_to_disk)
