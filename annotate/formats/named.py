"""What other annotation tools export: fields and questions whose names somebody chose. PURE.

Argilla and Label Studio let each project name its own fields, so a name must tell what it holds: `prompt` asks, and
`response`, `response-1`, `answer_b`, `text2` … answer. What a question says of one response names it in the same way.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from annotate.formats.fields import key_of
from annotate.formats.messages import turns
from annotate.formats.pairs import alone

PROMPTS = (
    "prompt",
    "instruction",
    "question",
    "query",
    "input",
    "messages",
    "conversation",
    "chat",
    "source",
    "article",
)
CONTEXT = ("context", "background", "passage", "document", "reference")
ANSWER = re.compile(
    r"(response|completion|answer|output|generation|reply|candidate|summary|text|translation|option|chosen|rejected)s?"
    r"[ _-]?([0-9]{1,3}|[a-z])?"
)
TIES = {"tie", "equal", "same", "both", "neither better", "no preference", "both good"}
SIDES = ("left", "right", "first", "second")
BAD = {"both bad", "both_bad", "neither", "none"}


@dataclass
class Asked:
    """An item's parts, by the names of its fields."""

    turns: list[dict]
    context: list[dict]
    responses: dict[str, str]
    others: dict


def asked(values: dict) -> Asked:
    """The fields sorted by what their names tell. ValueError where nothing asks."""
    prompt = next((name for wanted in PROMPTS for name in values if _plain(name) == wanted and values[name]), None)
    if prompt is None:
        raise ValueError(f"no field asks; one must be called {', '.join(PROMPTS[:-1])} or {PROMPTS[-1]}")
    context = [name for name, value in values.items() if _plain(name) in CONTEXT and _words(value)]
    answers = [name for name, value in values.items() if ANSWER.fullmatch(_plain(name)) and _words(value)]
    answers = [name for name in answers if name not in (prompt, *context)]
    others = {k: v for k, v in values.items() if k not in (prompt, *context, *answers) and v is not None}
    passages = [{"title": "", "text": values[name]} for name in context]
    return Asked(turns(values, prompt), passages, {name: values[name] for name in answers}, others)


def place(name: str, responses: Sequence[str]) -> int | None:
    """Which response a name means: the same name, or the only one with the same number or letter at its end."""
    plain = [_plain(one) for one in responses]
    if _plain(name) in plain:
        return plain.index(_plain(name))
    within = [n for n, one in enumerate(plain) if one in _plain(name) and ANSWER.fullmatch(one) and one[-1].isdigit()]
    if not within and (mark := _mark(name)):
        within = [n for n, one in enumerate(responses) if _mark(one) == mark]
    return within[0] if len(within) == 1 else None


@dataclass
class Said:
    """What one rater said of one item, gathered question by question."""

    responses: Sequence[str]
    ranking: list[list[int]] = field(default_factory=list)
    outcome: str = ""
    marks: dict[int, dict] = field(default_factory=dict)  # place -> the fields of a verdict on it
    reasons: list[str] = field(default_factory=list)

    def prefer(self, words: str) -> bool:
        """A choice by name, or a tie; False where the words mean neither."""
        chosen, said = place(words, self.responses), words.strip().lower()
        if chosen is None and said in SIDES and len(self.responses) == 2:
            chosen = SIDES.index(said) % 2
        if len(self.responses) < 2 or (chosen is None and said not in TIES | BAD):
            return False
        others = [n for n in range(len(self.responses)) if n != chosen]
        self.outcome = "ranking" if chosen is not None else "tie" if said in TIES else "both_bad"
        self.ranking = [[chosen], others] if chosen is not None else []
        return True

    def rank(self, groups: list[list[str]]) -> bool:
        """Names of responses, best first, equals together; False where one is not a response or is named twice."""
        places = [[place(name, self.responses) for name in group] for group in groups]
        flat = [one for group in places for one in group]
        if None in flat or len(flat) != len(set(flat)) or len(flat) < 2:
            return False
        self.outcome, self.ranking = ("ranking", places) if len(places) > 1 else ("tie", [])
        return True

    def about(self, name: str, to: str = "") -> int | None:
        """The response that a question means: named by it, or the only one."""
        found = place(to, self.responses) if to else None
        found = place(name, self.responses) if found is None else found
        return 0 if found is None and len(self.responses) == 1 else found

    def rate(self, at: int, name: str, value: int | float) -> None:
        bare = re.sub(r"[ _-]*" + re.escape(self.responses[at]) + r"[ _-]*", "", name) or name
        if (mark := _mark(self.responses[at])) and bare == name and _mark(name) == mark:
            bare = re.sub(r"[ _-]*0*" + re.escape(mark) + "$", "", name) or name
        self.marks.setdefault(at, {}).setdefault("ratings", {})[key_of(bare)] = value

    def span(self, at: int, mark: dict) -> None:
        self.marks.setdefault(at, {}).setdefault("spans", []).append({"response": at, **mark})

    def correct(self, at: int, text: str) -> None:
        self.marks.setdefault(at, {})["corrections"] = text

    def verdicts(self, **about: object) -> list[dict]:
        """One on all responses where they were compared; else one for each that something was said of."""
        reason = {"rationale": "\n\n".join(self.reasons)}
        if self.outcome:
            shown = sorted(n for group in self.ranking for n in group) or list(range(len(self.responses)))
            marks = self._fields([n for n in shown if n in self.marks])
            return [{"shown": shown, "outcome": self.outcome, "ranking": self.ranking, **marks, **reason, **about}]
        places = sorted(self.marks)
        return [alone(n, **self._fields([n]), **(reason if n == places[0] else {}), **about) for n in places]

    def _fields(self, places: list[int]) -> dict:
        by_place = {
            name: {str(n): self.marks[n][name] for n in places if name in self.marks[n]}
            for name in ("ratings", "corrections")
        }
        return by_place | {"spans": [mark for n in places for mark in self.marks[n].get("spans", [])]}


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _mark(name: str) -> str:
    """The number or single letter at the end of a name."""
    found = re.search(r"(?:[0-9]+|(?<=[ _-])[a-z])$", name.strip().lower())
    return found[0].lstrip("0") if found else ""


def _words(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
