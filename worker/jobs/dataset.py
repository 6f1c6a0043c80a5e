"""Rows → the values that rm reads."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import QuerySet

from annotate.models import Judgement, Project, Response, Span
from annotate.models.item import Split
from annotate.services.reliability import rater_weights
from annotate.services.tally import who
from worker.models import Candidate, Snapshot
from worker.rm.types import Comparison, Dataset, Example, Ranking, SpanLabel, StepLabel
from worker.services.reading import chunks
from worker.services.snapshot import groups_of, verdicts_of

READ = (
    *("pk", "shown_order", "outcome", "ranking", "strength", "weight", "probability"),
    *("ratings", "steps", "checked", "omissions", "rater_id", "rater_name"),
)


def example_of(response: Response, **said: object) -> Example:
    """A response of an item; `said` are spans, ratings and steps, for training."""
    item = response.item
    return Example(
        str(response.pk), item.prompt_sha256, turns_of(item.turns), response.text, passages(item.context), **said
    )


def candidate_example(candidate: Candidate) -> Example:
    """A pool's candidate, to be scored."""
    turns, context = turns_of(candidate.turns), passages(candidate.context)
    return Example(str(candidate.pk), candidate.prompt_sha256, turns, candidate.text, context)


def turns_of(turns: Sequence[Mapping]) -> tuple[tuple[str, str], ...]:
    return tuple((turn["role"], turn["content"]) for turn in turns)


def passages(context: Sequence[Mapping]) -> tuple[str, ...]:
    """Each passage as one text, its title first."""
    return tuple("\n".join(filter(None, (part.get("title", ""), part["text"]))) for part in context)


def dataset_of(snapshot: Snapshot) -> Dataset:
    """Everything the snapshot's judgements say, by response and by pair.

    Spans are the union over raters, None for a response nobody marked or checked; ratings and step labels are means
    over raters. Two raters on one pair stay two comparisons; pairs of equal texts are left out (the snapshot counts
    them). Raters are numbered as they come, and weigh what the project's reliability says of them now.
    """
    splits = dict(snapshot.rows.values_list("judgement_id", "split"))
    rows = chunks(Judgement.objects.filter(snapshot_rows__snapshot=snapshot).order_by("pk"), READ)
    judgements = [(judgement, splits[judgement.pk]) for chunk in rows for judgement in chunk]
    responses = _responses(snapshot.project, (judgement for judgement, _ in judgements))
    marks = Span.objects.filter(judgement__snapshot_rows__snapshot=snapshot)
    spans, ratings, steps = _spans(judgements, marks), _ratings(judgements), _steps(judgements, responses)
    position = {pk: n for n, pk in enumerate(responses)}
    examples = [
        example_of(response, spans=spans.get(pk), ratings=ratings.get(pk, {}), steps=steps.get(pk))
        for pk, response in responses.items()
    ]
    raters = _raters(judgement for judgement, _ in judgements)
    comparisons: dict[str, list[Comparison]] = {Split.TRAIN: [], Split.TEST: []}
    for judgement, split in judgements:
        comparisons[split] += _comparisons(judgement, responses, position, raters[who(judgement)])
    rankings = [
        _ranking(judgement, responses, position, raters[who(judgement)])
        for judgement, split in judgements
        if split == Split.TRAIN
    ]
    schema = snapshot.project.schema
    return Dataset(
        examples,
        comparisons[Split.TRAIN],
        comparisons[Split.TEST],
        tuple(category.key for category in schema.categories),
        tuple(criterion.key for criterion in schema.criteria),
        frozenset(_held_out(responses.values())),
        [ranking for ranking in rankings if ranking],
        {raters[name]: weight for name, weight in rater_weights(snapshot.project).items() if name in raters},
    )


def _raters(judgements: Iterable[Judgement]) -> dict[str, str]:
    """Each rater's number, in the order of their first judgements: it means nothing outside the data set."""
    names = dict.fromkeys(who(judgement) for judgement in judgements)
    return {name: f"rater {number}" for number, name in enumerate(names, 1)}


def _responses(project: Project, judgements: Iterable[Judgement]) -> dict[int, Response]:
    """Response id → row, in the order of the files, of everything the judgements show."""
    shown = {pk for judgement in judgements for pk in judgement.shown_order}
    rows = Response.objects.filter(item__project=project).select_related("item").order_by("item_id", "index")
    rows = rows.only(
        "text", "sha256", "steps", *(f"item__{name}" for name in ("prompt_sha256", "turns", "context", "split"))
    )
    return {response.pk: response for response in rows if response.pk in shown}


def _held_out(responses: Iterable[Response]) -> set[str]:
    return {response.item.prompt_sha256 for response in responses if response.item.split == Split.TEST}


def _spans(judgements: list[tuple[Judgement, str]], marks: QuerySet[Span]) -> dict[int, tuple[SpanLabel, ...]]:
    """Only responses that somebody marked, checked, or found something missing from have an entry."""
    found: dict[int, set] = defaultdict(set)
    for judgement, _ in judgements:
        for response in [*judgement.checked, *(gap["response"] for gap in judgement.omissions)]:
            found[response].update(())  # looked at, no span to mark
    for response, *mark in marks.values_list("response_id", "start", "end", "category"):
        found[response].add(tuple(mark))
    return {response: tuple(SpanLabel(*span) for span in sorted(spans)) for response, spans in found.items()}


def _ratings(judgements: list[tuple[Judgement, str]]) -> dict[int, dict[str, float]]:
    given: dict[tuple[int, str], list[float]] = defaultdict(list)
    for judgement, _ in judgements:
        for response, values in judgement.ratings.items():
            for criterion, value in values.items():
                given[int(response), criterion].append(value)
    means: dict[int, dict[str, float]] = defaultdict(dict)
    for (response, criterion), values in given.items():
        means[response][criterion] = sum(values) / len(values)
    return means


def _steps(
    judgements: list[tuple[Judgement, str]], responses: Mapping[int, Response]
) -> dict[int, tuple[StepLabel, ...]]:
    """Of each response some steps of which were judged: those steps, and the mean of what was said of each."""
    given: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for judgement, _ in judgements:
        for response, labels in judgement.steps.items():
            for number, label in enumerate(labels):
                if label is not None:
                    given[int(response)][number].append(label)
    return {
        pk: tuple(_step(responses[pk].steps[number], said) for number, said in sorted(found.items()))
        for pk, found in given.items()
    }


def _step(step: Mapping, said: Sequence[int]) -> StepLabel:
    return StepLabel(step["start"], step["end"], sum(said) / len(said))


def _comparisons(
    judgement: Judgement, responses: Mapping[int, Response], position: Mapping[int, int], rater: str
) -> list[Comparison]:
    own = (judgement.weight, judgement.strength, rater, judgement.probability)
    return [
        Comparison(position[first], position[second], p, *own)
        for first, second, p in verdicts_of(judgement)
        if responses[first].sha256 != responses[second].sha256
    ]


def _ranking(
    judgement: Judgement, responses: Mapping[int, Response], position: Mapping[int, int], rater: str
) -> Ranking | None:
    """The verdict whole, of equal texts the first that was shown; None where it compares nothing."""
    first: dict[str, int] = {}
    for pk in judgement.shown_order:
        first.setdefault(responses[pk].sha256, pk)
    shown = list(first.values())
    groups = [[position[pk] for pk in group if pk in shown] for group in groups_of(judgement)]
    kept = tuple(tuple(group) for group in groups if group)
    if len(shown) < 2 or not kept:
        return None
    return Ranking(kept, tuple(position[pk] for pk in shown), judgement.weight, rater)
