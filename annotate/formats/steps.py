"""Answers in steps, with labels −1, 0, +1: PRM800K and BIG-Bench Mistake. PURE.

The steps become one response, joined by line ends, and each keeps its place in it.
"""

from annotate.formats.fields import mapping, number, objects, rest, strings, text, whole
from annotate.formats.pairs import alone
from annotate.formats.record import Record, make


def prm800k(row: dict) -> Record:
    """PRM800K (Lightman et al. 2023, arXiv 2305.20050): the path that the labeller followed, and their labels.

    What they rated beside that path is in the response's metadata as `alternatives`, one list for each step.
    """
    question, label = mapping(row, "question"), mapping(row, "label")
    path = [_followed(step) for step in objects(label, "steps")]
    taken = [one for one, _ in path if one is not None]
    # A labeller's own step carries no rating; it was written to go on from.
    labels = [_rating(one) for one in taken]
    verdict = alone(0, steps={"0": labels}, rater=text(row, "labeler", ""), active_ms=_time(label))
    metadata = rest(row, "question", "label", "labeler") | rest(question, "problem") | rest(label, "steps")
    answer = _joined([text(one, "text") for one in taken])
    answer["metadata"] = {"alternatives": [others for _, others in path]} if any(o for _, o in path) else {}
    return make(
        turns=[{"role": "user", "content": text(question, "problem")}],
        responses=[answer],
        judgements=[verdict],
        metadata=metadata,
    )


def mistake(row: dict) -> Record:
    """BIG-Bench Mistake (Tyen et al. 2024, arXiv 2311.08516): steps, and the place of the first wrong one or none.

    Steps before it are right; of what comes after it nobody said anything.
    """
    steps = strings(row, "steps")
    spoken = [step for step in steps if step.strip()]
    labels: list[int | None] = [1] * len(spoken)
    if row.get("mistake_index") is not None:
        wrong = whole(row, "mistake_index", 0, len(steps) - 1)
        first = sum(bool(step.strip()) for step in steps[:wrong])
        labels = [1] * first + [-1] + [None] * (len(spoken) - first - 1)
    return make(
        turns=[{"role": "user", "content": text(row, "input")}],
        responses=[_joined(spoken)],
        judgements=[alone(0, steps={"0": labels[: len(spoken)]})],
        metadata=rest(row, "input", "steps"),
    )


def _joined(steps: list[str]) -> dict:
    """A response of these steps; each is [start, end) of it."""
    marks, place = [], 0
    for step in steps:
        marks.append({"start": place, "end": place + len(step)})
        place += len(step) + 1
    return {"text": "\n".join(steps), "steps": marks}


def _followed(step: dict) -> tuple[dict | None, list[dict]]:
    """The completion that the labeller went on from (at the end: the first one), and the others."""
    completions = [one for one in objects(step, "completions") if text(one, "text").strip()]
    human, chosen = mapping(step, "human_completion"), step.get("chosen_completion")
    if human and chosen is None:
        return human, completions
    if chosen is not None and not 0 <= whole(step, "chosen_completion", 0, 10**6) < len(completions):
        raise ValueError(f"chosen_completion is {chosen}, but there are {len(completions)} completions")
    place = chosen or 0
    return (completions[place] if completions else None), completions[:place] + completions[place + 1 :]


def _rating(one: dict) -> int | None:
    name = "rating" if one.get("rating") is not None else "corrected_rating"
    return whole(one, name, -1, 1) if one.get(name) is not None else None


def _time(label: dict) -> int:
    spent = number(label, "total_time") if label.get("total_time") is not None else 0
    return min(max(int(spent), 0), 2**31 - 1)
