"""Forms of rounds, suites and selection."""

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from annotate.models import Project
from worker.forms import ImportForm
from worker.models import RoundPolicy, SelectionPolicy
from worker.models.round import Rule
from worker.models.selection import Strategy
from worker.recipe_form import QUEUES

RULES = (
    (Rule.BETTER, "Better: the whole interval of the difference lies above 0, and the exact test gives p ≤ .05"),
    (Rule.NOT_WORSE, "Not worse: the whole interval lies above minus the tolerance"),
    (Rule.NEVER, "Never by itself: a person decides"),
)
STRATEGIES = (
    (Strategy.RANDOM, "At random"),
    (Strategy.MARGIN, "Margin: the smallest |Δ| first"),
    (Strategy.DISAGREEMENT, "Disagreement: the largest variance of σ(Δ) over an ensemble’s members first"),
    (Strategy.INFORMATION, "Information: the largest ½ ln(1 + p(1−p) zᵀΣz) first, less what those before it tell"),
)
SUITE_BYTES = 32 * 2**20
LONGEST_HOURS = 87_600


class RoundForm(forms.ModelForm):
    GROUPS = {
        "When": ("enabled", "after_judgements", "every_hours", "on_drift"),
        "How": ("like", "warm", "queue"),
        "What takes over": ("suite", "rule", "tolerance"),
    }
    like = forms.ModelChoiceField(
        None,
        required=False,
        label="Recipe and backbone",
        empty_label="as the version in use",
        help_text="Those of a version that is there. To use others, train one with them first.",
    )
    queue = forms.ChoiceField(choices=QUEUES)
    rule = forms.ChoiceField(choices=RULES, widget=forms.RadioSelect, label="Promote the new version if it is")
    tolerance = forms.FloatField(
        min_value=0, max_value=0.2, help_text="Of “not worse”: 0.01 is one point of accuracy.", required=False
    )

    class Meta:
        model = RoundPolicy
        fields = [
            "enabled", "after_judgements", "every_hours", "on_drift", "warm", "queue", "suite", "rule", "tolerance",
        ]  # fmt: skip
        labels = {
            "enabled": "Retrain by itself",
            "after_judgements": "After so many new judgements",
            "every_hours": "Every so many hours",
            "on_drift": "On drift",
            "warm": "Warm start",
            "suite": "Measured on",
        }
        help_texts = {
            "after_judgements": "Empty: not by number.",
            "every_hours": "Empty: not by the clock. Nothing starts without new judgements.",
            "on_drift": "New verdicts on new prompts are predicted worse than the held-out ones, and not by chance.",
            "warm": "From the promoted version’s weights instead of afresh (recipes lora and full).",
            "suite": "A frozen suite.",
        }

    def __init__(self, *args: object, project: Project, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["suite"].queryset = project.suites.order_by("name")
        self.fields["suite"].empty_label = "Choose a suite"
        self.fields["like"].queryset = project.versions.all()
        policy = self.instance
        same = (one for one in project.versions.all() if (one.recipe, one.backbone) == (policy.recipe, policy.backbone))
        self.initial["like"] = next(same, None) if policy.recipe else None
        for name in ("after_judgements", "every_hours"):
            self.fields[name].min_value = 1
            self.fields[name].widget.attrs["min"] = 1
        self.fields["every_hours"].widget.attrs["max"] = LONGEST_HOURS

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields in the order they are shown, under their headings."""
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS.items()]

    def clean(self) -> dict:
        said = super().clean()
        if said.get("enabled") and not said.get("suite"):
            self.add_error("suite", "Choose the suite that versions are compared on.")
        if said.get("enabled") and not any(said.get(name) for name in ("after_judgements", "every_hours", "on_drift")):
            self.add_error("enabled", "Say when: after new judgements, by the clock, or on drift.")
        if said.get("rule") == Rule.NOT_WORSE and not said.get("tolerance"):
            self.add_error("tolerance", "Not worse by how much? 0.01 is one point of accuracy.")
        return said

    def _positive(self, name: str) -> int | None:
        value = self.cleaned_data[name]
        if value == 0:
            raise forms.ValidationError("At least 1, or empty.")
        return value

    def clean_after_judgements(self) -> int | None:
        return self._positive("after_judgements")

    def clean_every_hours(self) -> int | None:
        if (hours := self._positive("every_hours")) and hours > LONGEST_HOURS:
            raise forms.ValidationError(f"At most {LONGEST_HOURS:,}, which is ten years.")
        return hours

    def clean_tolerance(self) -> float:
        return self.cleaned_data["tolerance"] or 0.0

    def said(self) -> dict:
        """What is stored: the recipe itself, so that it stays when the version goes."""
        fields, like = dict(self.cleaned_data), self.cleaned_data["like"]
        del fields["like"]
        return fields | {"recipe": like.recipe if like else {}, "backbone": like.backbone if like else ""}


class SuiteForm(ImportForm):
    """Pairs from a file."""

    name = forms.CharField(max_length=120)
    field_order = ["name", "format", "file"]

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        limit = min(SUITE_BYTES, settings.UPLOAD_MAX_BYTES)
        if file.size > limit:
            raise forms.ValidationError(f"The file is larger than {filesizeformat(limit)}.")
        return file


class FreezeForm(forms.Form):
    """The project's held-out pairs."""

    name = forms.CharField(max_length=120)


class WhyForm(forms.Form):
    why = forms.CharField(max_length=300, label="Why")


class SelectionForm(forms.ModelForm):
    strategy = forms.ChoiceField(choices=STRATEGIES, widget=forms.RadioSelect, label="Which tasks first?")
    random_share = forms.FloatField(
        min_value=0.05,
        max_value=1,
        label="Share by lot",
        help_text="0.05 to 1: drawn by chance alone among the others, so that what is measured can be corrected.",
    )
    batch = forms.IntegerField(
        min_value=1, max_value=2000, label="Batch", help_text="How many tasks are put in front at a time."
    )

    class Meta:
        model = SelectionPolicy
        fields = ["strategy", "random_share", "batch", "each_version"]
        labels = {"each_version": "Order again by each new version"}
        help_texts = {"each_version": ""}
