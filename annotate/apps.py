from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class AnnotateConfig(AppConfig):
    name = "annotate"

    def ready(self) -> None:
        from annotate.ledger import guard
        from annotate.storable import watch

        post_migrate.connect(guard, sender=self, dispatch_uid="annotate.ledger")
        connection_created.connect(watch)
