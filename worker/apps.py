from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "worker"

    def ready(self) -> None:
        """Celery's signals find their receivers by this import."""
        from worker import signals  # noqa: F401
