"""Label Studio's JSON export: tasks with `data` and `annotations` (labelstud.io/guide/task_format). PURE.

Read are pairwise, choices, rankings, ratings, numbers, text areas and spans. Spans count UTF-16 units, as browsers do.
Predictions are a machine's judgements. What has no place in our record stays in the item's metadata.
"""

from annotate.formats.fields import key_of, mapping, number, objects, rest, strings, text, whole
from annotate.formats.named import Said, asked
from annotate.formats.offsets import marked
from annotate.formats.record import Record, make

SPANS = ("labels", "hypertextlabels", "paragraphlabels")
WRITTEN = ("correct", "edit", "rewrite", "improve")


def record(row: dict) -> Record:
    """The item of one task, a verdict or more for each annotation."""
    item = asked(mapping(row, "data"))
    left: list[dict] = []
    people = [_annotation(one, item.responses, left) for one in objects(row, "annotations")]
    models = [_prediction(one, item.responses, left) for one in objects(row, "predictions")]
    metadata = item.others | ({"label_studio": left} if left else {})
    if row.get("id") is not None:
        metadata["label_studio_id"] = row["id"]
    return make(
        turns=item.turns,
        context=item.context,
        responses=[{"text": said, "source": name} for name, said in item.responses.items()],
        judgements=[verdict for verdicts in (*people, *models) for verdict in verdicts],
        metadata=metadata,
    )


def _annotation(one: dict, responses: dict, left: list) -> list[dict]:
    if one.get("was_cancelled"):
        left.append(rest(one, "prediction"))
        return []
    who = one.get("completed_by")
    who = who.get("email", who.get("id")) if isinstance(who, dict) else who
    spent = int(number(one, "lead_time") * 1000) if one.get("lead_time") is not None else 0
    said = _read(objects(one, "result"), responses, left)
    return said.verdicts(rater="" if who is None else str(who)[:120], active_ms=min(max(spent, 0), 2**31 - 1))


def _prediction(one: dict, responses: dict, left: list) -> list[dict]:
    said = _read(objects(one, "result"), responses, left)
    return said.verdicts(rater=text(one, "model_version", "")[:120], source="machine")


def _read(results: list[dict], responses: dict, left: list) -> Said:
    said = Said(list(responses))
    for result in results:
        if not _one(said, result, mapping(result, "value"), list(responses.values())):
            left.append(result)
    return said


def _one(said: Said, result: dict, value: dict, texts: list[str]) -> bool:
    """Take one region or answer in; False where it has no place."""
    kind, name = text(result, "type", ""), text(result, "from_name", "")
    to = result.get("to_name") if isinstance(result.get("to_name"), str) else ""
    at = said.about(name, to)
    if kind == "pairwise":
        return said.prefer(text(value, "selected"))
    if kind == "choices":
        chosen = strings(value, "choices")
        return len(chosen) == 1 and said.prefer(chosen[0])
    if kind == "ranker":
        return any(said.rank([[one] for one in ranked]) for ranked in _lists(value))
    if at is None:
        return False
    if kind in ("rating", "number"):
        said.rate(at, name or kind, number(value, kind))
        return True
    if kind == "textarea":
        return _written(said, at, name, "\n".join(strings(value, "text")).strip())
    return kind in SPANS and _spans(said, at, value, kind, texts[at])


def _lists(value: dict) -> list[list[str]]:
    ranked = value.get("ranker", value)
    lists = ranked.values() if isinstance(ranked, dict) else [ranked]
    return [one for one in lists if isinstance(one, list) and all(isinstance(name, str) for name in one)]


def _written(said: Said, at: int, name: str, words: str) -> bool:
    if words and any(part in name.lower() for part in WRITTEN):
        said.correct(at, words)
    elif words:
        said.reasons.append(words)
    return True


def _spans(said: Said, at: int, value: dict, kind: str, response: str) -> bool:
    place = mapping(value, "globalOffsets") or value
    start, end = (whole(place, name, 0, 10**8) for name in ("start", "end"))
    found = marked(response, start, end, text(value, "text", "") or None)
    labels = strings(value, kind)
    for label in labels:
        said.span(at, found | {"category": key_of(label)})
    return bool(labels)
