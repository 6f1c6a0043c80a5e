"""Areas under the curves of marks, against brute force over characters and closed forms."""

import json
import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from inspector.stats import marks
from inspector.stats.marks import Words, areas, characters, difference, each, sentences, totals, united


def words(response, value, marked, clean, prompt=None):
    """One kind of marks; `marked` and `clean` are characters of each token."""
    response, start = np.array(response), np.arange(len(response))
    prompts = np.arange(response.max() + 1) if prompt is None else np.array(prompt)
    columns = (np.array(column, dtype=float) for column in (value, clean))
    return Words(response, start, *columns, {"any": np.array(marked, dtype=float)}, prompts)


def drawn(seed=0, responses=30, tokens=9, shift=1.0):
    """Words whose marked tokens have values that are higher by `shift`; some responses have no mark."""
    rng = np.random.default_rng(seed)
    response = np.repeat(np.arange(responses), tokens)
    bad = (rng.random(len(response)) < 0.25) & (response % 5 > 0)
    size, part = rng.integers(1, 8, len(response)), rng.random(len(response)) < 0.2
    marked = np.where(bad, np.where(part, size // 2, size), 0)
    value = rng.normal(size=len(response)).round(1) + shift * bad
    return words(response, value, marked, size - marked, prompt=np.arange(responses) // 2)


def letters(one, kind="any", response=None):
    """(values, labels) character by character."""
    rows = range(len(one.value)) if response is None else np.flatnonzero(one.response == response)
    pairs = [
        (one.value[row], label)
        for row in rows
        for label, count in ((True, one.marked[kind][row]), (False, one.clean[row]))
        for _ in range(int(count))
    ]
    return [value for value, _ in pairs], [label for _, label in pairs]


def brute_auroc(values, labels):
    bad, good = ([v for v, label in zip(values, labels, strict=True) if label is side] for side in (True, False))
    return sum((x > y) + (x == y) / 2 for x, y in product(bad, good)) / (len(bad) * len(good))


def brute_auprc(values, labels):
    """scikit-learn's definition: Σ (Rₙ − Rₙ₋₁) Pₙ over thresholds from the top."""
    values, labels = np.array(values), np.array(labels)
    found, before = 0.0, 0.0
    for threshold in np.unique(values)[::-1]:
        above = values >= threshold
        recall = labels[above].sum() / labels.sum()
        found, before = found + (recall - before) * labels[above].mean(), recall
    return found


def test_pooled_areas_are_those_over_characters():
    one = drawn()
    found, (values, labels) = areas(one)["any"], letters(one)
    assert found.auroc.value == pytest.approx(brute_auroc(values, labels), abs=1e-12)
    assert found.auprc.value == pytest.approx(brute_auprc(values, labels), abs=1e-12)
    assert found.base.value == pytest.approx(np.mean(labels), abs=1e-12)
    assert found.auroc.n == 30


def test_means_within_are_over_the_responses_with_both_classes():
    one = drawn()
    alone = [letters(one, response=number) for number in range(30)]
    both = [(v, y) for v, y in alone if any(y) and not all(y)]
    found = areas(one)["any"]
    assert found.within_auroc.n == len(both) < 30
    assert found.within_auroc.value == pytest.approx(np.mean([brute_auroc(*one) for one in both]), abs=1e-12)
    assert found.within_auprc.value == pytest.approx(np.mean([brute_auprc(*one) for one in both]), abs=1e-12)
    assert found.within_base.value == pytest.approx(np.mean([np.mean(y) for _, y in both]), abs=1e-12)


def test_a_textbook_case():
    """Four characters; .9 right, .8 wrong, .7 right, .1 wrong: AUROC 3/4, average precision (1 + 2/3)/2."""
    found = areas(words([0] * 4, [0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0], [0, 1, 0, 1]))["any"]
    assert (found.auroc.value, found.auprc.value, found.base.value) == (0.75, pytest.approx(5 / 6), 0.5)
    assert found.auroc.low is None
    assert "too few" in found.auroc.why


def test_values_that_say_nothing_give_a_half_and_the_base_rate():
    one = drawn()
    found = areas(one.valued(np.zeros(len(one.value))))["any"]
    assert (found.auroc.value, found.within_auroc.value) == (0.5, 0.5)
    assert found.auprc.value == pytest.approx(found.base.value)


def test_the_intervals_are_those_of_redrawing_prompts_one_by_one():
    """The slow way: draw prompts, put their characters together, take the area; the same random numbers."""
    one = drawn()
    rng, prompts, slow = np.random.default_rng(0), int(one.prompt.max()) + 1, []
    for _ in range(1000):
        times = np.bincount(rng.integers(0, prompts, prompts), minlength=prompts)
        weight = times[one.prompt[one.response]]
        again = replace(one, marked={"any": one.marked["any"] * weight}, clean=one.clean * weight)
        runs = marks._runs(np.zeros(len(weight), int), again.value)
        slow.append(marks._areas(runs, again.marked["any"], again.clean, 1)[0])
    low, high = np.quantile(slow, (0.025, 0.975), axis=0)
    found = areas(one)["any"]
    for place, interval in enumerate((found.auroc, found.auprc, found.base)):
        assert (interval.low, interval.high) == (pytest.approx(low[place]), pytest.approx(high[place]))


def test_bins_move_the_bounds_by_little(monkeypatch):
    one = drawn(responses=60, tokens=30)
    one = one.valued(one.value + 1e-3 * np.random.default_rng(3).normal(size=len(one.value)))
    binned = areas(one)["any"]
    monkeypatch.setattr(marks, "BINS", 10**6)
    exact = areas(one)["any"]
    for name in ("auroc", "auprc", "base", "within_auroc"):
        a, b = getattr(binned, name), getattr(exact, name)
        assert (a.value, a.low, a.high) == (b.value, pytest.approx(b.low, abs=4e-3), pytest.approx(b.high, abs=4e-3))


def test_an_interval_covers_what_was_planted_about_as_often_as_it_says():
    """Of normal values shifted by 1 the AUROC is Φ(1/√2) = .7602."""
    hits = 0
    for seed in range(40):
        found = areas(drawn(seed + 1, responses=30, tokens=20))["any"].auroc
        hits += found.low <= 0.7602 <= found.high
    assert 34 <= hits <= 40


def test_other_kinds_are_left_out_of_a_kind():
    one = words([0, 0, 0], [3.0, 2.0, 1.0], [1, 0, 0], [0, 0, 1])
    one = replace(one, marked={"wrong": one.marked["any"], "other": np.array([0.0, 1.0, 0.0])})
    found = areas(one)
    assert (found["wrong"].auroc.value, found["other"].auroc.value) == (1.0, 1.0)
    assert found["wrong"].base.value == 0.5


@pytest.mark.parametrize(("marked", "why"), [([0, 0], "nothing is marked"), ([1, 1], "everything is marked")])
def test_one_class_alone_says_why(marked, why):
    found = areas(words([0, 0], [1.0, 2.0], marked, [1 - one for one in marked]))["any"]
    assert (found.auroc.value, found.auroc.why) == (None, why)
    assert "no response has marked and unmarked" in found.within_auprc.why


def test_of_no_response_there_is_nothing():
    nothing = np.zeros(0)
    found = areas(Words(nothing.astype(int), nothing, nothing, nothing, {"any": nothing}, nothing.astype(int)))
    assert found["any"].auroc.why == "there is no response"


def test_trivial_baselines_know_places_and_lengths():
    late = words([0, 0, 1, 1, 1], [0.0] * 5, [0, 2, 0, 0, 1], [3, 0, 2, 2, 0])
    assert areas(late.later())["any"].within_auroc.value == 1.0
    assert late.longer().value.tolist() == [5.0] * 5
    assert areas(late.longer())["any"].within_auroc.value == 0.5


def test_each_response_has_its_own_areas():
    found = each(words([0, 0, 1], [2.0, 1.0, 0.0], [1, 0, 0], [0, 1, 1]))["any"]
    assert found[0].tolist() == [1.0, 1.0, 0.5]
    assert np.isnan(found[1]).all()


def test_the_difference_of_two_models_is_paired():
    rng = np.random.default_rng(0)
    before = rng.random(60)
    found = difference(before, before + 0.1 + 0.01 * rng.normal(size=60), np.arange(60) // 2)
    assert found.value == pytest.approx(0.1, abs=0.005)
    assert found.high - found.low < 0.01  # where two separate intervals would be .15 wide
    assert difference([np.nan], [1.0], [0]).why == "no response has both"


def test_characters_of_tokens_under_spans():
    starts, ends = np.array([0, 4, 9]), np.array([3, 8, 12])
    assert characters(starts, ends, 12, [(2, 6), (5, 6), (11, 12)]).tolist() == [1, 2, 1]
    assert characters(starts, ends, 12, []).tolist() == [0, 0, 0]


def test_totals_share_a_token_by_its_characters():
    starts, ends, values = np.array([0, 4]), np.array([4, 8]), np.array([1.0, -2.0])
    assert totals(starts, ends, values, [(0, 8), (2, 6), (8, 9)]).tolist() == [-1.0, 0.5 - 1.0, 0.0]
    assert totals(starts, ends, values, []).tolist() == []


def test_overlapping_spans_are_one_and_touching_ones_two():
    assert united([(4, 6), (0, 3), (2, 4)]) == [(0, 4), (4, 6)]


def test_sentences_stand_without_the_space_around_them():
    text = "It is 3.5 m long. Yes!\n\n- a point\n真的。好！"
    found = [text[start:end] for start, end in sentences(text)]
    assert found == ["It is 3.5 m long.", "Yes!", "- a point", "真的。", "好！"]
    assert sentences(" \n ") == []


@pytest.mark.parametrize("sign", ["!", " ", "\n ", '"'])
def test_endless_signs_are_cut_at_once(sign):
    assert sentences("So." + sign * 200_000 + "x")[0][0] == 0  # a search that begins anew at each takes minutes


def test_on_real_marks_a_planted_shift_is_found_and_nothing_else(human_data):
    """Noise, moved by 1 where QA-Feedback's people marked irrelevance: Φ(1/√2) = .7602 there, and ½ elsewhere."""
    rows = json.loads((human_data / "qa_feedback_dev.json").read_text())
    rng, parts = np.random.default_rng(1), []
    for number, row in enumerate(rows):
        text = row["prediction 1"]
        starts, ends = np.array([found.span() for found in re.finditer(r"\S+", text)]).reshape(-1, 2).T
        spans = {"any": [], "Irrelevant": [], "Wrong-Grounding": []}
        for error in row["feedback"]["errors"]:
            for kind in ("any", error["error type"]):
                spans.setdefault(kind, []).append((error["start"], error["end"]))
        cut = {
            kind: characters(starts, ends, len(text), spans[kind]) for kind in ("any", "Irrelevant", "Wrong-Grounding")
        }
        value = rng.normal(size=len(starts)) + (cut["Irrelevant"] > 0)
        parts.append((np.full(len(starts), number), starts, value, ends - starts - cut["any"], cut))
    columns = [np.concatenate(column) for column in list(zip(*parts, strict=True))[:4]]
    marked = {kind: np.concatenate([part[4][kind] for part in parts]) for kind in parts[0][4]}
    found = areas(Words(*columns, marked, np.arange(len(rows))))
    assert found["Irrelevant"].auroc.low < 0.7602 < found["Irrelevant"].auroc.high
    assert found["Wrong-Grounding"].auroc.low < 0.5 < found["Wrong-Grounding"].auroc.high
    assert found["Irrelevant"].auroc.n == 500
