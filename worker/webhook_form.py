"""What people send to have an address told."""

from django import forms

from worker.models.webhook import KINDS

WORDS = {
    "judgement.submitted": "a judgement was made",
    "judgement.revised": "a judgement was changed",
    "judgement.stored": "judgements came with a file",
    "judgement.withdrawn": "judgements were withdrawn",
    "judgement.restored": "a withdrawal was undone",
    "job.queued": "a job was launched",
    "job.running": "a job began",
    "job.done": "a job is done",
    "job.failed": "a job failed",
    "job.cancelled": "a job was cancelled",
}


class WebhookForm(forms.Form):
    url = forms.CharField(max_length=500, label="Address", help_text="https:// and a public name, on port 443 or 8443.")
    kinds = forms.MultipleChoiceField(
        label="Tell it when",
        choices=[(kind, WORDS[kind]) for kind in KINDS],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose what it is told."},
    )
