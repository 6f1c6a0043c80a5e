"""QA-Feedback (Wu et al. 2023, arXiv 2306.01693): four answers, six pair labels, error spans on the first. PURE.

`preference` holds the pairs 1v2, 1v3, 1v4, 2v3, 2v4, 3v4 as shown: 1 the first, 2 the second, 0 a tie. Each becomes
one verdict. Error spans, missing information and the corrected answer belong to `prediction 1`; they stand once, on the
verdict of 1v2, the first that shows it. The file names no raters, so nothing says that one person did both.
"""

from itertools import combinations

from annotate.formats import fields
from annotate.formats.record import Record, make

ANSWERS = [f"prediction {number}" for number in (1, 2, 3, 4)]
PAIRS = list(combinations(range(4), 2))
RANKINGS = {0: [], 1: [0, 1], 2: [1, 0]}
READ = {list: fields.listed, dict: fields.mapping}
WORDS = {str: "a string", int: "a whole number", list: "a list", dict: "an object"}


def record(row: dict) -> Record:
    """The item of one element; the written reference answer `gold` becomes metadata."""
    question, gold = _typed(row, "question", str), _typed(row, "gold", str)
    answers = [_typed(row, name, str) for name in ANSWERS]
    verdicts = [_verdict(pair, label) for pair, label in zip(PAIRS, _labels(row), strict=True)]
    verdicts[0] |= _marks(_typed(row, "feedback", dict), answers[0])
    return make(
        turns=[{"role": "user", "content": question}],
        context=[_passage(passage) for passage in _typed(row, "passages", list)],
        responses=[{"text": text, "source": name} for name, text in zip(ANSWERS, answers, strict=True)],
        metadata={"gold": gold},
        judgements=verdicts,
    )


def _labels(row: dict) -> list[int]:
    labels = _typed(row, "preference", list)
    if len(labels) != len(PAIRS) or any(type(label) is not int or label not in RANKINGS for label in labels):
        raise ValueError("preference must hold six labels, each 0, 1 or 2")
    return labels


def _verdict(pair: tuple[int, int], label: int) -> dict:
    ranking = [[pair[side]] for side in RANKINGS[label]]
    return {"shown": list(pair), "outcome": "ranking" if ranking else "tie", "ranking": ranking}


def _marks(feedback: dict, text: str) -> dict:
    """What was said about prediction 1 alone. Nothing at all means: looked at, nothing to mark."""
    spans = [_span(error, text) for error in _typed(feedback, "errors", list)]
    missing = [_omission(gap) for gap in _typed(feedback, "missing-info", list)]
    corrected = _typed(feedback, "corrected-prediction", str)
    return {
        "spans": spans,
        "omissions": missing,
        "checked": [] if spans or missing else [0],
        "corrections": {"0": corrected} if corrected.strip() else {},
    }


def _span(error: object, text: str) -> dict:
    error = _object(error, "errors")
    start, end = _typed(error, "start", int), _typed(error, "end", int)
    if not 0 <= start < end <= len(text):
        raise ValueError(f"error {start}–{end} lies outside prediction 1 ({len(text)} long)")
    category = _typed(error, "error type", str).lower()
    note = _typed(error, "explanation", str)
    return {"response": 0, "start": start, "end": end, "quote": text[start:end], "category": category, "note": note}


def _omission(gap: object) -> dict:
    gap = _object(gap, "missing-info")
    sentences = ", ".join(str(number) for number in _typed(gap, "sentence_id", list))
    where = f"passage {_typed(gap, 'passage_id', int)}, sentence {sentences}"
    return {"response": 0, "note": f"{_typed(gap, 'error type', str)}: {where}"}


def _passage(passage: object) -> dict:
    """[title, sentence, …]"""
    if not isinstance(passage, list) or len(passage) < 2 or not all(isinstance(part, str) for part in passage):
        raise ValueError("passages must be lists of strings: a title, then sentences")
    title, *sentences = passage
    return {"title": title, "text": " ".join(sentences)}


def _object(value: object, name: str) -> dict:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must hold objects")
    return value


def _typed(row: dict, name: str, kind: type) -> object:
    if kind in READ and isinstance(row.get(name), str):  # a cell of a table
        return READ[kind](row, name)
    if type(row.get(name)) is not kind:
        raise ValueError(f"{name!r} must be {WORDS[kind]}" if name in row else f"{name!r} is missing")
    return row[name]
