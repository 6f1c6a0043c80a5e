"""What people send us, checked."""

from django import forms
from django.contrib.auth.forms import UserCreationForm

from annotate.models import Membership, Project, Role, User
from annotate.schema import Schema
from annotate.schema_text import SchemaError, read_schema
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


class SettingsForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = ["name", "overlap", "lease_minutes", "paused", "guidelines"]
        labels = {"lease_minutes": "Lease, in minutes"}
        help_texts = {"paused": "Nobody is given a new task; work in hand can be finished."}
        widgets = {"guidelines": forms.Textarea({"rows": 12})}

    def clean_guidelines(self) -> str:
        return self.cleaned_data["guidelines"].replace("\r\n", "\n")  # browsers send CRLF


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
