"""What people send us, checked."""

from django import forms
from django.contrib.auth.forms import UserCreationForm

from annotate.models import Membership, Project, Role, User
from annotate.models.judgement import Source
from annotate.schema import Schema
from annotate.schema_text import SchemaError, read_schema
from annotate.services.exported import Export
from annotate.services.invite import DAYS


class SignUpForm(UserCreationForm):
    class Meta:
        model = User
        fields = ["username"]


class ProjectForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = ["name", "slug"]
        labels = {"slug": "Short name"}
        help_texts = {"slug": "Used in addresses and commands: small letters, digits and hyphens."}


class SchemaForm(forms.Form):
    body = forms.CharField(
        label="Schema, as JSON",
        strip=False,
        widget=forms.Textarea({"rows": 24, "spellcheck": "false", "class": "mono", "autocapitalize": "off"}),
        help_text="Each change makes a new version; judgements keep the version they were made under.",
    )

    def clean_body(self) -> Schema:
        try:
            return read_schema(self.cleaned_data["body"])
        except SchemaError as error:
            raise forms.ValidationError(error.messages) from error


class InviteForm(forms.Form):
    role = forms.ChoiceField(choices=Role)
    note = forms.CharField(label="For whom", max_length=120, required=False)
    days = forms.IntegerField(label="Days it stays good", min_value=1, max_value=30, initial=DAYS)


class RoleForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ["role"]


EXPORTS = {
    "touchstone": "Touchstone: everything",
    "reward": "Reward model rows",
    "preference": "Preference (TRL)",
    "dpo": "DPO (TRL)",
    "kto": "KTO (TRL)",
    "sft": "SFT (TRL)",
    "prm": "PRM, stepwise (TRL)",
}
SOURCES = {
    Source.HUMAN: "people",
    Source.IMPORTED: "files",
    Source.ADJUDICATED: "reviewers",
    Source.MACHINE: "machines",
    Source.SIMULATED: "simulated raters",
}


class ExportForm(forms.Form):
    format = forms.ChoiceField(choices=[("", "Choose what a row holds"), *EXPORTS.items()])
    container = forms.ChoiceField(label="File", choices=[("jsonl", "JSON lines"), ("parquet", "Parquet")])
    rows = forms.ChoiceField(
        label="One row for each",
        choices=[("pair", "pair, all its judgements together"), ("judgement", "judgement")],
        required=False,
    )
    sources = forms.MultipleChoiceField(
        label="Judgements of",
        choices=SOURCES.items(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: people, files and reviewers. Machines only when you tick them; Touchstone keeps all.",
    )
    after = forms.IntegerField(label="After item", required=False, min_value=0, max_value=2**63 - 1)

    def export(self) -> Export:
        """What was chosen."""
        said = self.cleaned_data
        return Export(
            format=said["format"],
            container=said["container"],
            sources=tuple(said["sources"]),
            together=said["rows"] != "judgement",
            after=said["after"] or 0,
        )
