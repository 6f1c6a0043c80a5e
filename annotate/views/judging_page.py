"""What stands on the judging page: texts as shown, what is asked about them, and the data its scripts work with.

Nothing of a response but its text and its steps leaves here: no source, no metadata, no score, no other rater's answer.
"""

import hashlib
import json
import re
from collections.abc import Sequence

from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string

from annotate import text
from annotate.formats.record import text_sha256
from annotate.keys import DEFAULT, keys_of
from annotate.models import Assignment, Item, Judgement, KnownAnswer, Project, Response, SchemaVersion
from annotate.schema import STRENGTHS, Criterion, Schema
from annotate.services.judgement import responses_in, shown_of
from annotate.services.task import arranged

ANSWER = (
    "outcome", "ranking", "strength", "reason", "omissions", "ratings", "rationales", "principles", "steps", "turns",
    "safety", "checked", "rationale", "corrections", "demonstration",
)  # fmt: skip
MARK = ("response", "start", "end", "quote", "category", "severity", "note", "correction")
ERRORS = ("spans", "omissions", "ratings", "rationales", "checked", "safety", "steps", "turns", "corrections")
ONE_RESPONSE_ACTS = ("mark", "missing", "checked", "rate", "safety", "write", "text")
SAMPLE_PROMPT = "Why is the sky blue? Answer in one or two sentences."
SAMPLE = (
    "Air scatters blue light more than red light, so the sky looks blue.",
    "The sky mirrors the sea. That is why it is *blue*.",
    "Sunlight holds all colours. Air molecules scatter the short waves most, and those look blue to us.",
)


def page_of(project: Project, assignment: Assignment, current: Judgement | None, key: str, mode: str = "judge") -> dict:
    """The template's context. Unfinished work comes first, then the stored answer, else nothing.

    `mode` is judge or adjudicate; both are saved alike.
    """
    version, work = _begun(project, assignment, current, key)
    item, responses, keys = assignment.task.item, responses_in(assignment), keys_of(assignment.rater.keys)
    shell = _shell(project, assignment, version, len(responses))
    return _page(project, item, responses, version, mode, keys, work) | {"shell": shell}


def ahead_of(project: Project, assignment: Assignment) -> dict:
    """What a page that stands already needs to show the peeked task: all that differs from task to task.

    It fits only a page of the same `shell`: of the same questions, guidelines and keys, for as many responses.
    """
    version, work = _begun(project, assignment, None, key="")
    item, responses = assignment.task.item, assignment.shown
    return {
        "shell": _shell(project, assignment, version, len(responses)),
        "data": _of_task(item, responses, version) | work,
        "ask": render_to_string("annotate/_judge_ask.html", _ask(item, version.schema)),
        "texts": [{"rendered": text.render(r.text), "raw": text.plain(r.text)} for r in responses],
    }


def _begun(project: Project, assignment: Assignment, current: Judgement | None, key: str) -> tuple[SchemaVersion, dict]:
    """The schema under which the work was begun, and the work."""
    work = assignment.draft or (current and {"answer": _answer_of(current)}) or {}
    return _version(project, work.get("answer", {}).get("schema_version")), {
        "answer": work.get("answer"),
        "activeMs": work.get("active_ms", 0),
        "revision": assignment.draft_revision,
        "key": key,
        "revises": current and current.pk,
    }


def _shell(project: Project, assignment: Assignment, version: SchemaVersion, count: int) -> str:
    """The same for all pages that differ in their task alone."""
    known = json.dumps([version.number, project.guidelines_number, count, assignment.rater.keys])
    return hashlib.sha256(known.encode()).hexdigest()[:20]


def example_of(project: Project, known: KnownAnswer) -> dict:
    """A task with its known answer filled in and explained; to be read, nothing is saved."""
    version = _version(project, known.answer.get("schema_version"))
    responses = list(known.task.responses.order_by("index"))
    context = _page(project, known.task.item, responses, version, "example", DEFAULT, {"answer": known.answer})
    return context | {"title": known.title, "explanation": text.prose(known.explanation)}


def preview_of(project: Project, schema: Schema) -> dict:
    """The page as a schema would make it, on an item of the project or on a sample; nothing is saved."""
    item, responses = _sample(project, schema)
    version = SchemaVersion(project=project, number=0, body=schema.model_dump(mode="json"))
    return _page(project, item, responses, version, "preview", DEFAULT, {"answer": None})


def _sample(project: Project, schema: Schema) -> tuple[Item, list[Response]]:
    """The project's first item that shows what the schema asks, else one of ours."""
    items = project.items.all()
    if schema.steps != "off":
        items = items.filter(Exists(Response.objects.filter(item=OuterRef("pk")).exclude(steps=[])))
    if item := items.order_by("pk").first():
        found = {response.pk: response for response in item.responses.all()}
        return item, [found[pk] for pk in arranged(list(found), schema.arrangement)[0]]
    item = Item(turns=[{"role": "user", "content": SAMPLE_PROMPT}], prompt_sha256=text_sha256(SAMPLE_PROMPT))
    if schema.turns:
        before = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Good day."}]
        item.turns = before + item.turns
    count = {"single": 1, "pairs": 2, "all": 3}[schema.arrangement]
    return item, [
        Response(pk=n, index=n, text=words, sha256=text_sha256(words), steps=_in_two(words))
        for n, words in enumerate(SAMPLE[:count], 1)
    ]


def _in_two(words: str) -> list[dict]:
    cut = re.search("[.,] ", words).start() + 1
    return [{"start": 0, "end": cut, "kind": ""}, {"start": cut + 1, "end": len(words), "kind": ""}]


def _page(
    project: Project,
    item: Item,
    responses: Sequence[Response],
    version: SchemaVersion,
    mode: str,
    keys: dict[str, str],
    work: dict,
) -> dict:
    schema, names = version.schema, names_of(len(responses))
    data = {
        "mode": mode,
        "categories": coloured(schema),
        "rules": schema.rules.model_dump(),
        "asks": schema.model_dump(include={"omissions", "partial", "steps", "strengths"}),
        "keys": keys,
        **_of_task(item, responses, version),
        **work,
    }
    return {
        "data": data,
        "mode": mode,
        "schema": schema,
        "categories": data["categories"],
        "scale": scale(schema, len(responses)),
        **_ask(item, schema),
        "responses": [_column(r, n, names, keys) for n, r in enumerate(responses)],
        "across": {0: 1, 1: 1, 2: 2, 4: 2}.get(len(responses), 3),
        "criteria": criteria(schema),
        "keys": {act: shown_key(key) for act, key in keys.items()},
        "errors": ERRORS,
        "guidelines": text.prose(project.guidelines),
    }


def _of_task(item: Item, responses: Sequence[Response], version: SchemaVersion) -> dict:
    """What the scripts know of this task and not of others."""
    fixed = {"texts_sha256": dict(shown_of(item, responses).sha256), "schema_version": version.number}
    return {"responses": [{"id": r.pk, "raw": r.text, "steps": r.steps} for r in responses], "fixed": fixed}


def _ask(item: Item, schema: Schema) -> dict:
    """The conversation, and the context beside it."""
    passages = [{"title": p.get("title", ""), "html": text.render(p["text"])} for p in item.context]
    return {"turns": _turns(item, schema), "passages": passages}


def names_of(count: int) -> list[str]:
    """What the responses are called: sides of a pair, numbers where there are more."""
    return {1: ["Response"], 2: ["Left", "Right"]}.get(count, [str(n) for n in range(1, count + 1)])


def shown_key(key: str) -> str:
    """A key as it is printed: a capital for Shift and a letter."""
    letter = key.removeprefix("Shift+")
    return letter.upper() if letter != key and len(letter) == 1 else key


def _column(response: Response, n: int, names: list[str], keys: dict[str, str]) -> dict:
    """Acts of a pair's right response have keys of their own; elsewhere they go to the response in hand."""
    hand = "right" if names[n] == "Right" else "left"
    name = names[n] if len(names) < 3 else f"Response {names[n]}"
    return {
        "id": response.pk,
        "side": names[n],
        "name": f"{name} response" if len(names) == 2 else name,
        "html": text.render(response.text),
        "plain": text.plain(response.text),
        "steps": response.steps,
        "keys": {act: shown_key(keys[f"{act}_{hand}"]) for act in ONE_RESPONSE_ACTS},
    }


def _turns(item: Item, schema: Schema) -> list[dict]:
    return [
        {
            "index": n,
            "role": turn["role"],
            "html": text.render(turn["content"]),
            "asked": schema.turns and turn["role"] == "assistant",
        }
        for n, turn in enumerate(item.turns)
    ]


def scale(schema: Schema, count: int = 2) -> list[dict]:
    """The answers that one key gives, from left to right; `winner` is a place among the columns, keys are the digits.

    Of a pair they are the preference; many are ranked and one is rated, and there is less to say at once. Of nine and
    more, 9 takes the ninth: what cannot be judged is then the second thing that 0 says.
    """
    unsure = {"value": "cannot_judge", "label": "cannot judge", "side": "Say why", "key": "9"}
    if count != 2:
        bad = {"value": "both_bad", "label": "all bad", "side": "None", "key": "0"}
        unsure |= {"key": "0", "side": "Why, by 0 again"} if count > 8 else {}
        return [bad, unsure] if count > 2 else [unsure]
    steps = [1, 2, 3] if schema.strengths == 3 else [2]
    left = [_better("Left", 0, n) for n in steps[::-1]]
    right = [_better("Right", 1, n) for n in steps]
    middle = {"value": "tie", "label": "tie", "side": "Equal"}
    bad = {"value": "both_bad", "label": "both bad", "side": "Neither"}
    return [step | {"key": str(n)} for n, step in enumerate([*left, middle, *right, bad, unsure], 1)]


def _better(side: str, winner: int, n: int) -> dict:
    return {"value": f"{side.lower()}-{n}", "winner": winner, "strength": n, "label": STRENGTHS[n], "side": side}


def criteria(schema: Schema) -> list[dict]:
    """The rubric's lines; those with levels have them, each with its words if it has any."""

    def levels(c: Criterion) -> list[tuple[int, str, str]]:
        if c.kind == "yes_no":
            return [(1, "yes", c.anchors.get(1, "")), (0, "no", c.anchors.get(0, ""))]
        return [(n, str(n), c.anchors.get(n, "")) for n in range(c.low, c.high + 1)] if c.kind == "likert" else []

    return [
        c.model_dump(include={"key", "label", "kind", "low", "high", "weight", "rationale"})
        | {"help": c.description, "levels": levels(c), "words": _words(c)}
        for c in schema.criteria
    ]


def _words(criterion: Criterion) -> str:
    """All levels that have words, in one line."""
    if criterion.kind == "number":
        return f"{criterion.low} to {criterion.high}"
    return " · ".join(f"{n} {words}" for n, words in sorted(criterion.anchors.items()) if words)


def coloured(schema: Schema) -> list[dict]:
    return [
        {"key": c.key, "label": c.label, "description": c.description, "color": f"var(--c{n % 8 + 1})"}
        for n, c in enumerate(schema.categories)
    ]


def _version(project: Project, number: object) -> SchemaVersion:
    """The schema that the work was begun under, so that no mark loses its category; else the newest."""
    named = type(number) is int and number > 0  # a draft may hold anything; true is no number to PostgreSQL
    begun = project.schema_numbered(number) if named else None
    return begun or project.schema_version


def _answer_of(judgement: Judgement) -> dict:
    spans = list(judgement.spans.values(*MARK))
    fields = {name: getattr(judgement, name) for name in ANSWER}
    return fields | {"spans": spans, "schema_version": judgement.schema_version}
