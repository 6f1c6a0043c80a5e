"""What people send to the worker room, checked. The import form is in views/imports.py."""

from django import forms

from worker.services.training import RECIPES

QUEUES = (("cpu", "cpu: any worker"), ("gpu", "gpu: a worker with an accelerator"))


class TrainForm(forms.Form):
    recipe = forms.ChoiceField(
        choices=[(name, name) for name in RECIPES],
        help_text="heads: a frozen backbone, with heads for preference, rubric and spans; fitted in seconds.",
    )
    queue = forms.ChoiceField(choices=QUEUES)
