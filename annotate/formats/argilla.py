"""Argilla's exports: records as JSON, and the columns of a pushed dataset, of versions 1 and 2. PURE.

Records: {"id", "fields", "metadata", "suggestions", "responses": {question: [{"value", "user_id"}]}}. Columns: fields
under their own names, `QUESTION.responses`, `….responses.users`, `….responses.status`, `QUESTION.suggestion`. Only
submitted responses are read. Suggestions are a machine's. What has no place in our record stays in the metadata.
"""

from collections.abc import Iterator

from annotate.formats.fields import key_of, listed, mapping, objects, rest, text, whole
from annotate.formats.named import Said, asked
from annotate.formats.offsets import marked
from annotate.formats.record import Record, make

WRITTEN = ("correct", "edit", "rewrite", "improve")
Value = tuple[str, str, object]  # rater, question, value


def record(row: dict) -> Record:
    """The item of one record, a verdict or more for each rater."""
    fields = mapping(row, "fields") if "fields" in row else _columns(row)
    item, left = asked(fields), {}
    people: dict[str, Said] = {}
    for rater, question, value in _responses(row):
        said = people.setdefault(rater, Said(list(item.responses)))
        if not _one(said, question, value, item.responses, browser=True):
            left.setdefault(question, []).append({"user_id": rater, "value": value})
    models: dict[str, Said] = {}
    for agent, question, value in _suggestions(row):
        _one(models.setdefault(agent, Said(list(item.responses))), question, value, item.responses, browser=False)
    verdicts = [one for rater, said in people.items() for one in said.verdicts(rater=rater[:120])]
    verdicts += [one for name, said in models.items() for one in said.verdicts(rater=name[:120], source="machine")]
    metadata = item.others | mapping(row, "metadata") | ({"argilla": left} if left else {})
    return make(
        id=str(row.get("id") or row.get("external_id") or "")[:200],
        turns=item.turns,
        context=item.context,
        responses=[{"text": said, "source": name} for name, said in item.responses.items()],
        judgements=verdicts,
        metadata=metadata,
    )


def _columns(row: dict) -> dict:
    questions = {name.partition(".")[0] for name in row if "." in name}
    questions |= {name for name in row if _answers(row[name]) or name.removesuffix("-suggestion") != name}
    questions |= {name.removesuffix("-suggestion-metadata") for name in row if name.endswith("-suggestion-metadata")}
    own = {"id", "external_id", "_server_id", "status", "metadata", "vectors", "responses", "suggestions"}
    kept = {name: row[name] for name in row if "." not in name and name not in questions | own}
    return {name: value for name, value in kept.items() if not name.endswith("-suggestion-metadata")}


def _answers(value: object) -> bool:
    """Version 1 kept a question's responses as [{"user_id", "value", "status"}]."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) and "value" in v for v in value)


def _responses(row: dict) -> Iterator[Value]:
    if isinstance(row.get("responses"), list):  # version 1 gathered what a rater said
        for one in objects(row, "responses"):
            for question in mapping(one, "values"):
                yield from _dated(question, rest(one, "values") | mapping(one["values"], question))
    else:
        said = mapping(row, "responses")
        for question in said:
            for one in listed(said, question):
                yield from _dated(question, one)
    for name, value in row.items():
        if name.endswith(".responses"):
            yield from _columned(row, name)
        elif "fields" not in row and _answers(value):
            for one in value:
                yield from _dated(name, one)


def _dated(question: str, one: object) -> Iterator[Value]:
    if not isinstance(one, dict):
        raise ValueError(f"the responses to {question!r} must be objects")
    if one.get("status", "submitted") in ("submitted", None):
        yield str(one.get("user_id") or ""), question, one.get("value")


def _columned(row: dict, name: str) -> Iterator[Value]:
    values, users = listed(row, name), listed(row, f"{name}.users")
    states = listed(row, f"{name}.status") or ["submitted"] * len(values)
    if len({len(values), len(states), len(users) or len(values)}) > 1:
        raise ValueError(f"{name!r} and its users and status differ in length")
    for place, value in enumerate(values):
        if states[place] == "submitted":
            yield str(users[place]) if users else "", name.removesuffix(".responses"), value


def _suggestions(row: dict) -> Iterator[Value]:
    suggested = {} if isinstance(row.get("suggestions"), list) else mapping(row, "suggestions")
    for question, one in suggested.items():
        if isinstance(one, dict) and one.get("value") is not None:
            yield str(one.get("agent") or ""), question, one["value"]
    for name, value in row.items():
        if name.endswith(".suggestion") and value is not None:
            yield text(row, f"{name}.agent", ""), name.removesuffix(".suggestion"), value


def _one(said: Said, question: str, value: object, responses: dict[str, str], browser: bool) -> bool:
    """Take one answer in; False where it has no place. A browser counts spans in UTF-16 units, a script does not."""
    at, texts = said.about(question), list(responses.values())
    if isinstance(value, str):
        return said.prefer(value) or _written(said, at, question, value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool) and at is not None and abs(value) <= 1e9:
        said.rate(at, question, value)
        return True
    if not isinstance(value, list) or not value:
        return False
    if all(isinstance(one, str) for one in value):
        return said.rank([[one] for one in value])
    if not all(isinstance(one, dict) for one in value):
        return False
    if all("rank" in one for one in value):
        return said.rank(_groups(value))
    return at is not None and all(_span(said, at, one, texts[at], browser) for one in value)


def _groups(values: list[dict]) -> list[list[str]]:
    """[{"value", "rank"}] → names by rank, equal ranks together."""
    ranks: dict[int, list[str]] = {}
    for one in values:
        ranks.setdefault(whole(one, "rank", 0, 10_000), []).append(text(one, "value"))
    return [ranks[rank] for rank in sorted(ranks)]


def _span(said: Said, at: int, one: dict, response: str, browser: bool) -> bool:
    start, end = (whole(one, name, 0, 10**8) for name in ("start", "end"))
    said.span(
        at,
        marked(response, start, end, text(one, "text", "") or None, browser) | {"category": key_of(text(one, "label"))},
    )
    return True


def _written(said: Said, at: int | None, question: str, words: str) -> bool:
    """A rewrite, a reason, or a choice among words that mean no response: that one has no place."""
    if at is not None and words and any(part in question.lower() for part in WRITTEN):
        said.correct(at, words)
        return True
    if words and (" " in words or any(part in question.lower() for part in ("comment", "reason", "rationale", "why"))):
        said.reasons.append(words)
        return True
    return False
