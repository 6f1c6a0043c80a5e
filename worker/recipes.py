"""A recipe as people change it: one value by one, each under its dotted name ("tuning.epochs"). No Django, no torch.

What a value means and with which others it does anything is written here once; the launch form, the command line and
sweeps all read it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from worker.rm.recipe import OBJECTIVES, Recipe

GROUPS = {
    "encoding": "How texts are read",
    "preference": "What is learned from pairs",
    "extras": "Beside the preference",
    "heads": "The heads",
    "tuning": "How weights are moved",
}
TRAINERS = {
    "heads": "heads: a frozen backbone, cached embeddings, heads fitted in seconds on a CPU",
    "lora": "lora: small matrices beside the backbone's weights are trained, the head with them",
    "full": "full: all weights of the backbone are trained",
}


def always(_: Mapping) -> bool:
    return True


def tuned(values: Mapping) -> bool:
    return values["name"] != "heads"


def trainer(name: str) -> Callable[[Mapping], bool]:
    return lambda values: values["name"] == name


def several(values: Mapping) -> bool:
    """An ensemble: more than one member."""
    return str(values["extras.members"]) not in ("", "1")


def combined(how: str) -> Callable[[Mapping], bool]:
    return lambda values: several(values) and values["extras.combine"] == how


def chosen(values: Mapping) -> bool:
    """Ridge heads are least squares, whatever the objective."""
    return not (values["name"] == "heads" and values["heads.head"] == "ridge")


class Option(NamedTuple):
    """How a value is asked for; `when` says with which other values it does anything."""

    label: str
    help: str = ""
    rare: bool = False
    when: Callable[[Mapping], bool] = always


OPTIONS = {
    "encoding.max_length": Option("Longest text", "Tokens of prompt and response. Empty: what the backbone can read."),
    "encoding.truncation": Option("Too long", "Where the prompt loses tokens; drop leaves the row out."),
    "encoding.template": Option("Template", "chat: the tokenizer's own, where it has one.", rare=True),
    "encoding.pooling": Option("Pooling", "auto: the last token of causal models, else the mean.", rare=True),
    "encoding.layers": Option("Layers", "The mean of that many last layers.", rare=True),
    "preference.objective": Option("Objective", when=chosen),
    "preference.order": Option("Order effect", "A learned favour of the response shown first; never scored."),
    "preference.soft_labels": Option("Soft labels", "Several raters of one pair become one share."),
    "preference.reliability": Option("Weigh raters", "A verdict counts by its rater's reliability.", rare=True),
    "preference.smoothing": Option("Smoothing ε", "p becomes (1−ε)p + ε(1−p).", rare=True),
    "preference.centring": Option("Centring c", "Adds c · mean (r₁ + r₂)².", rare=True),
    "extras.members": Option("Ensemble", "That many heads, each on its own draw of the prompts."),
    "extras.combine": Option("Of its members", "mean, the worst, mean − λ·variance, or a quantile.", when=several),
    "extras.uwo_weight": Option("λ of the variance", when=combined("uwo")),
    "extras.quantile": Option("Quantile of the members", when=combined("quantile")),
    "extras.length_calibration": Option("Take length out", "Subtract the trend of score on length, after training."),
    "extras.odin": Option("Two heads, quality and length", "ODIN: length is learned apart and dropped.", rare=True),
    "extras.attributes": Option("Weight of ratings", "0 leaves these heads out.", rare=True),
    "extras.segments": Option("Weight of marked spans", "0 leaves these heads out.", rare=True),
    "extras.steps": Option("Weight of steps", "0 leaves this head out.", rare=True),
    "extras.step_aggregate": Option("Steps make a score by", rare=True),
    "extras.quantiles": Option("Quantiles of the rating", "A head for each, as 0.1, 0.5, 0.9.", rare=True),
    "extras.gate": Option(
        "Gated mixture",
        "The preference is a mixture of the criteria (ArmoRM).",
        rare=True,
        when=lambda v: v["name"] == "heads" and not several(v),
    ),
    "extras.verbosity": Option(
        "Criterion of length",
        "Taken out of the others before gating.",
        rare=True,
        when=lambda v: v["name"] == "heads" and not several(v) and bool(v["extras.gate"]),
    ),
    "heads.head": Option("Head", when=trainer("heads")),
    "heads.hidden": Option("Width of the mlp", when=lambda v: v["name"] == "heads" and v["heads.head"] == "mlp"),
    "heads.rule": Option("Segments end with", rare=True),
    "heads.parts": Option("Features", "None ticked: all of them.", rare=True, when=trainer("heads")),
    "heads.folds": Option("Folds", "For cross-fitting, by prompt.", rare=True, when=trainer("heads")),
    "heads.l2": Option("Prior precisions", "Of the preference, to choose from.", rare=True, when=trainer("heads")),
    "heads.segment_l2": Option("Prior precision of segments", rare=True, when=trainer("heads")),
    "heads.attribute_l2": Option("Prior precision of ratings", rare=True, when=trainer("heads")),
    "heads.embedding_share": Option("Weight of the embedding", "Beside one feature.", rare=True, when=trainer("heads")),
    "tuning.epochs": Option("Epochs", when=tuned),
    "tuning.learning_rate": Option("Learning rate", "Empty: 1e-5 for full, 1e-4 for lora.", when=tuned),
    "tuning.token_budget": Option("Token budget", "Padded tokens of one forward. Empty: by the device.", when=tuned),
    "tuning.bf16": Option("bf16", "The backbone alone; heads and losses stay in float32.", when=tuned),
    "tuning.lora_rank": Option("Rank", when=trainer("lora")),
    "tuning.lora_alpha": Option("α", "The update counts α / rank.", rare=True, when=trainer("lora")),
    "tuning.lora_dropout": Option("Dropout", rare=True, when=trainer("lora")),
    "tuning.head_learning_rate": Option("Of the heads", "Empty: ten times the other.", rare=True, when=tuned),
    "tuning.warmup": Option("Warm-up", "Share of the steps; then it falls linearly to 0.", rare=True, when=tuned),
    "tuning.weight_decay": Option("Weight decay", rare=True, when=tuned),
    "tuning.clip": Option("Gradient norm at most", rare=True, when=tuned),
    "tuning.pairs_per_step": Option("Pairs per step", rare=True, when=tuned),
    "tuning.checkpointing": Option("Gradient checkpointing", "Less memory, more time.", rare=True, when=tuned),
    "tuning.shared_prefix": Option("Read a prompt once", "Causal backbones.", rare=True, when=tuned),
    "tuning.compile": Option("Compile", "torch.compile; pays in long runs.", rare=True, when=tuned),
    "tuning.freeze_embeddings": Option("Keep token embeddings", rare=True, when=trainer("full")),
    "tuning.save_every": Option("Steps between checkpoints", rare=True, when=tuned),
    "tuning.seed": Option("Seed", rare=True),
}


def fields() -> dict[str, FieldInfo]:
    """Every value of a recipe by its dotted name, with what it may be; "name", the trainer, first."""
    found = {"name": Recipe.model_fields["name"]}
    for part in GROUPS:
        model: type[BaseModel] = Recipe.model_fields[part].annotation
        found |= {f"{part}.{name}": field for name, field in model.model_fields.items()}
    return found


FIELDS = fields()


def flat(recipe: Recipe) -> dict[str, object]:
    """The recipe's values by dotted name."""
    values = {f"{part}.{name}": value for part in GROUPS for name, value in getattr(recipe, part)}
    return {"name": recipe.name} | values


DEFAULTS = flat(Recipe())


def recipe_of(values: Mapping[str, object]) -> Recipe:
    """The recipe with these values, all others as they are by default; pydantic's ValidationError names a wrong one.

    Texts are read: "2" for a number, "0.1, 0.5" for several, "" for the default. KeyError: a name that no value has.
    """
    nested: dict = {}
    for name, value in values.items():
        part, _, key = name.rpartition(".")
        if (read := _read(FIELDS[name], value)) is not None:
            (nested.setdefault(part, {}) if part else nested)[key] = read
    return Recipe.model_validate(nested)


def _read(field: FieldInfo, value: object) -> object:
    """A text as pydantic takes it; None: left out."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text and get_origin(field.annotation) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text or None


def changed(recipe: Recipe) -> dict[str, object]:
    """What is not as it is by default, by dotted name; the trainer always."""
    return {name: value for name, value in flat(recipe).items() if name == "name" or value != DEFAULTS[name]}


def stored(recipe: Recipe) -> dict:
    """What a job keeps of it: the trainer and what was changed, as plain JSON."""
    return {"name": recipe.name} | recipe.model_dump(mode="json", exclude_defaults=True)


def idle(recipe: Recipe) -> list[str]:
    """Values that were changed and that do nothing under this recipe."""
    values = flat(recipe)
    return [name for name in changed(recipe) if name in OPTIONS and not OPTIONS[name].when(values)]


def choices(name: str) -> tuple[str, ...]:
    """What may be chosen from; () where anything may be written."""
    if name == "preference.objective":
        return tuple(OBJECTIVES)
    annotation = FIELDS[name].annotation
    if get_origin(annotation) is tuple:  # several of some
        annotation = get_args(annotation)[0]
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def parse(pairs: Iterable[str]) -> dict[str, str]:
    """["tuning.epochs=2"] → {"tuning.epochs": "2"}; ValueError names what is no value of a recipe."""
    values = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in FIELDS or name == "name":
            raise ValueError(f"{pair!r} sets nothing: write NAME=VALUE, NAME one of {', '.join(OPTIONS)}.")
        values[name] = text
    return values


def complaints(error: ValidationError) -> dict[str, str]:
    """Dotted name ("" for the whole) → what pydantic's ValidationError says of it."""
    told: dict[str, str] = {}
    for one in error.errors(include_url=False):
        name = ".".join(str(part) for part in one["loc"][:2])
        text = one["msg"].removeprefix("Value error, ")
        told.setdefault(name if name in FIELDS else "", f"{text}." if not text.endswith(".") else text)
    return told


def checked(values: Mapping[str, object]) -> Recipe:
    """As recipe_of, for those who type names: ValueError says in one line what is wrong or does nothing."""
    try:
        recipe = recipe_of(values)
    except ValidationError as error:
        raise ValueError(" ".join(f"{name}: {text}".lstrip(": ") for name, text in complaints(error).items())) from None
    if unused := idle(recipe):
        raise ValueError(f"{', '.join(unused)} would change nothing with trainer {recipe.name} and these values.")
    return recipe


class Line(NamedTuple):
    """One value of a recipe, to be read."""

    label: str
    name: str  # dotted
    value: object
    changed: bool


def in_groups(kept: Mapping) -> list[tuple[str, list[Line]]]:
    """A kept recipe as (title, its values that did something), those at their default as well.

    One that is written differently from today's is shown as it stands.
    """
    try:
        recipe = Recipe.model_validate(kept)
    except ValidationError:
        return [("As it was kept", [Line(name, name, value, True) for name, value in kept.items()])]
    values = flat(recipe)
    groups = [
        (title, [_line(name, values) for name in OPTIONS if name.startswith(f"{part}.") and OPTIONS[name].when(values)])
        for part, title in GROUPS.items()
    ]
    return [(title, lines) for title, lines in groups if lines]


def combining(kept: Mapping) -> list[Line]:
    """Of the recipe of an ensemble of versions what is its own: the rest is its newest member's."""
    own = ("extras.members", "extras.combine", "extras.uwo_weight", "extras.quantile")
    return [line for _, lines in in_groups(kept) for line in lines if line.name in own]


def _line(name: str, values: Mapping[str, object]) -> Line:
    return Line(OPTIONS[name].label, name, values[name], values[name] != DEFAULTS[name])
