"""What a snapshot takes, what it leaves out and why, and how it becomes a dataset."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotate.models import Judgement
from annotate.services.item import import_items
from tests.worker.conftest import PROMPTS, jsonl, row
from worker.jobs.dataset import dataset_of
from worker.models import Job, Snapshot
from worker.services.snapshot import freeze, missing, survey, verdicts
from worker.services.training import start_training


def test_every_judgement_is_used_or_dropped_for_a_reason(judged):
    one, two, three, four = Judgement.objects.order_by("pk")[:4]
    Judgement.objects.filter(pk=one.pk).update(outcome="cannot_judge")
    Judgement.objects.filter(pk=two.pk).update(withdrawn_at=timezone.now())
    Judgement.objects.filter(pk=three.pk).update(source="machine")
    Judgement.objects.filter(pk=four.pk).update(superseded=True)
    counts = survey(judged).counts
    assert counts["dropped"] == {"cannot_judge": 1, "machine": 1, "superseded": 1, "withdrawn": 1}
    assert counts["used"] + 4 == counts["judgements"] == PROMPTS + 4
    assert counts["comparisons"]["train"] + counts["comparisons"]["test"] == counts["used"]


def test_ties_and_conflicts_are_counted(judged):
    assert (survey(judged).counts["tied"], survey(judged).counts["conflicting"]) == (4, 0)
    first = judged.items.first().judgements.get(outcome="tie")
    Judgement.objects.filter(pk=first.pk).update(outcome="ranking", ranking=[[i] for i in reversed(best(first))])
    assert (survey(judged).counts["tied"], survey(judged).counts["conflicting"]) == (3, 1)


def best(judgement):
    """Response ids of the judgement's item, as the other rater ranked them."""
    return [group[0] for group in judgement.item.judgements.exclude(pk=judgement.pk).get().ranking]


def test_both_bad_is_a_tie_and_named(judged):
    Judgement.objects.filter(outcome="tie").update(outcome="both_bad")
    counts = survey(judged).counts
    assert (counts["tied"], counts["both_bad"]) == (4, 4)


def test_equal_texts_teach_nothing(project):
    said = {"shown": [0, 1], "outcome": "ranking", "ranking": [[0], [1]]}
    import_items(
        project=project, file=jsonl({"prompt": "Q", "responses": ["a", "a"], "judgements": [said]}), format="jsonl"
    )
    assert survey(project).counts["dropped"] == {"identical_texts": 1}


def test_the_same_judgements_give_the_same_snapshot_and_others_another(judged, alice):
    first = freeze(project=judged, actor=alice)
    assert freeze(project=judged) == first
    assert first.rows.count() == first.counts["used"]
    Judgement.objects.filter(outcome="tie").update(weight=0.5)
    assert freeze(project=judged).sha256 != first.sha256


@pytest.mark.parametrize(
    "change",
    [
        {"ratings": {}},
        {"checked": []},
        {"omissions": [{"note": "the year"}]},
        {"outcome": "tie", "ranking": []},
        {"strength": 1},
    ],
)
def test_whatever_training_reads_is_in_the_hash(judged, change):
    before = survey(judged).sha256
    Judgement.objects.filter(pk=judged.judgements.filter(outcome="ranking").first().pk).update(**change)
    assert survey(judged).sha256 != before


def test_splits_are_the_items_own(judged):
    assert all(row.split == row.judgement.item.split for row in freeze(project=judged).rows.all())


def test_too_little_says_what_is_missing_and_writes_nothing(project):
    import_items(project=project, file=jsonl(row(1)), format="jsonl")
    with pytest.raises(ValidationError, match=r"At least 8 decided comparisons .* there are [01]\."):
        start_training(project=project)
    assert not Snapshot.objects.exists()
    assert not Job.objects.exists()


def test_no_held_out_prompt_is_said():
    counts = {"decided": {"train": 100, "test": 0}}
    assert missing(counts)[0].startswith("No held-out prompt has a decided comparison")
    assert missing({"decided": {"train": 8, "test": 1}}) == []


@pytest.mark.parametrize(
    ("outcome", "ranking", "expected"),
    [
        ("ranking", [[5], [3]], [(3, 5, 0.0)]),
        ("ranking", [[9, 5], [3]], [(3, 5, 0.0), (3, 9, 0.0), (5, 9, 0.5)]),
        ("tie", [], [(3, 5, 0.5), (3, 9, 0.5), (5, 9, 0.5)]),
        ("cannot_judge", [], []),
    ],
)
def test_a_ranking_is_all_its_pairs_in_the_order_shown(outcome, ranking, expected):
    assert verdicts([3, 5, 9], outcome, ranking) == expected


def test_a_dataset_holds_what_was_said(judged):
    data = dataset_of(freeze(project=judged))
    assert len(data.train) + len(data.test) == PROMPTS + 4
    assert len(data.examples) == 2 * PROMPTS
    assert data.categories == ("wrong", "irrelevant", "repetition", "unsupported")
    clear, muddled = data.examples[:2]
    assert (clear.spans, clear.ratings) == ((), {"helpful": 4})
    assert [(s.category, muddled.response[s.start : s.end]) for s in muddled.spans] == [
        ("wrong", "Bananas are purple.")
    ]
    groups = {data.examples[c.first].group for c in data.test}
    assert groups == data.test_groups
    assert not groups & {data.examples[c.first].group for c in data.train}


def test_a_pair_of_equal_texts_is_left_out_of_a_ranking_and_weights_are_kept(project):
    said = {"shown": [0, 1, 2], "outcome": "ranking", "ranking": [[0], [1], [2]], "weight": 0.25}
    one = {"prompt": "Q", "responses": ["a", "a", "b"], "judgements": [said]}
    import_items(project=project, file=jsonl(one), format="jsonl")
    snapshot = freeze(project=project)
    data = dataset_of(snapshot)
    pairs = [*data.train, *data.test]
    assert [(c.first, c.second, c.p, c.weight) for c in pairs] == [(0, 2, 1.0, 0.25), (1, 2, 1.0, 0.25)]
    assert snapshot.counts["identical_pairs"] == 1


def test_two_raters_of_a_pair_stay_two_and_their_marks_are_joined(judged):
    item = judged.items.first()
    judgement = item.judgements.get(outcome="tie")
    clear, muddled = (str(r.pk) for r in item.responses.all())
    Judgement.objects.filter(pk=judgement.pk).update(ratings={muddled: {"helpful": 5}}, checked=[int(muddled)])
    data = dataset_of(freeze(project=judged))
    pairs = [c for c in [*data.train, *data.test] if data.examples[c.first].key in (clear, muddled)]
    assert sorted(c.p for c in pairs) in ([0.0, 0.5], [0.5, 1.0])
    example = next(e for e in data.examples if e.key == muddled)
    assert example.ratings == {"helpful": 3}
    assert len(example.spans) == 1


def test_a_response_nobody_looked_at_has_no_spans(judged):
    Judgement.objects.update(checked=[])
    assert dataset_of(freeze(project=judged)).examples[0].spans is None
