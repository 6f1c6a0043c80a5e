"""After a task whose answer is known: the rater's own answer beside it, and why."""

from collections.abc import Mapping

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from annotate import text
from annotate.access import project_for
from annotate.grading import first_error, grade
from annotate.models import Assignment, Judgement, KnownAnswer
from annotate.schema import STRENGTHS, Schema
from annotate.services.known import is_told, said_in
from annotate.views.judging_page import names_of, page_of


@require_safe
def feedback(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """For the rater alone, once submitted, where the answer is known and the project tells it."""
    project = project_for(request.user, slug, "judge")
    mine = Assignment.objects.filter(task__project=project, rater=request.user).select_related("task__item", "rater")
    assignment = get_object_or_404(mine, pk=pk)
    judgement = get_object_or_404(Judgement.objects.current(), assignment=assignment)
    known = get_object_or_404(KnownAnswer, task=assignment.task)
    if not is_told(project, assignment):
        raise Http404("Nothing is told of this task.")
    schema = project.schema_versions.get(number=judgement.schema_version).schema
    rows = graded_rows(said_in(judgement), known.answer, schema, assignment.shown_order)
    context = page_of(project, assignment, judgement, key="") | {"rows": rows, "why": text.prose(known.explanation)}
    context |= {"project": project, "assignment": assignment, "right": all(row["right"] for row in rows)}
    return render(request, "annotate/feedback.html", context)


def graded_rows(said: dict, known: dict, schema: Schema, shown_order: list[int]) -> list[dict]:
    """What was asked, in words: the rater's answer, the known one, and whether they go together."""
    names = {str(pk): name for pk, name in zip(shown_order, names_of(len(shown_order)), strict=True)}
    rows = []
    for asked, right in grade(said, known, schema).items():
        kind, *rest = asked.split(":")
        title, words = WORDS[kind](schema, names, known, *rest)
        rows.append({"asked": title, "yours": words(said, right), "known": words(known, True), "right": right})
    return rows


def _at(answer: Mapping, name: str, response: str) -> object:
    """What is said of one response; ids are numbers in some answers and text in others."""
    return {str(pk): value for pk, value in answer.get(name, {}).items()}.get(response)


def _outcome(schema: Schema, names: dict, known: dict) -> tuple:
    fixed = {"tie": "equal", "both_bad": "all bad" if len(names) > 2 else "both bad", "cannot_judge": "cannot judge"}

    def words(answer: Mapping, right: bool) -> str:
        top = [names[str(pk)] for pk in (answer.get("ranking") or [[]])[0]]
        return fixed.get(answer["outcome"]) or (f"{' and '.join(top)} best" if len(names) > 1 else "judged")

    return "Verdict", words


def _strength(schema: Schema, names: dict, known: dict) -> tuple:
    return "How much better", lambda answer, right: STRENGTHS.get(answer.get("strength"), "not said")


def _ratings(schema: Schema, names: dict, known: dict, response: str, key: str) -> tuple:
    label = next(one.label for one in schema.criteria if one.key == key)

    def words(answer: Mapping, right: bool) -> str:
        level = (_at(answer, "ratings", response) or {}).get(key)
        return "not said" if level is None else f"{level:g}"

    return f"{label}, {names[response]}", words


def _spans(schema: Schema, names: dict, known: dict, number: str) -> tuple:
    span = known["spans"][int(number)]
    label = next((one.label for one in schema.categories if one.key == span["category"]), span["category"])
    where = names[str(span["response"])]
    return f"{label}, {where}: “{span['quote']}”", lambda answer, right: "marked" if right else "not marked"


def _steps(schema: Schema, names: dict, known: dict, response: str) -> tuple:
    def words(answer: Mapping, right: bool) -> str:
        labels = _at(answer, "steps", response)
        if labels is None:
            return "not said"
        wrong = first_error(labels)
        return "none" if wrong is None else f"step {wrong + 1}"

    return f"First wrong step, {names[response]}", words


def _safety(schema: Schema, names: dict, known: dict, response: str) -> tuple:
    labels = {one.key: one.label for one in schema.safety}

    def words(answer: Mapping, right: bool) -> str:
        harms = _at(answer, "safety", response)
        return "not said" if harms is None else ", ".join(labels.get(key, key) for key in harms) or "nothing harmful"

    return f"Harm, {names[response]}", words


WORDS = {
    "outcome": _outcome,
    "strength": _strength,
    "ratings": _ratings,
    "spans": _spans,
    "steps": _steps,
    "safety": _safety,
}
