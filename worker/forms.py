"""What people send to the worker room, checked."""

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from annotate.formats import FORMATS
from worker.services.training import RECIPES

QUEUES = (("cpu", "cpu: any worker"), ("gpu", "gpu: a worker with an accelerator"))
TITLES = {"jsonl": "Touchstone JSON lines", "qa-feedback": "QA-Feedback JSON", "hh-rlhf": "HH-RLHF JSON lines"}


class TrainForm(forms.Form):
    recipe = forms.ChoiceField(
        choices=[(name, name) for name in RECIPES],
        help_text="heads: a frozen backbone, with heads for preference, rubric and spans; fitted in seconds.",
    )
    queue = forms.ChoiceField(choices=QUEUES)


class ImportForm(forms.Form):
    format = forms.ChoiceField(
        choices=[("", "Choose the format of the file"), *((name, TITLES[name]) for name in FORMATS)]
    )
    file = forms.FileField(allow_empty_file=False)

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            limit = filesizeformat(settings.UPLOAD_MAX_BYTES)
            raise forms.ValidationError(f"The file is larger than {limit}; import it with manage.py import_items.")
        return file
