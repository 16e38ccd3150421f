from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = "Delivery"

    def ready(self) -> None:
        # Whoever rings a doorbell must ring it at our broker: Celery's default application would not.
        from tasks import app  # noqa: F401
