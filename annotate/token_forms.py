"""What a person asks for when they make an access token."""

from datetime import timedelta

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from annotate.account_forms import AgainForm
from annotate.models import Project

SCOPES = {
    "see": "see: projects, progress, guidelines and what is asked",
    "judge": "judge: lease tasks, submit and skip",
    "review": "review: read items",
    "decide": "decide: decide cases",
    "research": "research: read judgements, jobs, versions and scores",
    "manage": "manage: bring in items, launch jobs, promote versions",
}


class TokenForm(AgainForm):
    """A token may outlive the session that made it: so a session alone makes none."""

    name = forms.CharField(label="What it is for", max_length=120, help_text="So that you know it again.")
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=SCOPES.items(),
        widget=forms.CheckboxSelectMultiple,
        help_text="Never more than you may do yourself, now and later.",
    )
    project = forms.ModelChoiceField(
        Project.objects.none(), label="Where", required=False, empty_label="In all projects that I am in"
    )
    days = forms.IntegerField(label="Days it stays good", min_value=1, max_value=365, initial=90)

    field_order = ("name", "scopes", "project", "days", "password")

    def __init__(self, request: HttpRequest, *args: object) -> None:
        super().__init__(request, *args)
        self.fields["project"].queryset = Project.objects.visible_to(request.user)
        self.fields["project"].label_from_instance = lambda project: project.name

    def wanted(self) -> dict:
        """What `create_token` is to make."""
        said = self.cleaned_data
        until = timezone.now() + timedelta(days=said["days"])
        return {name: said[name] for name in ("name", "scopes", "project")} | {"expires_at": until}
