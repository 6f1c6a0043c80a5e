"""The report on marks: which words count, whose marks, which lists, and versions beside one another."""

import numpy as np
import pytest

from annotate.models import Item
from inspector.heatmap.asked import Asked
from inspector.heatmap.choice import Choice
from inspector.heatmap.page import paint
from inspector.marks.beside import beside
from inspector.marks.look import Look
from inspector.marks.page import report
from inspector.marks.texts import people, planted, texts
from inspector.marks.words import sent, sentence
from tests.inspector.making import explain, judge, make_item, make_version, mark
from worker.models import Attribution


def look(version, **asked):
    return Look(version, **{"prompts": "all"} | asked)


def answered(project, number, *texts, **values):
    """An item whose first response is judged to be better."""
    item = make_item(project, f"Question {number}?", *(texts or ("All is good here.", "This is bad. That is fine.")))
    first, second, *_ = item.responses.all()
    return item, first, second, judge(item, [[first], [second]], checked=[first.pk])


@pytest.fixture
def world(project, version):
    """Six prompts; in each second response “bad” is marked, and the model minds it, but not in the last."""
    rows = []
    for number in range(6):
        item, first, second, said = answered(project, number)
        mark(said, second, "bad")
        explain(version, first)
        explain(version, second, bad=-0.5 if number < 5 else 0.9)
        rows.append((item, first, second))
    return rows


def test_marked_words_stand_below_the_others_in_five_of_six(version, world):
    found = report(look(version))
    row = found["rows"][0]
    assert (row["kind"], row["marks"], found["responses"], found["prompts"]) == ("any", 6, 12, 6)
    assert row["within_auroc"].value == pytest.approx(5 / 6)
    assert row["within_auroc"].n == 6
    assert row["within_auroc"].low < 5 / 6 < row["within_auroc"].high
    assert [one["kind"] for one in found["rows"]][:2] == ["any", "wrong"]


def test_a_segment_head_sees_its_own_kind_with_the_sign_turned(version, world):
    for _, first, second in world:
        explain(version, first, "segment:wrong")
        explain(version, second, "segment:wrong", bad=2.0)
    found = report(look(version, head="segment:wrong"))
    assert found["main"] == "wrong"
    assert next(row for row in found["rows"] if row["kind"] == "wrong")["auroc"].value == 1.0
    assert found["liked"] == []
    assert {row["value"] > 0 for row in found["punished"]} == {True}


def test_the_heat_map_says_of_one_response_what_is_counted_here(version, world):
    item, first, second = world[0]
    mark(judge(item, [[first], [second]]), second, "fine", "irrelevant")
    for response, value in ((first, 0.0), (second, 0.3)):
        explain(version, response, "segment:wrong", bad=value, fine=9.0, This=0.5)
    ((pk, _, here),) = report(look(version, head="segment:wrong"))["each"]
    shown = paint(version, Choice(item, second, first, "segment:wrong", "exact"), {"exact": Asked("exact", True)})
    assert pk == second.pk
    assert shown.left.auroc.value == pytest.approx(here)
    assert 0 < here < 1


def test_held_out_prompts_alone_are_measured_and_all_are_listed(version, world):
    Item.objects.filter(pk=world[0][0].pk).update(split="test")
    found = report(look(version, prompts="held-out"))
    assert (found["responses"], found["prompts"]) == (2, 1)
    assert "too few" in found["rows"][0]["auroc"].why
    assert len(found["liked"]) == 1


def test_what_people_marked_and_the_model_likes_comes_with_the_sum_of_its_words(version, world):
    (row,) = report(look(version))["liked"]
    assert row["response"] == world[5][2].pk
    assert (row["start"], row["end"], row["value"]) == (8, 11, pytest.approx(0.9))
    assert (row["kinds"], row["raters"], row["held_out"]) == (["wrong"], 1, False)


def test_a_sentence_that_nobody_marked_and_the_model_punishes_is_listed_worst_first(project, version):
    _, first, second, said = answered(project, 1)
    mark(said, second, "bad")
    explain(version, first, good=-1.0)
    explain(version, second, bad=-9.0, fine=-3.0)
    found = report(look(version))["punished"]
    assert [(row["response"], row["start"], round(row["value"], 6)) for row in found] == [
        (second.pk, 13, -2.7),
        (first.pk, 0, -0.6),
    ]


def test_a_response_that_nobody_looked_at_is_in_nothing(project, version):
    item, _, second, said = answered(project, 1)
    mark(said, second, "bad")
    for response in item.responses.all():
        explain(version, response, good=-1.0, bad=1.0)
    said.checked = []
    said.save()
    found = report(look(version))
    assert (found["looked"], found["explained"], found["punished"]) == (1, 1, [])


def test_what_was_missing_counts_as_looked_at_and_machines_do_not(project, version, world):
    said = judge(world[0][0], [[world[0][1]], [world[0][2]]], omissions=[{"response": 77, "note": "Where?"}])
    judge(world[0][0], [[world[0][1]], [world[0][2]]], checked=[88], source="machine")
    assert said.project.judgements.of_people().looked_at() == {77} | {r.pk for row in world for r in row[1:]}


def test_marks_of_all_raters_are_joined_for_the_lists(version, world, project):
    item, first, second = world[5]
    mark(judge(item, [[first], [second]]), second, "is bad", "irrelevant")
    (row,) = report(look(version))["liked"]
    assert (row["start"], row["end"], row["kinds"], row["raters"]) == (5, 11, ["irrelevant", "wrong"], 2)


def test_new_judgements_and_explanations_make_the_numbers_again(version, world, project):
    assert report(look(version))["responses"] == 12
    _, _, second, said = answered(project, 9)
    mark(said, second, "bad")
    assert report(look(version))["responses"] == 12
    explain(version, second)
    assert report(look(version))["responses"] == 13


def test_bytes_of_one_character_are_one_token_and_units_stand_for_tokens(version, world):
    response, part = world[0][2], {"part": "response", "text": ""}
    tokens = [{"start": 0, "end": 4, "value": 1.0} | part, {"start": 0, "end": 4, "value": 0.5} | part]
    rows = Attribution.objects.filter(version=version, response=response)
    rows.update(tokens=[*tokens, {"start": 4, "end": 99, "value": 2.0} | part])
    (one,) = texts(rows, people(version.project))
    assert (one.starts.tolist(), one.ends.tolist(), one.values.tolist()) == ([0, 4], [4, 26], [1.5, 2.0])
    rows.update(units=[{"start": 5, "end": 9, "value": -1.0}])
    (one,) = texts(rows, people(version.project))
    assert (one.values.tolist(), one.unread) == ([-1.0], 2)  # "bad" ends at 11


def test_planted_flaws_are_a_truth_of_their_own(version, world):
    for _, first, second in world:
        first.metadata, second.metadata = {"flaws": []}, {"flaws": [{"start": 8, "end": 11, "category": "wrong"}]}
        first.save()
        second.save()
    found = report(look(version, truth="planted"))
    assert found["rows"][0]["within_auroc"].value == pytest.approx(5 / 6)
    assert found["liked"] == found["punished"] == []


def test_planted_flaws_of_a_thousand_names_and_beyond_the_text_stay_few_and_inside(version, world):
    flaws = [{"start": 8, "end": 10**30, "category": f"kind {n}"} for n in range(1000)]
    world[0][2].item.responses.update(metadata={"flaws": flaws})
    found = report(look(version, truth="planted"))
    assert 20 < len(found["rows"]) < 40
    assert found["rows"][0]["marks"] == 2000
    assert found["unread"] == 0


@pytest.mark.parametrize("flaws", ["all", 7, {"start": 0}, None])
def test_planted_flaws_that_are_none_are_passed_by(project, world, flaws):
    world[0][1].item.responses.update(metadata={"flaws": flaws})
    assert planted(project) == {}
    world[0][1].item.responses.update(metadata={"flaws": [1, {}, {"start": 3, "end": 3, "category": "x"}]})
    assert set(map(tuple, planted(project).values())) == {()}


def test_versions_stand_beside_one_another_with_their_paired_difference(project, version, world):
    second = make_version(project, 2)
    assert beside(look(version), report(look(version))) == []
    for _, first, bad in world:
        explain(second, first)
        explain(second, bad, bad=-0.5)
    told = beside(look(version), report(look(version)))
    assert [(row["number"], "auroc" in row) for row in told] == [(2, False), (1, True)]
    report(look(second))
    newer, own = beside(look(version), report(look(version)))
    assert own["own"]
    assert newer["change"].value == pytest.approx(1 / 6)
    assert newer["within_auroc"].value == 1.0


def row(kind, label, value=None, low=None, high=None, place=0.5):
    from annotate.agreement import Interval

    one = Interval(value, low, high, 9, "" if value is not None else "nothing is marked")
    return {
        "kind": kind,
        "label": label,
        "within_auroc": one,
        "later_within": Interval(place, place - 0.05, place + 0.05, 9),
    }


@pytest.mark.parametrize(
    ("bounds", "place", "told"),
    [
        ((0.8, 0.7, 0.9), 0.5, "by more than its place"),
        ((0.6, 0.55, 0.65), 0.8, "the place alone tells more"),
        ((0.6, 0.55, 0.65), 0.6, "is open"),
        ((0.5, 0.4, 0.6), 0.5, "no sign"),
        ((0.3, 0.2, 0.4), 0.5, "likes these words"),
        ((0.3, None, None), 0.5, "cannot be said"),
    ],
)
def test_the_sentence_follows_the_numbers(bounds, place, told):
    assert told in sentence(row("any", "Any mark", *bounds, place=place), [], "people")


def test_the_sentence_names_the_best_and_the_worst_kind_and_says_why_there_is_none():
    rows = [row("wrong", "Wrong fact", 0.7, 0.6, 0.8), row("padding", "Padding", 0.4, 0.3, 0.5), row("x", "X")]
    words = sentence(row("any", "Any mark", 0.6, 0.5, 0.7), rows, "people")
    assert words.endswith("Best at wrong fact (70 %), worst at padding (40 %).")
    assert "nothing is marked" in sentence(row("any", "Any mark"), rows, "people")


def test_of_a_segments_head_the_sentence_says_what_else_it_points_at():
    rows = [row("wrong", "Wrong fact", 0.3, 0.2, 0.4), row("irrelevant", "Irrelevant", 0.9, 0.8, 1.0)]
    words = sentence(row("padding", "Padding", 0.9, 0.85, 0.95), rows, "planted")
    assert "one planted as padding and one not" in words
    assert words.endswith("It also points at irrelevant (90 %).")


def test_what_was_sent_is_told_with_what_was_not():
    none = dict.fromkeys(("raised", "opened", "made", "same", "waiting", "held_out", "nobody"), 0)
    assert sent(none) == "No task was sent."
    words = sent(none | {"raised": 2, "held_out": 1})
    assert words.startswith("Tasks: 2 put in front. Responses without one of their own: 1 on held-out prompts")


def test_values_that_are_kept_are_plain(version, world):
    assert report(look(version)) == report(look(version))
    assert np.isfinite([value for *_, value in report(look(version))["each"]]).all()
