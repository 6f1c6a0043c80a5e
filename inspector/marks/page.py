"""Do people and model mean the same words? Explanations beside marks → areas → values, and one honest sentence."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from inspector.figures import intervals_figure
from inspector.kept import kept
from inspector.marks import texts as marked
from inspector.marks import words as marks_words
from inspector.marks.lists import lists
from inspector.marks.look import Look
from inspector.marks.texts import Text
from inspector.stats import marks as stats
from inspector.stats.marks import Words
from worker.explain import METHODS
from worker.models import Attribution, Version

MOST = 2000  # responses that the areas are made of
MOST_KINDS = 20  # beyond the schema's: a file may name as many as it likes
ANY = "any"  # the kind that all marks are
WAYS = {key: method for key, method in METHODS.items() if method.per != "layer"}


def there(version: Version) -> set[tuple[str, str]]:
    """(head, method) of which the version has explanations of words."""
    rows = Attribution.objects.filter(version=version, method__in=WAYS).order_by()
    return set(rows.values_list("head", "method").distinct())


def report(look: Look) -> dict:
    """How far the model objects to the words that are marked, of a version that has explanations."""
    return kept(look.version, look.name, look.made_of, lambda: _report(look))


def _report(look: Look) -> dict:
    every = marked.texts(look.rows, look.marks)
    chosen = [one for one in every if one.held_out or look.prompts == "all"]
    drawn = [chosen[n] for n in np.unique(np.linspace(0, len(chosen) - 1, min(len(chosen), MOST)).round().astype(int))]
    labels = {ANY: "Any mark"} | {category.key: category.label for category in look.version.project.schema.categories}
    others = Counter(key for one in drawn for _, _, key, _ in one.marks if key not in labels)
    labels |= {key: key for key, _ in others.most_common(MOST_KINDS)}
    words = _words(look, drawn, list(labels))
    alone, main = stats.each(words), look.category if look.category in labels else ANY
    rows = _rows(words, alone, drawn, labels)
    return {
        "rows": rows,
        "main": main,
        "looked": len(look.marks),
        "explained": len(every),
        "responses": len(chosen),
        "drawn": len(drawn),
        "prompts": len({one.prompt for one in drawn}),
        "unread": sum(one.unread for one in drawn),
        "each": _each(drawn, alone[main][:, 0]),
        "sentence": marks_words.sentence(next(row for row in rows if row["kind"] == main), rows, look.truth),
        "figure": _figure(rows),
        **lists(look, every),
    }


def _words(look: Look, drawn: Sequence[Text], kinds: Sequence[str]) -> Words:
    """A row for each token of each response."""
    counts = {
        kind: _joined(
            stats.characters(one.starts, one.ends, len(one.text), [m[:2] for m in one.marks if kind in (ANY, m[2])])
            for one in drawn
        )
        for kind in kinds
    }
    codes: dict[str, int] = {}
    return Words(
        response=np.repeat(np.arange(len(drawn)), np.array([len(one.starts) for one in drawn], dtype=np.int64)),
        start=_joined(one.starts for one in drawn),
        value=look.sign * _joined(one.values for one in drawn),
        clean=_joined(one.ends - one.starts for one in drawn) - counts[ANY],
        marked=counts,
        prompt=np.array([codes.setdefault(one.prompt, len(codes)) for one in drawn], dtype=np.int64),
    )


def _joined(parts) -> np.ndarray:
    return np.concatenate([np.zeros(0), *parts])


def _rows(words: Words, alone: Mapping, drawn: Sequence[Text], labels: Mapping[str, str]) -> list[dict]:
    """Each kind of mark, and beside the model what place and length alone would give."""
    model, later, longer = stats.areas(words, alone), stats.areas(words.later()), stats.areas(words.longer())
    return [
        {
            "kind": kind,
            "label": label,
            "marks": sum(kind in (ANY, key) for one in drawn for _, _, key, _ in one.marks),
            **vars(model[kind]),
            "later": later[kind].auroc,
            "later_within": later[kind].within_auroc,
            "longer": longer[kind].auroc,
        }
        for kind, label in labels.items()
    ]


def _each(drawn: Sequence[Text], auroc: np.ndarray) -> list[list]:
    """[response, prompt, AUROC] of those that have marked and unmarked words, for the pairs with other versions."""
    rows = zip(drawn, auroc.tolist(), strict=True)
    return [[one.response, one.prompt, value] for one, value in rows if value == value]


def _figure(rows: Sequence[Mapping]) -> dict:
    """Inside responses, the model beside place alone, and a line where lot would be."""
    shown = [row for row in rows if row["within_auroc"].value is not None]
    sides = {"the model": [row["within_auroc"] for row in shown], "later words": [row["later_within"] for row in shown]}
    figure = intervals_figure([row["label"] for row in shown], sides, "AUROC inside a response")
    line = {"color": "var(--line-strong)", "width": 1.5, "dash": "dot"}
    figure["layout"]["shapes"] = [
        {"type": "line", "x0": 0.5, "x1": 0.5, "y0": 0, "y1": 1, "yref": "paper", "line": line}
    ]
    return figure
