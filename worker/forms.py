"""What people send to the worker room, checked."""

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from annotate.formats import AUTO, FORMATS

TITLES = {
    AUTO: "Tell by its first row",
    "jsonl": "Touchstone",
    "table": "A table: prompt, response_a, response_b, …",
    "trl": "TRL preference: prompt, chosen, rejected",
    "hh-rlhf": "HH-RLHF",
    "helpsteer": "HelpSteer 1, 2",
    "helpsteer-preference": "HelpSteer 2 preference, HelpSteer 3",
    "ultrafeedback": "UltraFeedback",
    "ultrafeedback-binarized": "UltraFeedback, binarized",
    "reward-bench": "RewardBench 1, 2",
    "qa-feedback": "QA-Feedback",
    "prm800k": "PRM800K",
    "bigbench-mistake": "BIG-Bench Mistake",
    "mqm": "MQM (WMT), TSV",
    "pandalm": "PandaLM test set",
    "hanna": "HANNA",
    "argilla": "Argilla export",
    "label-studio": "Label Studio JSON",
}


class ImportForm(forms.Form):
    format = forms.ChoiceField(
        choices=[("", "Choose the format of the file"), *((name, TITLES[name]) for name in (AUTO, *FORMATS))]
    )
    file = forms.FileField(allow_empty_file=False)

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            limit = filesizeformat(settings.UPLOAD_MAX_BYTES)
            raise forms.ValidationError(f"The file is larger than {limit}; import it with manage.py import_items.")
        return file
