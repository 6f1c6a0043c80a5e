"""What stands on the judging page: texts as shown, the scale, and the data its scripts work with.

Nothing of a response but its text leaves here: no source, no metadata, no score, no answer of another rater.
"""

from annotate import text
from annotate.models import Assignment, Judgement, Project, SchemaVersion
from annotate.schema import STRENGTHS, Criterion, Schema
from annotate.services.judgement import shown_in

SIDES = ("Left", "Right", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth")
ANSWER = ("outcome", "ranking", "strength", "reason", "omissions", "ratings", "safety", "checked", "rationale")
MARK = ("response", "start", "end", "quote", "category", "severity", "note", "correction")


def page_of(project: Project, assignment: Assignment, current: Judgement | None, key: str) -> dict:
    """The template's context. Unfinished work comes first, then the stored answer, else nothing."""
    shown = shown_in(assignment)
    work = assignment.draft or (current and {"answer": _answer_of(current)}) or {}
    version = _version(project, work.get("answer", {}).get("schema_version"))
    schema, item = version.schema, assignment.task.item
    data = {
        "responses": [{"id": pk, "raw": raw} for pk, raw in shown.texts.items()],
        "categories": _coloured(schema),
        "answer": work.get("answer"),
        "activeMs": work.get("active_ms", 0),
        "revision": assignment.draft_revision,
        "fixed": {"texts_sha256": shown.sha256, "schema_version": version.number},
        "key": key,
        "revises": current and current.pk,
    }
    return {
        "data": data,
        "schema": schema,
        "categories": data["categories"],
        "scale": scale(schema),
        "turns": [{"role": turn["role"], "html": text.render(turn["content"])} for turn in item.turns],
        "passages": [{"title": p.get("title", ""), "html": text.render(p["text"])} for p in item.context],
        "responses": [
            {"id": pk, "side": side, "html": text.render(raw), "plain": text.plain(raw)}
            for side, (pk, raw) in zip(SIDES, shown.texts.items(), strict=False)
        ],
        "criteria": criteria(schema),
        "guidelines": text.prose(project.guidelines),
    }


def scale(schema: Schema) -> list[dict]:
    """The preference bar from left to right; `winner` is a place among the columns, keys are the digits."""
    steps = [1, 2, 3] if schema.strengths == 3 else [2]
    left = [_better("Left", 0, n) for n in steps[::-1]]
    right = [_better("Right", 1, n) for n in steps]
    middle = {"value": "tie", "label": "tie", "side": "Equal"}
    bad = {"value": "both_bad", "label": "both bad", "side": "Neither"}
    unsure = {"value": "cannot_judge", "label": "cannot judge", "side": "Say why"}
    return [step | {"key": str(n)} for n, step in enumerate([*left, middle, *right, bad, unsure], 1)]


def _better(side: str, winner: int, n: int) -> dict:
    return {"value": f"{side.lower()}-{n}", "winner": winner, "strength": n, "label": STRENGTHS[n], "side": side}


def criteria(schema: Schema) -> list[dict]:
    """The rubric's lines with their levels, each with its words if it has any."""

    def levels(c: Criterion) -> list[tuple[int, str]]:
        return [(n, c.anchors.get(n, "")) for n in range(c.low, c.high + 1)]

    return [{"key": c.key, "label": c.label, "help": c.description, "levels": levels(c)} for c in schema.criteria]


def _coloured(schema: Schema) -> list[dict]:
    return [
        {"key": c.key, "label": c.label, "description": c.description, "color": f"var(--c{n % 8 + 1})"}
        for n, c in enumerate(schema.categories)
    ]


def _version(project: Project, number: object) -> SchemaVersion:
    """The schema that the work was begun under, so that no mark loses its category; else the newest."""
    versions = SchemaVersion.objects.filter(project=project)
    begun = versions.filter(number=number).first() if isinstance(number, int) else None
    return begun or versions.latest("number")


def _answer_of(judgement: Judgement) -> dict:
    spans = list(judgement.spans.values(*MARK))
    fields = {name: getattr(judgement, name) for name in ANSWER}
    return fields | {"spans": spans, "schema_version": judgement.schema_version}
