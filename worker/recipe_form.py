"""The form of a recipe: its fields are those values that do something with the others that stand in it."""

from collections.abc import Mapping
from itertools import groupby
from typing import get_origin

from django import forms
from django.conf import settings
from django.http import QueryDict
from pydantic import ValidationError

from annotate.models import Project
from annotate.text import prose
from worker.recipes import DEFAULTS, FIELDS, GROUPS, OPTIONS, TRAINERS, Option, choices, complaints, recipe_of
from worker.rm.recipe import OBJECTIVES, Recipe
from worker.services.training import backbones

QUEUES = (("cpu", "cpu: any worker"), ("gpu", "gpu: a worker with an accelerator"))
# With the trainer, values on which it depends whether others do something.
STEERING = ("preference.objective", "extras.members", "extras.combine", "extras.gate", "heads.head")
RIDGE = "Ridge heads are least squares of the labels, whatever the objective"


def formulas() -> list[tuple[str, str, str, str]]:
    """(key, title, formula as markup, source) of each objective."""
    return [(key, one.title, prose(f"${one.latex}$"), one.source) for key, one in OBJECTIVES.items()]


class RecipeForm(forms.Form):
    """Bound or not, it has the fields of the trainer and of the other values in `data` or `initial`.

    `here` is where the page asks for the form anew when a value that steers was changed.
    """

    def __init__(
        self, data: QueryDict | None = None, *, project: Project, here: str, initial: Mapping | None = None
    ) -> None:
        super().__init__(_completed(data), initial=DEFAULTS | {"queue": "cpu"} | dict(initial or {}))
        self.criteria = [criterion.key for criterion in project.schema.criteria]
        self.fields["name"] = forms.ChoiceField(
            label="Trainer", choices=list(TRAINERS.items()), widget=forms.RadioSelect
        )
        self.fields["backbone"] = forms.ChoiceField(choices=list(backbones().items()))
        self.fields["queue"] = forms.ChoiceField(choices=QUEUES)
        values = self._values()
        for name, option in OPTIONS.items():
            if option.when(values):
                self.fields[name] = self._field(name, option)
        for name in {"name", *STEERING} & set(self.fields):
            self.fields[name].widget.attrs |= {"hx-get": here}
        self.recipe: Recipe | None = None

    def _values(self) -> dict[str, object]:
        """What stands in the form, not yet checked."""
        if not self.is_bound:
            return dict(self.initial)
        ticked = {name for name, value in DEFAULTS.items() if isinstance(value, bool)}
        return {name: name in self.data if name in ticked else self.data.get(name, DEFAULTS[name]) for name in DEFAULTS}

    def _field(self, name: str, option: Option) -> forms.Field:
        said = {"label": option.label, "help_text": option.help, "required": False}
        several = get_origin(FIELDS[name].annotation) is tuple
        if isinstance(DEFAULTS[name], bool):
            return forms.BooleanField(**said)
        if several and choices(name):
            return forms.MultipleChoiceField(choices=_same(choices(name)), widget=forms.CheckboxSelectMultiple, **said)
        if name == "extras.verbosity":
            return forms.ChoiceField(choices=[("", "none"), *_same(self.criteria)], **said)
        if choices(name):
            titles = {key: one.title for key, one in OBJECTIVES.items()}
            return forms.ChoiceField(choices=[(key, titles.get(key, key)) for key in choices(name)], **said)
        return forms.CharField(widget=forms.TextInput(attrs={"placeholder": _written(DEFAULTS[name])}), **said)

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> object:
        """Numbers stand as texts; what is as it is by default leaves its place to the placeholder."""
        value = super().get_initial_for_field(field, field_name)
        if type(field) is not forms.CharField:
            return value
        return "" if value == DEFAULTS.get(field_name) else _written(value)

    def clean(self) -> dict:
        """`recipe` holds what was asked for; what pydantic refuses is told at its field."""
        given = {name: value for name, value in self.cleaned_data.items() if name in FIELDS}
        try:
            self.recipe = recipe_of(given)
        except ValidationError as error:
            for name, text in complaints(error).items():
                self.add_error(name if name in self.fields else None, text)
        return self.cleaned_data

    @property
    def launch(self) -> dict:
        """What start_training is told; unbound, what it would be told by the values that stand in the form."""
        if self.is_bound:
            return {name: self.cleaned_data[name] for name in ("backbone", "queue")} | {"recipe": self.recipe}
        named = {name: value for name, value in self.initial.items() if name in FIELDS}
        place = {"backbone": self.initial.get("backbone", settings.BACKBONE), "queue": self.initial["queue"]}
        return place | {"recipe": recipe_of(named)}

    def groups(self) -> list[dict]:
        """[{"title", "fields": bound fields, "rare": those that hide under More, "open": whether one was changed}]"""
        names = [name for name in self.fields if name in OPTIONS]
        return [self._group(part, list(own)) for part, own in groupby(names, lambda name: name.partition(".")[0])]

    def _group(self, part: str, names: list[str]) -> dict:
        rare = [self[name] for name in names if OPTIONS[name].rare]
        usual = [self[name] for name in names if not OPTIONS[name].rare]
        return {"title": GROUPS[part], "fields": usual, "rare": rare, "open": any(map(self._stands_out, rare))}

    def _stands_out(self, field: forms.BoundField) -> bool:
        usual = ("", _written(None), _written(DEFAULTS[field.name]))
        return bool(field.errors) or _written(field.value()) not in usual

    def formula(self) -> tuple[str, str, str, str]:
        """The line of `formulas` that is chosen; least squares where no objective can be."""
        if "preference.objective" not in self.fields:
            return ("ridge", "Least squares", prose(r"$\left[\Delta - 4\left(p - \tfrac{1}{2}\right)\right]^2$"), RIDGE)
        chosen = self._values()["preference.objective"]
        return next((line for line in formulas() if line[0] == chosen), formulas()[0])


def _completed(data: QueryDict | None) -> QueryDict | None:
    """With the default of each choice that was not sent: another trainer's, or one nobody was asked for."""
    if data is None:
        return None
    data = data.copy()
    for name, default in DEFAULTS.items():
        if choices(name) and name != "name":
            data.setlistdefault(name, list(default) if isinstance(default, tuple) else [default])
    return data


def _same(keys: list[str] | tuple[str, ...]) -> list[tuple[str, str]]:
    return [(key, key) for key in keys]


def _written(value: object) -> str:
    """As it could be typed."""
    if value is None:
        return "auto"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return ", ".join(map(_written, value)) if isinstance(value, tuple | list) else str(value)
