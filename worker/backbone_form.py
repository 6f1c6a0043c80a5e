"""What people ask to be registered as a backbone, checked."""

from django import forms
from django.core.validators import RegexValidator

from worker.services.backbone import BUNDLED, folders

HUB_ID = RegexValidator(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z", "A hub id is owner/name.")
NAME = RegexValidator(r"^[A-Za-z0-9][\w./-]*\Z", "Letters, digits and . _ - / only.")


class BackboneForm(forms.Form):
    hub = forms.CharField(
        label="Hub id",
        required=False,
        max_length=200,
        validators=[HUB_ID],
        help_text="owner/name of an encoder or a causal model with safetensors weights; a worker downloads it.",
    )
    folder = forms.ChoiceField(
        label="Or a folder",
        required=False,
        help_text="One that was put into the backbones' folder of the server, or the bundled model.",
    )
    name = forms.CharField(
        required=False, max_length=120, validators=[NAME], help_text="What it is called here; the same, if left empty."
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        own = [(name, name) for name in folders()]
        self.fields["folder"].choices = [("", "None"), (BUNDLED, f"{BUNDLED}, the bundled one"), *own]

    def clean(self) -> dict:
        found = super().clean()
        if not self.errors and bool(found.get("hub")) == bool(found.get("folder")):
            raise forms.ValidationError("Give a hub id or choose a folder, one of the two.")
        return found
