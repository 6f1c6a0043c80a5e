from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from annotate.text import runs
from annotate.world import GUIDELINES, SCHEMA, make_world, truth
from annotate.world.answers import COST, PADDING, Plan
from annotate.world.raters import CATEGORIES, RATERS, TIE_THETA, Rater, advantage, judge

CLEAN = {"wrong": frozenset(), "omitted": frozenset(), "extras": (), "irrelevant": 0, "repeated": 0, "padding": 0}


@pytest.fixture(scope="module")
def world():
    return make_world()


@pytest.fixture(scope="module")
def answers(world):
    return [answer for question in world.questions + world.pool for answer in question.answers]


def plan(**flaws):
    return Plan(asked=(0, 1), wordiness=0.5, **CLEAN | flaws)


def test_the_same_seed_makes_the_same_world(world):
    small = {"questions": 5, "pool": 1, "candidates": 3, "open_pairs": 4}
    assert make_world(**small) == make_world(**small)
    assert make_world(**small) != make_world(seed=2, **small)


def test_it_is_as_large_as_was_asked(world):
    assert [len(q.answers) for q in world.questions] == [4] * 160
    assert [len(q.answers) for q in world.pool] == [64] * 24
    assert len(world.open_pairs) >= 60
    assert len({q.turns for q in world.questions + world.pool}) == 184
    assert all(len({a.text for a in q.answers}) == len(q.answers) for q in world.questions + world.pool)


def test_some_of_it_is_markdown_and_some_has_more_turns(world):
    layouts = {q.layout for q in world.questions}
    assert layouts == {"prose", "list", "table", "code", "maths"}
    assert np.mean([len(q.turns) > 1 for q in world.questions]) == pytest.approx(0.15, abs=0.02)
    by_layout = {q.layout: q.answers[0].text for q in world.questions}
    assert "```python" in by_layout["code"]
    assert "$$a_{n+1}" in by_layout["maths"]
    assert "| --- |" in by_layout["table"]


def test_each_flaw_stands_where_it_is_said_to(answers):
    for answer in answers:
        for start, end, category in answer.flaws:
            assert answer.text[start:end].strip() == answer.text[start:end] != ""
            assert category in CATEGORIES


def test_flaws_are_as_many_as_the_plan_says(answers):
    for answer in answers:
        count = {name: sum(category == name for *_, category in answer.flaws) for name in CATEGORIES}
        assert count["padding"] == answer.plan.padding
        assert count["irrelevant"] == answer.plan.irrelevant
        assert count["repetition"] == answer.plan.repeated
        assert count["wrong"] >= len(answer.plan.wrong)  # code and formulas say a wrong value again
        assert len(answer.missing) == len(answer.plan.omitted)


def test_a_wrong_value_is_not_in_the_table_and_a_right_one_is(world):
    for question in world.questions:
        cells = {cell.strip() for cell in question.table.replace("$", "").replace("\n", "|").split("|")}
        for answer in question.answers:
            marked = {answer.text[start:end].strip("$") for start, end, category in answer.flaws if category == "wrong"}
            assert not marked & cells


def test_gold_is_the_formula():
    assert plan().gold == 1
    assert plan(padding=3).gold == pytest.approx(1 - 27 * PADDING)
    assert plan(wrong=frozenset({0})).gold == pytest.approx(0.5 - COST["wrong"])
    assert plan(omitted=frozenset({1}), repeated=2).gold == pytest.approx(
        0.5 - COST["omission"] - 2 * COST["repetition"]
    )
    assert plan(extras=(2, 3), irrelevant=1).gold == pytest.approx(1 - COST["irrelevant"])


def test_length_and_quality_can_be_told_apart(world):
    pairs = [pair for q in world.questions for pair in combinations(q.answers, 2)]
    gold = [a.gold - b.gold for a, b in pairs]
    words = [a.words - b.words for a, b in pairs]
    assert abs(np.corrcoef(gold, words)[0, 1]) < 0.4
    assert np.std(words) > 20


def test_every_pair_but_the_open_ones_is_judged_by_two_different_raters(world):
    judged = {}
    for verdict in world.verdicts:
        judged.setdefault((verdict.question, *sorted(verdict.shown)), []).append(verdict.rater)
    assert all(len(set(names)) == len(names) == 2 for names in judged.values())
    assert not set(judged) & set(world.open_pairs)
    assert len(judged) + len(world.open_pairs) == 160 * 6


def test_the_left_answer_is_as_often_the_one_as_the_other(world):
    assert np.mean([v.shown[0] < v.shown[1] for v in world.verdicts]) == pytest.approx(0.5, abs=0.04)


def test_a_rater_draws_from_rao_and_kuppers_distribution(world):
    rater, rng = Rater("Steady", 1.0, 0.4, 0.5, 0, 0), np.random.default_rng(3)
    pair = (world.questions[0].answers[1], world.questions[0].answers[0])
    delta, alpha = advantage(rater, *pair), np.log(TIE_THETA)
    drawn = [judge(rater, 0, pair, (0, 1), rng).p for _ in range(4000)]
    first, second = 1 / (1 + np.exp(alpha - delta)), 1 / (1 + np.exp(alpha + delta))
    for p, wanted in ((1, first), (0, second), (0.5, 1 - first - second)):
        assert np.mean(np.equal(drawn, p)) == pytest.approx(wanted, abs=0.03)


def test_advantage_adds_quality_order_and_length(world):
    a, b = world.questions[0].answers[:2]
    rater = Rater("Known", 2.0, 0.3, 0.5, 0, 0)
    wanted = 2 * (a.gold - b.gold) + 0.3 + 0.5 * (a.words - b.words) / 20
    assert advantage(rater, a, b) == pytest.approx(wanted)
    assert advantage(rater, a, b) + advantage(rater, b, a) == pytest.approx(0.6)


def test_raters_miss_and_invent_flaws_at_their_rates(world):
    for rater in RATERS:
        own = [v for v in world.verdicts if v.rater == rater.name]
        shown = [(world.questions[v.question].answers[p], set(v.spans[p])) for v in own for p in v.shown]
        seen = [flaw in marks for answer, marks in shown for flaw in answer.flaws]
        assert np.mean(seen) == pytest.approx(1 - rater.miss, abs=0.03)
        invented = [bool(marks - set(answer.flaws)) for answer, marks in shown]
        assert 0 < np.mean(invented) < 12 * rater.false_alarm


def test_ratings_follow_what_they_are_about(world):
    said = [(world.questions[v.question].answers[p], v.ratings[p]) for v in world.verdicts for p in v.shown]
    assert all(1 <= value <= 5 for _, ratings in said for value in ratings.values())
    assert {key for _, ratings in said for key in ratings} == {c.key for c in SCHEMA.criteria}
    assert np.corrcoef([a.gold for a, _ in said], [r["helpful"] for _, r in said])[0, 1] > 0.8
    assert np.corrcoef([len(a.plan.wrong) for a, _ in said], [r["accurate"] for _, r in said])[0, 1] < -0.8


def test_what_was_planted_is_told(world):
    told = truth()
    assert told["order_gamma"] == pytest.approx(np.mean([r.order for r in RATERS]))
    assert told["gold"]["cost"] == COST
    assert {c.key for c in SCHEMA.categories} == set(CATEGORIES)
    assert "table of facts" in GUIDELINES


def test_the_pool_holds_extremes_that_nobody_judged(world):
    judged = max(a.plan.padding for q in world.questions for a in q.answers)
    assert judged == 3
    for question in world.pool:
        extreme = [a for a in question.answers if a.plan.padding > judged]
        assert len(extreme) == 1
        assert {category for a in extreme for *_, category in a.flaws} == {"padding"}
        assert max(a.gold for a in extreme) < -1


def test_the_answers_render_with_offsets(world):
    for question in world.questions[:20]:
        for answer in question.answers:
            assert all(answer.text[r.start : r.end] == r.text for r in runs(answer.text) if r.exact)


def test_the_documentation_tells_the_constants():
    text = (Path(__file__).parents[2] / "docs" / "known_world.md").read_text()
    for r in RATERS:
        rates = f"{r.miss * 100:.0f} % | {r.false_alarm * 100:g} %"
        assert f"| {r.name} | {r.sharpness} | {r.order:.2f} | {r.length:.2f} | {rates} |" in text
    assert f"{PADDING} · (filler sentences)³" in text
