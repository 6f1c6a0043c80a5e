"""Forms by which admins and reviewers steer a project."""

from django import forms

from annotate.models import Project, User


class SettingsForm(forms.ModelForm):
    GROUPS = {
        "The project": ("name", "paused"),
        "Serving tasks": ("overlap", "lease_minutes", "quota", "daily_quota"),
        "Checks": ("gold_share", "swap_share", "pass_share"),
        "What raters are told": ("gold_feedback", "show_outcomes"),
    }

    class Meta:
        model = Project
        fields = [
            "name", "paused", "overlap", "lease_minutes", "quota", "daily_quota", "gold_share", "swap_share",
            "pass_share", "gold_feedback", "show_outcomes",
        ]  # fmt: skip
        labels = {
            "lease_minutes": "Lease, in minutes",
            "quota": "Judgements of one rater at most",
            "daily_quota": "At most on one day",
            "gold_share": "Share of gold tasks",
            "swap_share": "Share of repeats",
            "pass_share": "Pass mark",  # nosec B105  # no password
            "gold_feedback": "Gold feedback",
            "show_outcomes": "Raters see outcomes",
        }
        help_texts = {
            "paused": "Nobody is given a new task; work in hand can be finished.",
            "quota": "Leave it empty for no limit. A person may have another limit, set under People.",
            "daily_quota": "Leave it empty for no limit. The day ends at midnight, server time.",
            "gold_share": "0 to 0.5: tasks with a known answer, hidden among the others.",
            "swap_share": "0 to 0.5: tasks that come back to the same rater in another order.",
            "pass_share": "0 to 1: share of the qualification set that a new rater must get right.",  # nosec B105
        }

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields in the order they are shown, under their headings."""
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS.items()]


class GuidelinesForm(forms.Form):
    guidelines = forms.CharField(
        label="Text, in Markdown",
        required=False,
        strip=False,
        max_length=100_000,
        widget=forms.Textarea({"rows": 24}),
        help_text="Raters are told when it changes. Every version is kept.",
    )

    def clean_guidelines(self) -> str:
        return self.cleaned_data["guidelines"].replace("\r\n", "\n")  # browsers send CRLF


class KnownForm(forms.Form):
    kind = forms.ChoiceField(
        label="What for",
        choices=[
            ("gold", "Gold: hidden among the tasks"),
            ("qualification", "Qualification: a new rater begins with it"),
            ("example", "Worked example: shown beside the guidelines"),
        ],
        widget=forms.RadioSelect,
    )
    title = forms.CharField(max_length=120, required=False, help_text="Of an example: what it shows.")
    explanation = forms.CharField(
        required=False,
        max_length=20_000,
        strip=False,
        widget=forms.Textarea({"rows": 6}),
        help_text="Markdown: why this is the answer. Shown with an example, and with feedback where it is on.",
    )


class QuotaForm(forms.Form):
    quota = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)


class MachineForm(forms.Form):
    name = forms.CharField(label="Name of the model", max_length=80, help_text="Letters, digits and @ . + - _ only.")


class MakingForm(forms.Form):
    """How far the making of tasks has come: the number of the last item, and how many are made."""

    after = forms.IntegerField(min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput)
    made = forms.IntegerField(min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput)


class AssignForm(forms.Form):
    """What to do with the tasks of some items."""

    ACTS = ("assign", "unassign", "priority")

    act = forms.ChoiceField(choices=[(act, act) for act in ACTS])
    items = forms.ModelMultipleChoiceField(queryset=None, required=False)
    everything = forms.BooleanField(required=False)
    people = forms.ModelMultipleChoiceField(queryset=None, required=False)
    priority = forms.IntegerField(required=False, min_value=-1000, max_value=1000)

    def __init__(self, *args: object, project: Project, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["people"].queryset = User.objects.filter(memberships__project=project, is_machine=False)
        self.fields["items"].queryset = project.items.all()

    def clean(self) -> dict:
        said = super().clean()
        if not said.get("everything") and not said.get("items"):
            raise forms.ValidationError("Choose some items first.")
        if said.get("act") == "assign" and not said.get("people"):
            raise forms.ValidationError("Choose the people.")
        if said.get("act") == "priority" and said.get("priority") is None:
            raise forms.ValidationError("A priority is a whole number from −1000 to 1000.")
        return said
