"""A table of prompts and responses by their column names: what a spreadsheet, or a Parquet file, holds. PURE.

Columns: prompt (or messages, instruction, question); response_a, response_b, … or response_1, response_2, …;
and if wanted source_a …, context, system, id, preference, strength, reason, rationale, rater, and a rating as
CRITERION_a. Any other column becomes metadata.
"""

import re

from annotate.formats.fields import key_of, number, rest, text, whole
from annotate.formats.messages import turns
from annotate.formats.record import Record, make

ASKS = ("prompt", "messages", "instruction", "question")
RESPONSE = re.compile(r"(?:response|answer|completion|output)[ _-]?([a-z]|[0-9]{1,3})?", re.IGNORECASE)
WORDS = {"tie": "tie", "equal": "tie", "0": "tie", "both_bad": "both_bad", "both bad": "both_bad"}
OWN = ("id", "context", "system", "preference", "strength", "reason", "rationale", "rater")


def is_table(row: dict) -> bool:
    """Has it a column that asks and one that answers?"""
    return any(name in row for name in ASKS) and any(RESPONSE.fullmatch(name) for name in row)


def record(row: dict) -> Record:
    """The item of one row, with its verdict if the row holds one."""
    columns = {found[1] or "": name for name in row if (found := RESPONSE.fullmatch(name)) and row[name] is not None}
    prompt = next((name for name in ASKS if name in row), "prompt")
    system = [{"role": "system", "content": text(row, "system")}] if row.get("system") else []
    sources = {mark: f"source_{mark}" if mark else "source" for mark in columns}
    ratings, rated = _ratings(row, columns)
    used = (*OWN, prompt, *columns.values(), *sources.values(), *rated)
    return make(
        id=str(row.get("id") or "")[:200],
        turns=[*system, *turns(row, prompt)],
        context=[{"text": text(row, "context")}] if row.get("context") else [],
        responses=[{"text": text(row, name), "source": text(row, sources[mark], "")} for mark, name in columns.items()],
        judgements=_verdicts(row, list(columns), ratings),
        metadata=rest(row, *used),
    )


def _ratings(row: dict, columns: dict[str, str]) -> tuple[dict, list[str]]:
    """helpful_a = 4 → {"0": {"helpful": 4}}, and the columns that said so."""
    ratings, used = {}, []
    for place, mark in enumerate(columns):
        for name in row:
            bare = name.removesuffix(f"_{mark}")
            if mark and bare != name and bare != "source" and not RESPONSE.fullmatch(name) and row[name] is not None:
                ratings.setdefault(str(place), {})[key_of(bare)] = number(row, name)
                used.append(name)
    return ratings, used


def _verdicts(row: dict, marks: list[str], ratings: dict) -> list[dict]:
    said = {"rater": str(row.get("rater") or "")[:120], "rationale": text(row, "rationale", "")}
    shown = list(range(len(marks)))
    choice = str(row.get("preference") if row.get("preference") is not None else "").strip().lower()
    if choice:
        return [{"shown": shown, "ratings": ratings, **_outcome(row, choice, marks), **said}]
    alone = [int(place) for place in ratings]
    return [
        {"shown": [n], "outcome": "ranking", "ranking": [[n]], "ratings": {str(n): ratings[str(n)]}, **said}
        for n in alone
    ]


def _outcome(row: dict, choice: str, marks: list[str]) -> dict:
    if choice in WORDS:
        return {"outcome": WORDS[choice]}
    if choice == "cannot_judge":
        return {"outcome": "cannot_judge", "reason": text(row, "reason")}
    names = [mark.lower() for mark in marks]
    found = RESPONSE.fullmatch(choice)
    mark = found[1] if found and found[1] else choice
    if mark not in names or len(names) < 2:
        raise ValueError(
            f"preference is {choice!r}, but the responses are {', '.join(names)}; tie and both_bad also go"
        )
    best = names.index(mark)
    others = [n for n in range(len(names)) if n != best]
    strength = {"strength": whole(row, "strength", 1, 3)} if row.get("strength") is not None else {}
    return {"outcome": "ranking", "ranking": [[best], others], **strength}
