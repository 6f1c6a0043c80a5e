"""The form of a sweep: the form of a recipe, and up to three of its values to try several of."""

from collections.abc import Mapping

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from annotate.models import Project
from worker.recipe_form import RecipeForm
from worker.recipes import DEFAULTS, GROUPS, OPTIONS
from worker.services.sweep import points

AXES = ("1", "2", "3")


class SweepForm(RecipeForm):
    def __init__(
        self, data: QueryDict | None = None, *, project: Project, here: str, initial: Mapping | None = None
    ) -> None:
        super().__init__(data, project=project, here=here, initial=initial)
        for n in AXES:
            field = forms.ChoiceField(label=f"Value {n}", choices=self._sweepable(), required=False)
            self.fields[f"field{n}"] = field
            hint = {"placeholder": "as 1e-5, 3e-5"}
            self.fields[f"values{n}"] = forms.CharField(
                label="Try", required=False, widget=forms.TextInput(attrs=hint), help_text="With commas between."
            )
        self.grid: dict[str, list[str]] = {}
        self.runs = 0

    def _sweepable(self) -> list:
        """Single values that do something with the others, by group."""
        shown = [name for name in self.fields if name in OPTIONS and not isinstance(DEFAULTS[name], tuple)]
        groups = [
            (title, [(name, OPTIONS[name].label) for name in shown if name.partition(".")[0] == part])
            for part, title in GROUPS.items()
        ]
        return [("", "–"), *groups]

    def clean(self) -> dict:
        """`grid` and the number of `runs`; what is wrong is told where the values were written."""
        cleaned = super().clean()
        axis = {cleaned.get(f"field{n}"): n for n in reversed(AXES) if cleaned.get(f"field{n}")}
        if len(axis) < sum(bool(cleaned.get(f"field{n}")) for n in AXES):
            raise ValidationError("A value stands in two places.")
        self.grid = {name: _values(cleaned.get(f"values{n}", "")) for name, n in reversed(axis.items())}
        if self.recipe is None or not self.grid:
            return cleaned
        try:
            self.runs = len(points(self.recipe, self.grid))
        except ValidationError as error:
            self._tell(error, axis)
        return cleaned

    def _tell(self, error: ValidationError, axis: dict[str, str]) -> None:
        if not hasattr(error, "error_dict"):
            self.add_error("values1", error)
            return
        for name, texts in error.message_dict.items():
            self.add_error(f"values{axis[name]}" if name in axis else None, texts)

    def axes(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"field{n}"], self[f"values{n}"]) for n in AXES]

    @property
    def launch(self) -> dict:
        """What start_sweep is told."""
        return super().launch | {"grid": self.grid}


def _values(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
