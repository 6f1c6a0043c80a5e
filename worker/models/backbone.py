from django.conf import settings
from django.db import models

from annotate.models.checks import hashed, positive


class Backbone(models.Model):
    """A transformer that reward models are built on, as a worker found it. All projects share them."""

    name = models.CharField(max_length=120, unique=True)
    source = models.CharField(max_length=300, help_text='"minilm", a folder, or a hub id.')
    causal = models.BooleanField()
    architecture = models.CharField(max_length=120)
    parameters = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(help_text="Of its hidden states.")
    layers = models.PositiveIntegerField()
    context_length = models.PositiveIntegerField(help_text="Tokens it can read.")
    chat_template = models.BooleanField(default=False)
    licence = models.CharField(max_length=120, blank=True, help_text="As its card says; empty: the card is silent.")
    sha256 = models.CharField(max_length=64, help_text="Of its weights.")
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            hashed("sha256", "backbone"),
            positive("width", "backbone"),
            positive("context_length", "backbone"),
        ]

    def __str__(self) -> str:
        return self.name
