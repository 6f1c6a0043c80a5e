"""Defects that were found in published reward-model code, each as a test that would catch it here.

They are numbered as in the survey they come from: 1 llm_optimization, 2 ArmoRM, 3 and 4 RLHFlow, 5 to 7 OpenRLHF and
Fine-Grained RLHF, 8 LIT, 9 RewardBench, 10 TRL.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from annotate.agreement import pair_accuracy
from worker.jobs.metrics import leakage, metrics_of
from worker.rm import auxiliary, backbone, checkpoint, embed, ensemble, gating, labels, objectives, scoring, training
from worker.rm.attribution import attribute
from worker.rm.attribution.path import walk
from worker.rm.backbone import Backbone
from worker.rm.best_of_n import ranks
from worker.rm.recipe import Encoding, Extras, Heads, Preference, Recipe
from worker.rm.truncation import survey
from worker.rm.types import PREFERENCE, Comparison

QUICK = Heads(l2=(30.0,))
NOTHING = objectives.Learned(torch.zeros(0), torch.zeros(0))


# 1. Gold scores came back in the order of the first member's ranking; equal answers got each other's place; UWO took
# the variance of a sample in one place and that of the population in the other.


@pytest.mark.parametrize("how", ["mean", "wco", "uwo", "quantile"])
def test_1_each_combined_score_stays_with_its_own_answer(how):
    members = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    members[6] = members[2]  # an answer that was given twice
    turned = torch.tensor([4, 0, 8, 2, 6, 1, 7, 3, 5])
    found = ensemble.combine(members, Extras(combine=how))
    assert torch.equal(ensemble.combine(members[turned], Extras(combine=how)), found[turned])
    assert ranks(found.tolist())[2] == ranks(found.tolist())[6]


def test_1_the_variance_is_that_of_the_population_in_scores_and_in_disagreement():
    members = torch.tensor([[1.0, 3.0]])
    assert float(ensemble.combine(members, Extras(combine="uwo", uwo_weight=1.0))) == 2 - 1
    assert float(ensemble.disagreement(members)) == 1


# 2. The debiased criteria were computed, and the gate trained and evaluated on the others; only the gate was saved.


@pytest.fixture(scope="module")
def gated(world, minilm, tmp_path_factory):
    """A fit in which quality is told by raters who like length."""
    rng = np.random.default_rng(0)
    long = [len(one.response) / 20 for one in world.examples]
    told = [
        {"quality": one.ratings["quality"] + n + rng.normal(), "long": n}
        for one, n in zip(world.examples, long, strict=True)
    ]
    data = replace(
        world,
        examples=[replace(one, ratings=said) for one, said in zip(world.examples, told, strict=True)],
        criteria=("quality", "long"),
    )
    recipe = Recipe(extras=Extras(gate=True, verbosity="long"), heads=QUICK)
    return data, training.fit_heads(data, minilm, recipe, tmp_path_factory.mktemp("gate"))


def test_2_what_is_scored_and_evaluated_is_debiased(gated, minilm):
    data, found = gated
    gate, embedded = found.model.gate, embed.embed(minilm, data.examples)
    criteria = found.model.table(embedded)[:, list(found.model.attributes)]
    mixed = (criteria - gate.mean) @ gate.matrix.T
    prompts = gating.prompts(minilm, data.examples, "sentence", None, lambda *_: None)
    expected = gate.strength * (gate.weights(prompts) * mixed).sum(1)
    scores = torch.from_numpy(scoring.score(found.model, data.examples).heads[PREFERENCE])
    assert found.info["gate"]["taken"]["quality"] > 0.1
    assert torch.allclose(scores, expected, atol=1e-4)
    margins = (expected[found.held_out.first] - expected[found.held_out.second]).numpy()
    assert found.held_out.margins == pytest.approx(margins, abs=1e-4)
    assert found.held_out.margins != pytest.approx(
        (criteria[found.held_out.first] - criteria[found.held_out.second])[:, 0].numpy(), abs=0.1
    )


def test_2_what_the_gate_is_fitted_on_knows_nothing_of_length():
    rng = np.random.default_rng(1)
    long = rng.normal(size=1000)
    criteria = torch.from_numpy(np.stack([0.7 * long + rng.normal(size=1000), long], 1)).float()
    matrix, mean, _ = gating.transform(criteria, 1)
    assert abs(spearmanr(criteria[:, 0], long).statistic) > 0.4
    assert abs(spearmanr((criteria - mean) @ matrix[0], long).statistic) <= gating.MOST


def test_2_the_file_holds_the_gate_and_all_that_it_mixes(gated, tmp_path):
    data, found = gated
    checkpoint.save(found.model, tmp_path / "gated.safetensors")
    again = scoring.score(checkpoint.load(tmp_path / "gated.safetensors"), data.examples[:4]).heads
    assert again[PREFERENCE].tolist() == scoring.score(found.model, data.examples[:4]).heads[PREFERENCE].tolist()


# 3. Rewards were summed over the batch inside the sigmoid, so a wrong pair among right ones taught nothing; the
# orthogonality was commented out; lengths were another tokenizer's.


def test_3_a_wrong_pair_among_right_ones_has_its_own_gradient():
    pairs = labels.pairs([Comparison(2 * n, 2 * n + 1, 1.0) for n in range(16)])
    scores = torch.zeros(32)
    scores[0:30:2], scores[30] = 3.0, -2.0
    scores.requires_grad_()
    total = objectives.preference_loss(scores, pairs, NOTHING, Preference(objective="bradley_terry", order="none"))
    (gradient,) = torch.autograd.grad(total / 16, scores)
    assert -float(gradient[30]) == pytest.approx(0.055, abs=1e-4)  # σ(2) / 16, and not 2e-19


def test_3_heads_that_point_the_same_way_are_charged_for_it():
    scores, tokens = torch.tensor([1.0, -1.0, 0.0, -1.0, 1.0]), torch.arange(5.0)
    charge = [
        float(auxiliary.odin(scores, tokens, tokens, torch.tensor([[1.0, 0.0], row]), torch.zeros(0, 3))[0])
        for row in ([0.0, 1.0], [1.0, 0.0])
    ]
    assert charge[1] - charge[0] == pytest.approx(1)


def test_3_lengths_are_counted_by_the_models_own_tokenizer(minilm, world, embedded):
    own = [len(minilm.encoder.tokenizer(one.response, add_special_tokens=False).input_ids) for one in world.examples]
    assert embedded.sizes[:, 1].tolist() == own


# 4. "Evaluation" was the first rows of the training split, or test was dev.


def test_4_without_held_out_pairs_there_is_no_accuracy(minilm, world, embedded):
    found = training.fit_embedded(replace(world, test=[]), embedded, minilm, Recipe(heads=QUICK))
    said = metrics_of(replace(world, test=[]), found.held_out, found.model.temperature)
    assert (said["pair_accuracy"]["value"], said["pair_accuracy"]["n"], said["nll"]) == (None, 0, None)


def test_4_a_leak_is_counted_on_every_run(world):
    assert leakage(world) == {"prompts": 0, "identical_pairs": 0}
    assert leakage(replace(world, test=world.train[:7]))["prompts"] == 2


def test_4_held_out_pairs_never_teach(minilm, world, embedded, trained):
    turned = replace(world, test=[replace(pair, p=1 - pair.p) for pair in world.test])
    other = training.fit_embedded(turned, embedded, minilm, Recipe())
    assert torch.equal(other.model.response.weights, trained.model.response.weights)
    assert other.model.temperature == trained.model.temperature


# 5. A margin was taken and ignored; log(1 + exp(x)) and log(sigmoid(x)) ran over or under.


def test_5_a_margin_changes_the_loss():
    clear, slight = (labels.pairs([Comparison(0, 1, 1.0, 1.0, strength)]) for strength in (3, 1))
    scores = torch.tensor([0.5, 0.0])
    losses = [float(objectives.margin(scores, one, NOTHING)) for one in (clear, slight)]
    assert losses == pytest.approx([math.log1p(math.exp(0.5)), math.log1p(math.exp(-1 / 6))])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_5_large_margins_cost_what_they_are(dtype):
    found = objectives.cross_entropy(torch.tensor([-200.0, 200.0, 20.0], dtype=dtype))
    assert found[0] == 200
    assert found[1] == 0
    assert torch.isfinite(found).all()


# 6. Training appended an end token and forced it where texts were cut; serving did neither.


@pytest.mark.parametrize("times", [1, 400])
def test_6_a_text_is_read_alike_in_training_and_in_scoring(minilm, world, times):
    long = [replace(one, response=one.response * times) for one in world.examples]
    data = replace(world, examples=long)
    reader = backbone.load("minilm", Encoding(max_length=64))
    embedded = embed.embed(reader, long)
    found = training.fit_embedded(data, embedded, reader, Recipe(heads=QUICK, encoding=Encoding(max_length=64)))
    trained = found.model(embedded)[:5, 0].tolist()
    assert scoring.score(found.model, long[:5]).heads[PREFERENCE].tolist() == pytest.approx(trained, abs=1e-4)
    ids = reader.encoder.encode(long[0]).ids
    assert ids[-1] == reader.encoder.tokenizer.sep_token_id
    assert len(ids) <= 64


# 7. Accuracies of batches were averaged, so a short last batch counted as much as a full one.


def test_7_an_accuracy_counts_pairs_and_not_batches():
    margins = np.array([1.0] * 8 + [-1.0] * 2)
    whole = pair_accuracy(margins, np.ones(10)).value
    by_batch = np.mean([pair_accuracy(part, np.ones(len(part))).value for part in np.split(margins, [8])])
    assert (whole, by_batch) == (0.8, 0.5)


# 8. Integrated gradients stopped at (S − 1)/S of the path, and normalised scores hid it.


@pytest.mark.parametrize(
    "curve",
    [lambda x: x**2, lambda x: x**4, lambda x: torch.sigmoid(10 * (x - 0.5)), lambda x: torch.sigmoid(40 * (x - 0.95))],
)
def test_8_a_path_reaches_its_end(curve):
    start, end = torch.zeros(3, 1), torch.tensor([[0.2], [0.5], [0.3]])
    value = lambda points: curve(points.sum((1, 2)))  # noqa: E731
    change = float(curve(torch.tensor(1.0)) - curve(torch.tensor(0.0)))
    found = walk(value, start, end).values
    assert float(found.sum()) == pytest.approx(change, rel=0.01)
    assert (found / found.sum()).tolist() == pytest.approx([0.2, 0.5, 0.3], abs=1e-4)


# 9. A reward per token was made by scoring all prefixes, T(T + 1)/2 tokens in all.


def test_9_an_exact_split_reads_a_text_a_fixed_number_of_times(trained, world, monkeypatch):
    read, hidden = [], Backbone.hidden
    monkeypatch.setattr(
        Backbone, "hidden", lambda self, mask, **given: read.append(mask.numel()) or hidden(self, mask, **given)
    )
    found = attribute(trained.model, world.examples[1], PREFERENCE)
    assert sum(read) == len(found.tokens)


# 10. "Truncated" said the documentation and "dropped" did the code, in silence.


def test_10_what_is_too_long_is_cut_and_counted_or_dropped_and_named(world):
    long = replace(world, examples=[replace(one, response=one.response * 30) for one in world.examples])
    cut, drop = (backbone.load("minilm", Encoding(max_length=64, truncation=how)) for how in ("left", "drop"))
    found = training.fit_heads(long, cut, Recipe(heads=QUICK), None)
    assert found.info["truncated"] == len(long.examples)
    assert len(found.held_out.margins) == len(long.test)
    assert len(survey(long, drop.encoder).dropped) == len({one.key for one in long.examples})
