"""What of a project's judgements reaches the trainers."""

import pytest

from annotate.models import Judgement, RaterTally
from annotate.models.judgement import Source
from annotate.services.item import import_items
from tests.worker.conftest import jsonl
from worker.jobs.dataset import dataset_of
from worker.rm.types import Ranking, StepLabel
from worker.services.snapshot import freeze, survey


def read(project, *judgements, texts=("One. Two.", "Three.", "Four.")):
    import_items(
        project=project, file=jsonl({"prompt": "Q", "responses": texts, "judgements": judgements}), format="jsonl"
    )
    return dataset_of(freeze(project=project))


def ranking(*groups, shown=(0, 1, 2), **said):
    return {"shown": list(shown), "outcome": "ranking", "ranking": [list(group) for group in groups], **said}


def test_raters_are_numbered_and_each_comparison_knows_its_own(project):
    data = read(project, ranking([0], [1], shown=(0, 1), rater="Dana"), ranking([1], [0], shown=(1, 0), rater="Erin"))
    assert sorted(pair.rater for pair in [*data.train, *data.test]) == ["rater 1", "rater 2"]


def test_how_likely_a_task_was_chosen_goes_with_its_comparisons(project):
    import_items(
        project=project,
        file=jsonl({"prompt": "Q", "responses": ["a", "b"], "judgements": [ranking([0], [1], shown=(0, 1))]}),
        format="jsonl",
    )
    Judgement.objects.update(probability=0.25)
    data = dataset_of(freeze(project=project))
    assert [pair.probability for pair in [*data.train, *data.test]] == [0.25]


def trained(project):
    """A project all of whose prompts are trained on."""
    project.items.update(split="train")
    return dataset_of(freeze(project=project))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (ranking([2], [0, 1]), ((2,), (0, 1))),
        ({"shown": [1, 0, 2], "outcome": "tie"}, ((1, 0, 2),)),
    ],
)
def test_a_ranking_stays_whole_beside_its_pairs(project, said, expected):
    read(project, said)
    data = trained(project)
    assert [one.groups for one in data.rankings] == [expected]
    assert len(data.train) == 3


def test_of_equal_texts_a_ranking_keeps_the_first_shown(project):
    read(project, ranking([2], [0], [1], shown=(1, 2, 0)), texts=("same", "same", "other"))
    assert trained(project).rankings == [Ranking(((2,), (1,)), (1, 2), 1.0, "rater 1")]


def test_held_out_rankings_are_not_trained_on(project):
    read(project, ranking([0], [1], [2]))
    project.items.update(split="test")
    data = dataset_of(freeze(project=project))
    assert (len(data.rankings), len(data.train), len(data.test)) == (0, 0, 3)


def test_steps_are_means_over_the_raters_who_judged_them(project):
    read(project, ranking([0], [1], shown=(0, 1), rater="Dana"), ranking([0], [1], shown=(0, 1), rater="Erin"))
    response = project.items.get().responses.first()
    response.steps = [{"start": 0, "end": 4, "kind": "thought"}, {"start": 5, "end": 9, "kind": "thought"}]
    response.save()
    for row, labels in zip(Judgement.objects.order_by("pk"), ([1, None], [-1, None]), strict=True):
        Judgement.objects.filter(pk=row.pk).update(steps={str(response.pk): labels})
    data = dataset_of(freeze(project=project))
    assert [one.steps for one in data.examples] == [(StepLabel(0, 4, 0.0),), None]


def test_raters_weigh_what_was_fitted_of_them(project):
    read(project, ranking([0], [1], shown=(0, 1), rater="Dana"), ranking([0], [1], shown=(0, 1), rater="Erin"))
    fitted = {"dawid_skene": {"value": 0.9}, "bradley_terry": {"value": 0.7}}
    RaterTally.objects.update_or_create(
        project=project, who="name:Dana", source=Source.IMPORTED, defaults={"reliability": fitted, "sums": {}}
    )
    assert dataset_of(freeze(project=project)).reliability == pytest.approx({"rater 1": 0.8})


@pytest.mark.parametrize("said", [{"omissions": [{"response": 0, "note": "the date"}]}, {"checked": [0]}])
def test_who_only_looked_for_what_is_missing_said_something(project, said):
    data = read(project, ranking([0], shown=(0,), **said), texts=("It is.",))
    assert survey(project).counts["dropped"] == {}
    assert data.examples[0].spans == ()
