"""A suite's rows as a table to be sliced."""

import numpy as np

from inspector.slices.rows import Table, Trait, asked, by_difference, by_length, longer, trait
from inspector.stats.correlation import codes
from worker.models import Suite, SuiteAnswer, Version
from worker.services import standing
from worker.services.standing import Sheet


def of_suite(version: Version, suite: Suite) -> Table | None:
    """The rows that the version has scored; None while there are none."""
    rows = standing.sheet(suite)
    found = standing.marks(suite, rows, version)
    at = np.flatnonzero(found.known)
    if not len(at):
        return None
    lengths, by_size = _lengths(suite, rows)
    question = (at >= rows.pairs).astype(np.int64)
    keys = np.stack([question, rows.ids[at], np.zeros(len(at), dtype=np.int64)], axis=1)
    baselines = {"chance": rows.chance[at], "longer": by_size[at]}
    traits = _traits(suite, rows, at, lengths)
    nothing = np.full(len(at), np.nan)
    return Table("row", keys, codes(rows.prompt[at]), found.credit[at], found.margin[at], baselines, nothing, traits)


def credit_of(version: Version, suite: Suite, keys: np.ndarray) -> np.ndarray:
    """(n,) what the version gets for these rows; NaN where it has not scored one."""
    rows = standing.sheet(suite)
    found, question = standing.marks(suite, rows, version).credit, keys[:, 0] == 1
    at = np.empty(len(keys), dtype=np.int64)
    at[~question] = rows.place(keys[~question, 1])
    at[question] = rows.place(keys[question, 1], questions=True)
    return found[at]


def _lengths(suite: Suite, rows: Sheet) -> tuple[np.ndarray, np.ndarray]:
    """(rows, 2) mean characters of right and wrong answers, and (rows,) the credit of preferring the longest."""
    lengths = np.zeros((len(rows.ids), 2))
    for n, texts in enumerate(suite.pairs.order_by("pk").values_list("chosen", "rejected").iterator(2000)):
        lengths[n] = [len(text) for text in texts]
    by_size = longer(lengths[:, 0], lengths[:, 1])
    if rows.pairs == len(rows.ids):
        return lengths, by_size
    answers = SuiteAnswer.objects.filter(question__suite=suite).values_list("question_id", "correct", "text")
    table = np.array([(question, right, len(text)) for question, right, text in answers.iterator(2000)])
    at, right, size = rows.place(table[:, 0], questions=True), table[:, 1] == 1, table[:, 2].astype(float)
    for side, mine in enumerate((right, ~right)):
        sums, n = np.bincount(at[mine], size[mine], len(lengths)), np.bincount(at[mine], minlength=len(lengths))
        lengths[rows.pairs :, side] = sums[rows.pairs :] / n[rows.pairs :]
    told = standing.suites.answered(at - rows.pairs, right, size, rows.ties[rows.pairs :])
    return lengths, np.concatenate([by_size[: rows.pairs], told.credit])


def _traits(suite: Suite, rows: Sheet, at: np.ndarray, lengths: np.ndarray) -> tuple[Trait, ...]:
    turns = [*suite.pairs.order_by("pk").values_list("turns", flat=True)]
    turns += suite.questions.order_by("pk").values_list("turns", flat=True)
    about = [asked(turns[n], {}) for n in at]
    kinds = np.where(at < rows.pairs, "pairs", np.where(rows.ties[at], "ties", "best of several")).tolist()
    return (
        trait("Category", rows.category[at].tolist()),
        *([trait("Kind", kinds)] if len(set(kinds)) > 1 else []),
        by_length("Mean length", lengths[at].mean(1), "characters"),
        by_difference(lengths[at, 0], lengths[at, 1]),
        trait("Language", [language for language, _ in about]),
        trait("Turns", [many for _, many in about]),
    )
