"""Does a fitted model find what was planted? On generated data, without a database.

A logistic model of pairs that leaves utility of standard deviation s unexplained sees every effect on the log-odds
shrunk by κ = 1/√(1 + π s²/8) (Zeger, Liang and Albert, Biometrics 1988). Here s is known, since the truth is. A
planted effect e counts as recovered when the estimate ± 1.96·SE reaches into [κe, e] and stays clear of 0, SE being
that of Fisher's information.

The order effect is a parameter of the model. The length effect is read off its scores: what 20 more words of the same
gold add, among answers to one question. Read once, it is biased, for the prior pulls quality and length towards 0
unequally; so it is read twice, in the world and in a control whose raters have no biases and whose answers are the
same, and the difference is the estimate.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from annotate.agreement import dawid_skene
from annotate.world import make_world, truth
from annotate.world.raters import RATERS, advantage
from inspector.stats import marks
from tests.worker.known import dataset
from worker.rm import backbone, gating, labels, objectives, preference, recipe, targets, training
from worker.rm.attribution import attribute
from worker.rm.scoring import score
from worker.rm.types import Comparison, silent

PLANTED = truth()
PLAIN = recipe.Preference()
FLAWS = ("wrong", "irrelevant", "repetition", "padding")
FAIR = tuple(replace(rater, order=0.0, length=0.0) for rater in RATERS)


class Study:
    """A world, the model fitted on it, and the scores of its answers, (questions, answers)."""

    def __init__(self, raters, cache, how=None, reliability=None):
        self.world = make_world(questions=110, pool=0, overlap=3, open_pairs=0, raters=raters)
        self.raters = {rater.name: rater for rater in raters}
        data = self.data = replace(dataset(self.world), reliability=reliability or {})
        self.fitted = training.fit_heads(data, backbone.load("minilm"), recipe.Recipe(preference=how or PLAIN), cache)
        scores = score(self.fitted.model, data.examples, cache).heads["preference"].astype(float)
        scores /= self.fitted.model.temperature  # log-odds that hold for prompts never seen
        self.scores = scores.reshape(len(self.world.questions), -1)
        self.gold = np.array([[a.gold for a in q.answers] for q in self.world.questions])
        self.words = np.array([[a.words / 20 for a in q.answers] for q in self.world.questions])
        self.trained = [(int(pair.first), int(pair.second)) for pair in data.train]

    @property
    def gamma(self):
        return self.fitted.info["order_gamma"]

    def error(self, covariate):
        """The standard error of the effect of something whose difference is given for each training pair."""
        first, second = np.array(self.trained).T
        delta = self.gamma + self.scores.ravel()[first] - self.scores.ravel()[second]
        return np.sum(covariate**2 / (2 + 2 * np.cosh(delta))) ** -0.5  # Σ σ(Δ)σ(−Δ)x²

    def words_apart(self):
        first, second = np.array(self.trained).T
        return self.words.ravel()[first] - self.words.ravel()[second]

    def length_effect(self):
        """What 20 more words of the same gold add to the score, among answers to one question."""
        within = [(x - x.mean(1, keepdims=True)).ravel() for x in (self.gold, self.words, self.scores)]
        return np.linalg.lstsq(np.stack(within[:2], 1), within[2], rcond=None)[0][1]

    def kappa(self):
        """How much an effect is shrunk by what the scores leave unexplained of the raters' utility."""
        true, margin = [], []
        for verdict in self.world.verdicts:
            rater, answers = self.raters[verdict.rater], self.world.questions[verdict.question].answers
            first, second = verdict.shown
            true.append(advantage(rater, answers[first], answers[second]) - rater.order)
            margin.append(self.scores[verdict.question, first] - self.scores[verdict.question, second])
        true, margin = np.array(true), np.array(margin)
        left = true - margin * (margin @ true) / (margin @ margin)
        return 1 / np.sqrt(1 + np.pi * np.mean(left**2) / 8)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("embeddings")


@pytest.fixture(scope="module")
def study(cache):
    return Study(RATERS, cache)


@pytest.fixture(scope="module")
def control(study, cache):
    """The same answers, so nothing is embedded again."""
    return Study(FAIR, cache)


def recovered(estimate, error, planted, kappa):
    """The rule at the top of this file."""
    return bool(estimate > 1.96 * error and reached(estimate, error, planted, kappa))


def reached(estimate, error, planted, kappa):
    """The same for an effect of any sign, which may be 0."""
    low, high = estimate - 1.96 * error, estimate + 1.96 * error
    near, far = sorted((planted, kappa * planted))
    return bool(low <= far and high >= near)


def test_the_rule_refuses_what_is_not_there():
    assert recovered(0.35, 0.05, 0.4, 0.8)
    assert not recovered(0.05, 0.05, 0.4, 0.8)
    assert not recovered(0.6, 0.05, 0.4, 0.8)
    assert not recovered(0.2, 0.03, 0.4, 0.8)


def test_the_order_effect_is_recovered(study):
    assert recovered(study.gamma, study.error(np.ones(len(study.trained))), PLANTED["order_gamma"], study.kappa())


LEANING = tuple(replace(rater, order=order) for rater, order in zip(FAIR, (1.2, 0.0, -0.8), strict=True))


@pytest.fixture(scope="module")
def leaning(cache):
    return Study(LEANING, cache, recipe.Preference(order="rater"))


def test_each_raters_order_effect_is_recovered(leaning):
    """Each rater judged every pair, so each has the error of their own verdicts; the prior between them is wide."""
    found, kappa = leaning.fitted.info["order_by_rater"], leaning.kappa()
    for rater in LEANING:
        own = np.array([pair.rater == rater.name for pair in leaning.data.train], dtype=float)
        assert reached(found[rater.name], leaning.error(own), rater.order, kappa)
    assert found["Greta Olund"] < -0.3 < 0.3 < found["Ines Karvo"]


def test_the_tie_threshold_is_recovered(study):
    """The error is that of Fisher's information of α, given the margins."""
    pairs, scores = labels.pairs(study.data.train), torch.from_numpy(study.scores.ravel())
    learned = objectives.Learned(torch.tensor([study.gamma]), torch.zeros(0))
    alpha = np.log(study.fitted.info["tie_theta"])
    unit = torch.tensor([np.log(np.expm1(alpha))], requires_grad=True)  # softplus of it is α

    def loss(tie):
        return objectives.rao_kupper(scores, pairs, replace(learned, tie=tie)).sum()

    slope = 1 - np.exp(-alpha)  # dα/d(unit)
    error = float(torch.autograd.functional.hessian(loss, unit)) ** -0.5 * slope
    assert recovered(alpha, error, np.log(PLANTED["tie_theta"]), study.kappa())


CARELESS = (RATERS[0], RATERS[1], replace(RATERS[2], sharpness=0.0, order=0.0, length=0.0))


@pytest.fixture(scope="module")
def careless(cache):
    """One of three decides by lot. What each weighs is made of Dawid and Skene's estimates, as in the service."""
    world = dataset(make_world(questions=110, pool=0, overlap=3, open_pairs=0, raters=CARELESS))
    names, said = [rater.name for rater in CARELESS], [*world.train, *world.test]
    _, pair = np.unique([sorted((one.first, one.second)) for one in said], axis=0, return_inverse=True)
    label = [int(2 * (one.p if one.first < one.second else 1 - one.p)) for one in said]
    raters = np.array([names.index(one.rater) for one in said])
    found = dawid_skene(pair.ravel(), raters, np.array(label), (pair.max() + 1, 3, 3)).reliability
    weights = {name: max(0.0, 2 * one.value - 1) for name, one in zip(names, found, strict=True)}
    return weights, [Study(CARELESS, cache, recipe.Preference(reliability=on), weights) for on in (False, True)]


def test_who_decides_by_lot_is_found_and_hardly_counts(careless):
    weights, _ = careless
    assert weights["Greta Olund"] < 0.1
    assert min(weights["Ines Karvo"], weights["Bruno Tael"]) > 0.3


def test_weighing_by_reliability_sharpens_the_scores(careless):
    """By lot there is nothing to explain, so what is left of the margins is the others' and grows by their share."""
    spread = [float(np.std(study.fitted.held_out.margins / study.fitted.model.temperature)) for study in careless[1]]
    assert spread[1] > 1.2 * spread[0]
    assert agreement_with_gold(careless[1][1]) > agreement_with_gold(careless[1][0]) - 0.02


def test_the_weights_of_criteria_are_recovered(study):
    """Verdicts drawn from a planted mixture of the ratings that the raters gave; each weight within 1.96 errors."""
    criteria = torch.from_numpy(targets.ratings(study.data, study.data.criteria))
    matrix, mean, _ = gating.transform(criteria, None)
    utility, planted = (criteria - mean) @ matrix.T, torch.tensor([0.3, 1.2, 0.6])
    first, second = torch.from_numpy(np.array(study.trained * 3).T)
    apart = utility[first] - utility[second]
    noise = torch.rand(len(first), generator=torch.Generator().manual_seed(1)).logit()
    won = (apart @ planted + noise > 0).tolist()
    said = labels.pairs([Comparison(*pair, float(p)) for pair, p in zip(study.trained * 3, won, strict=True)])
    how = recipe.Recipe(preference=recipe.Preference(order="none"))
    ones = torch.ones(len(criteria))
    fold = torch.from_numpy(targets.folds(study.data, 5))
    task = preference.Problem(utility, said, said, fold, ones, [""] * len(ones), how)
    gate = gating.fit(task, ones[:, None], criteria, None, silent).gate
    found = float(gate.strength) * gate.weights(ones[:, None])[0]
    chance = torch.sigmoid(apart @ planted)
    error = torch.linalg.inv((apart.T * chance * (1 - chance)) @ apart).diagonal().sqrt()
    assert ((found - planted).abs() < 1.96 * error).all()


def test_no_order_effect_is_found_where_none_was_planted(control):
    assert abs(control.gamma) < 1.96 * control.error(np.ones(len(control.trained)))


def test_the_length_bias_is_recovered(study, control):
    assert [q.answers for q in study.world.questions] == [q.answers for q in control.world.questions]
    difference = study.length_effect() - control.length_effect()
    error = np.hypot(study.error(study.words_apart()), control.error(control.words_apart()))
    assert recovered(difference, error, PLANTED["length_per_20_words"], study.kappa())


def test_planted_flaws_are_found_in_prompts_never_seen(study):
    found = study.fitted.held_out.segments
    assert set(found) == set(FLAWS)
    assert auroc(*map(np.concatenate, zip(*found.values(), strict=True))) >= 0.9
    assert min(auroc(*both) for both in found.values()) >= 0.85


def pointed(study, head):
    """Areas of what the head objects to against the planted flaws, in every other answer to prompts never seen."""
    held = [one for one in study.data.examples if one.group in study.data.test_groups][::2]
    sign, parts = 1.0 if head.startswith("segment:") else -1.0, []
    for number, one in enumerate(held):
        told = [token for token in attribute(study.fitted.model, one, head).tokens if token.part == "response"]
        starts, ends, values = np.array([(token.start, token.end, token.value) for token in told]).T
        spans = {key: [(s.start, s.end) for s in one.spans if s.category == key] for key in FLAWS}
        spans["any"] = [(span.start, span.end) for span in one.spans]
        found = {
            key: marks.characters(starts.astype(int), ends.astype(int), len(one.response), of)
            for key, of in spans.items()
        }
        parts.append((np.full(len(told), number), starts, sign * values, ends - starts - found["any"], found))
    response, starts, values, clean = (np.concatenate(column) for column in list(zip(*parts, strict=True))[:4])
    marked = {key: np.concatenate([part[4][key] for part in parts]) for key in parts[0][4]}
    prompt = np.unique([one.group for one in held], return_inverse=True)[1]
    return marks.areas(marks.Words(response, starts, values, clean, marked, prompt))


def test_the_words_that_a_segments_head_objects_to_are_the_planted_ones(study):
    """It learned from raters' marks, a sentence at a time; here each of its words is held against the truth."""
    found = pointed(study, "segment:padding")["padding"]
    assert found.auroc.value > 0.97
    assert found.within_auroc.low > 0.95
    assert found.auprc.value > 3 * found.base.value


def test_the_preference_minds_planted_flaws_that_it_never_saw_marked(study):
    """Wrong facts cost most and are words; its part in what is long and harmless is small, and of any sign."""
    found = pointed(study, "preference")
    assert found["wrong"].within_auroc.low > 0.5
    assert found["any"].within_auroc.value > 0.5


def auroc(logits, labels):
    """P(a flawed segment stands above a clean one), by ranks."""
    flawed = np.sum(labels == 1)
    above = rankdata(logits)[labels == 1].sum() - flawed * (flawed + 1) / 2
    return above / (flawed * (len(labels) - flawed))


def agreement_with_gold(study):
    """Of held-out pairs whose gold differs by more than a point, the share that the margin puts right."""
    held_out, gold = study.fitted.held_out, study.gold.ravel()
    apart = gold[held_out.first] - gold[held_out.second]
    clear = np.abs(apart) > 1
    return np.mean((held_out.margins > 0)[clear] == (apart > 0)[clear])


def test_fair_raters_lead_to_the_gold_and_biased_ones_astray(study, control):
    assert agreement_with_gold(control) > 0.85
    assert 0.7 < agreement_with_gold(study) < agreement_with_gold(control)
