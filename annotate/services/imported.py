"""Verdicts of a file → rows for `store_judgements`: places become response ids, and every verdict has its task."""

import json
from collections import Counter
from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Prefetch

from annotate.formats import Record
from annotate.formats.record import Verdict, text_sha256
from annotate.models import Item, Judgement, Project, Response, Task
from annotate.prepared import insert_all
from annotate.schema import Schema
from annotate.services.answer import Shown, check_answer, read_answer
from annotate.services.exported import record_of
from annotate.services.judgement import OWN
from annotate.services.task import arranged, task_key

BY_PLACE = ("ratings", "rationales", "steps", "safety", "corrections")


def judgement_rows(*, project: Project, batch: list[tuple[str, str, Record]]) -> tuple[list[dict], dict[str, str]]:
    """Rows for the verdicts of (where, item key, record), whose items are stored; and where each row's key stands."""
    keys = {key for _, key, _ in batch}
    responses, here = _response_ids(project, keys), said_here(project, keys)
    rows, places = [], {}
    for where, key, one in batch:
        item, ids = responses[key]
        for name, verdict in named(key, one):
            if name in here:
                continue
            places[name] = where
            rows.append({"item": item, "idempotency_key": name, **_row(verdict, ids)})
    _add_tasks(project, rows, dict(responses.values()))
    return rows, places


def named(key: str, one: Record) -> Iterator[tuple[str, Verdict]]:
    """Each verdict under the name by which it is known again."""
    seen: Counter[str] = Counter()  # two raters without a name may say the same of one item
    for verdict in one.judgements:
        # PostgreSQL keeps JSON objects in an order of its own, so the order of keys must not count.
        said = json.dumps(verdict.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
        seen[said] += 1
        yield "import:" + text_sha256(f"{key} {seen[said]} {said}"), verdict


def said_here(project: Project, keys: set[str]) -> set[str]:
    """Names of what was said of these items in the project itself: its own export adds nothing when it comes home."""
    current = Judgement.objects.current().select_related("rater").prefetch_related("spans").order_by("pk")
    own = Judgement.objects.filter(item=OuterRef("pk"), assignment__isnull=False)
    items = project.items.filter(Exists(own), key__in=keys)
    items = items.prefetch_related("responses", Prefetch("judgements", current))
    return {name for item in items for name, _ in named(item.key, record_of(item))}


def check_verdicts(one: Record, schema: Schema) -> None:
    """Raises ValidationError where a verdict is none under the schema; the places stand for the ids to come."""
    ids = list(range(len(one.responses)))
    for verdict in one.judgements:
        said = {name: value for name, value in _row(verdict, ids).items() if name not in OWN}
        texts = {place: one.responses[place].text for place in verdict.shown}
        steps = {place: len(one.responses[place].steps) for place in verdict.shown}
        shown = Shown(texts, {}, steps, [turn.role for turn in one.turns])
        check_answer(read_answer(said), shown, schema, complete=False)


def _response_ids(project: Project, keys: set[str]) -> dict[str, tuple[int, list[int]]]:
    """Item key -> item id, response ids in their order."""
    items = Item.objects.filter(project=project, key__in=keys).values_list("key", "pk")
    found: dict[str, tuple[int, list[int]]] = {key: (pk, []) for key, pk in items}
    responses = Response.objects.filter(item__project=project, item__key__in=keys).order_by("item_id", "index")
    for key, pk in responses.values_list("item__key", "pk"):
        found[key][1].append(pk)
    return found


def _row(verdict: Verdict, ids: list[int]) -> dict:
    """The verdict as an answer, with response ids for places."""
    said = verdict.model_dump(exclude={"shown", "rater"})
    by_place = {name: {ids[int(k)]: v for k, v in said[name].items()} for name in BY_PLACE}
    marks = {
        name: [{**mark, "response": ids[mark["response"]]} for mark in said[name]] for name in ("spans", "omissions")
    }
    return {
        **said,
        **by_place,
        **marks,
        "shown_order": [ids[place] for place in verdict.shown],
        "ranking": [[ids[place] for place in group] for group in verdict.ranking],
        "checked": [ids[place] for place in verdict.checked],
        "rater_name": verdict.rater,
    }


def _add_tasks(project: Project, rows: list[dict], responses: dict[int, list[int]]) -> None:
    """Set `task` in every row, making the tasks that are not there; `responses` are the ids of each item's."""
    wanted = {_key(row): row for row in rows}
    known = dict(project.tasks.filter(key__in=wanted).values_list("key", "pk"))
    missing = {key: row for key, row in wanted.items() if key not in known}
    arrangement, made = project.schema.arrangement, []
    for key, row in missing.items():
        asked = map(set, arranged(responses[row["item"]], arrangement))
        made.append(_task(project, key, row, asked=set(row["shown_order"]) in asked))
    insert_all(made)
    known |= {task.key: task.pk for task in made}
    link = Task.responses.through
    pairs = [(known[key], pk) for key, row in missing.items() for pk in row["shown_order"]]
    insert_all([link(task_id=task, response_id=pk) for task, pk in pairs])
    for row in rows:
        row["task"] = known[_key(row)]


def _key(row: dict) -> str:
    return task_key(row["shown_order"], item_id=row["item"])


def _task(project: Project, key: str, row: dict, *, asked: bool) -> Task:
    """People are asked about what the schema arranges; other sets of responses only carry what came with the file."""
    slots = project.overlap if asked else 0
    return Task(project=project, item_id=row["item"], key=key, slots=slots, open_slots=slots)
