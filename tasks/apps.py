from django.apps import AppConfig
from django.db.backends.signals import connection_created

from tasks.database import leases
from tasks.database.durability import commit_to_disk


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = "Delivery"

    def ready(self) -> None:
        # Whoever enqueues must do so at our broker: Celery's default application would not.
        from subscribers.segments import answer_with  # noqa: PLC0415 - as below
        from tasks import celery  # noqa: F401, PLC0415 - it needs the settings, which are whole only now
        from tasks.audience.engagement import engagement  # noqa: PLC0415 - it needs the models

        answer_with(engagement)
        connection_created.connect(commit_to_disk)
        connection_created.connect(leases.retake)
