"""What a file holds, gathered record by record, and what a project must ask to take it in. PURE."""

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from annotate.formats.record import Record, Verdict
from annotate.schema import Category, Criterion, Principle, Schema

SCALES = ((1, 5), (0, 4), (1, 7), (0, 9), (1, 10))  # the usual ones, tried in turn
KEY = re.compile(r"[a-z][a-z0-9_-]{0,39}")  # as annotate.schema has it
MOST = 200  # keys of one kind
TOLD = 5  # places that a warning names
# A response that says who wrote it unblinds its raters (FastChat's arena drops such votes by a list like this one).
MAKERS = re.compile(
    r"\b(?:(?:developed|created|trained|made|built) by (?:OpenAI|Anthropic|Google|DeepMind|Meta|Mistral|Microsoft"
    r"|Alibaba|Cohere|xAI|DeepSeek|LMSYS|Databricks)"
    r"|I(?:'m| am) (?:ChatGPT|GPT-\d|Claude|Gemini|Bard|Llama|LLaMA|Mistral|Qwen"
    r"|Vicuna|Bing|Copilot|Grok|DeepSeek|Koala|Alpaca|Dolly|Falcon|Open ?Assistant))\b"
)
MODELS = re.compile(r"\b[Aa]s an? (?:AI|artificial intelligence|(?:large )?language model)\b")


# Plain search for one of these words is much faster than the patterns, and nearly all texts have none.
MADE = (" by ", "I am ", "I'm ")
NAMED = ("s an AI", "s an artificial", "s a large", "s a language")


def names_maker(text: str) -> bool:
    """Does a response say who made the model that wrote it, or which one it is?"""
    return any(word in text for word in MADE) and bool(MAKERS.search(text))


def names_model(text: str) -> bool:
    """Does a response say that a model wrote it?"""
    return any(word in text for word in NAMED) and bool(MODELS.search(text))


@dataclass
class Holds:
    """Counts, and the keys that judgements use."""

    items: int = 0
    responses: int = 0
    judgements: int = 0
    unjudged: int = 0  # items without a judgement
    sources: Counter = field(default_factory=Counter)
    spans: Counter = field(default_factory=Counter)  # by category
    criteria: dict[str, list] = field(default_factory=dict)  # key -> [least, greatest, all whole?, reasons given?]
    principles: dict[str, None] = field(default_factory=dict)
    safety: dict[str, None] = field(default_factory=dict)
    asks: set[str] = field(default_factory=set)  # steps, turns, partial, omissions, rewrite, demonstration
    makers: int = 0  # responses that name the maker of their model
    models: int = 0  # responses that say they are a model's
    telling: dict[str, list[str]] = field(default_factory=dict)  # "makers", "models" -> where the first of them stand

    def add(self, one: Record, where: str = "") -> None:
        """Count the record in. ValueError where a key could stand in no schema, or there are too many."""
        self.items += 1
        self.responses += len(one.responses)
        self.judgements += len(one.judgements)
        self.unjudged += not one.judgements
        self._unblinding("makers", names_maker, one, where)
        self._unblinding("models", names_model, one, where)
        for verdict in one.judgements:
            self._add(verdict)
        for name in ("spans", "criteria", "principles", "safety"):
            if len(getattr(self, name)) > MOST:
                raise ValueError(f"more than {MOST} different {name.replace('spans', 'span categories')}")

    def _unblinding(self, name: str, tells: Callable[[str], bool], one: Record, where: str) -> None:
        found = sum(tells(answer.text) for answer in one.responses)
        setattr(self, name, getattr(self, name) + found)
        places = self.telling.setdefault(name, [])
        if found and where and len(places) <= TOLD:
            places.append(where)

    def _add(self, verdict: Verdict) -> None:
        self.sources[verdict.source] += 1
        self.spans.update(span.category for span in verdict.spans)
        self.principles |= dict.fromkeys(verdict.principles)
        self.safety |= dict.fromkeys(key for values in verdict.safety.values() for key in values)
        if bad := [key for key in self.safety if not KEY.fullmatch(key)]:
            raise ValueError(f"safety: {bad[0]!r} is no key of a category")
        for place, ratings in verdict.ratings.items():
            for key, value in ratings.items():
                self._rate(key, value, key in verdict.rationales.get(place, ()))
        for key in {key for values in verdict.rationales.values() for key in values} & set(self.criteria):
            self.criteria[key][3] = True
        ranked = sum(map(len, verdict.ranking))
        said = {"steps": verdict.steps, "turns": verdict.turns, "omissions": verdict.omissions}
        said |= {"rewrite": verdict.corrections, "demonstration": verdict.demonstration}
        said |= {"partial": verdict.outcome == "ranking" and ranked < len(verdict.shown)}
        self.asks |= {name for name, value in said.items() if value}

    def _rate(self, key: str, value: float, reason: bool) -> None:
        low, high, whole, reasons = self.criteria.get(key, (value, value, True, False))
        if not KEY.fullmatch(key) or not -1e9 <= value <= 1e9:
            raise ValueError(f"ratings: {key!r} = {value!r} is no level of a criterion")
        whole = whole and value == int(value)
        self.criteria[key] = [min(low, value), max(high, value), whole, reasons or reason]


def warnings(holds: Holds) -> list[str]:
    """What a person should know before these items are judged, in sentences with the first places in the file."""
    said = {
        "Responses that name the maker of their model, which raters will see": (holds.makers, "makers"),
        "Responses that say they come from a model (“as an AI”)": (holds.models, "models"),
        "Items without a judgement": (holds.unjudged if holds.judgements else 0, ""),
        "Judgements of a machine": (holds.sources["machine"], ""),
        "Simulated judgements": (holds.sources["simulated"], ""),
    }
    return [f"{words}: {count:,}{_places(holds.telling.get(name))}." for words, (count, name) in said.items() if count]


def _places(where: list[str] | None) -> str:
    """In brackets; one place more than are told says that there are more."""
    return f" ({', '.join(where[:TOLD])}{' …' if len(where) > TOLD else ''})" if where else ""


def admit(schema: Schema, holds: Holds) -> Schema:
    """The schema with what the file's judgements use and it lacks. Nothing that is there changes its meaning.

    A criterion gets the first usual scale that holds its values, or else is a number.
    """
    new = {
        "categories": schema.categories + _named(holds.spans, schema.categories, Category),
        "safety": schema.safety + _named(holds.safety, schema.safety, Category),
        "principles": schema.principles + _named(holds.principles, schema.principles, Principle),
        "criteria": _reasoned(schema.criteria, holds) + _criteria(schema.criteria, holds),
    }
    new |= {name: True for name in ("turns", "partial", "omissions") if name in holds.asks}
    if "steps" in holds.asks and schema.steps == "off":
        new["steps"] = "each"
    return Schema.model_validate(schema.model_copy(update=new).model_dump())


def added(old: Schema, new: Schema) -> dict[str, list[str]]:
    """What `admit` has put in: {"categories": [keys], …}, and under "asks" the questions that it has turned on."""
    lists = ("categories", "criteria", "principles", "safety")
    keys = {name: [part.key for part in getattr(new, name)[len(getattr(old, name)) :]] for name in lists}
    keys["asks"] = [n for n in ("steps", "turns", "partial", "omissions") if getattr(old, n) != getattr(new, n)]
    return {name: found for name, found in keys.items() if found}


def label(key: str) -> str:
    """A key in words."""
    return key.replace("-", " ").replace("_", " ").strip().capitalize() or key


def _named(keys: object, known: tuple, part: type) -> tuple:
    return tuple(part(key=key, label=label(key)) for key in sorted(set(keys) - {one.key for one in known}))


def _criteria(known: tuple[Criterion, ...], holds: Holds) -> tuple[Criterion, ...]:
    new = sorted(set(holds.criteria) - {one.key for one in known})
    return tuple(_criterion(key, *holds.criteria[key]) for key in new)


def _criterion(key: str, low: float, high: float, whole: bool, reasons: bool) -> Criterion:
    values = {"key": key, "label": label(key), "rationale": reasons}
    scale = next((s for s in SCALES if s[0] <= low and high <= s[1]), None)
    if scale and whole:
        return Criterion(low=scale[0], high=scale[1], **values)
    low, high = scale or (math.floor(low), math.ceil(high))
    return Criterion(kind="number", low=low, high=max(high, low + 1), **values)


def _reasoned(known: tuple[Criterion, ...], holds: Holds) -> tuple[Criterion, ...]:
    """Reasons for a level come in where the project had not asked for them."""
    gives = {key for key, found in holds.criteria.items() if found[3]}
    return tuple(one.model_copy(update={"rationale": True}) if one.key in gives else one for one in known)
