"""Fine-tuning: one job, however it is cut, packed, padded, shared or saved; and it learns what was planted."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.functional import logsigmoid

from tests.worker.rm.conftest import dataset
from worker.rm import averaging, backbone, checkpoint, finetune, network, reading, scoring, tuned, vocabulary
from worker.rm.plan import plan
from worker.rm.recipe import Extras, Preference, Recipe, Tuning
from worker.rm.types import StepLabel

PLAIN = Preference(objective="bradley_terry", order="none")
ALONE = Extras(attributes=0, segments=0, steps=0)


@pytest.fixture(scope="module")
def data():
    return dataset(16, 4)


def recipe(name="full", preference=PLAIN, extras=ALONE, **tuning):
    own = {"learning_rate": 1e-3, "pairs_per_step": 12, "save_every": 1000} | tuning
    return Recipe(name=name, preference=preference, extras=extras, tuning=Tuning(**own))


def fit(data, name, own, folder, **more):
    return finetune.fit(data, name, own, work_dir=Path(folder), **more)


@pytest.fixture(scope="module")
def usual(data, llama, tmp_path_factory):
    return fit(data, llama, recipe(), tmp_path_factory.mktemp("usual"))


def test_it_starts_at_ln_2(usual):
    assert usual.info["loss"][0] == pytest.approx(math.log(2), abs=1e-6)
    assert usual.info["step0_loss"] == pytest.approx(math.log(2), abs=1e-6)


def test_the_loss_of_groups_is_that_of_pairs_one_by_one(data, llama):
    own = recipe()
    inputs = reading.inputs(backbone.load(llama).encoder, data.examples, "sentence")
    found = plan(data, inputs, own)
    net = tuned.build(backbone.fresh(llama), own, found.shape)
    torch.nn.init.normal_(net.heads["preference"].weight, generator=torch.Generator().manual_seed(1))
    group = next(one for one in found.groups if len(one.verdicts) > 3)
    scores = dict(zip(group.examples, net([inputs[n] for n in group.examples]).members[:, 0], strict=True))
    for n in group.verdicts:
        first, second = found.labels.members[n].tolist()
        pair = net([inputs[first], inputs[second]]).members[:, 0]
        torch.testing.assert_close(-logsigmoid(scores[first] - scores[second]), -logsigmoid(pair[0] - pair[1]))


@pytest.mark.parametrize(
    "change", [{"token_budget": 64}, {"checkpointing": True}, {"shared_prefix": True}, {"token_budget": 150}]
)
def test_how_a_step_is_computed_changes_no_loss(data, llama, usual, tmp_path, change):
    found = fit(data, llama, recipe(**change), tmp_path)
    assert found.info["loss"] == pytest.approx(usual.info["loss"], abs=1e-4)
    assert found.held_out.margins == pytest.approx(usual.held_out.margins, abs=1e-3)


def test_padded_batches_give_the_same_curve_and_count_their_waste(data, llama, usual, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "can_pack", lambda _: False)
    waste = []
    found = fit(data, llama, recipe(), tmp_path, report=lambda *told: waste.append(told[3].get("padding", 0)))
    assert found.info["loss"] == pytest.approx(usual.info["loss"], abs=1e-4)
    assert 0 < max(waste) < 0.5


def test_a_narrow_word_table_ends_as_the_whole_one_would(data, llama, usual, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune, "fits", lambda _: False)
    whole = fit(data, llama, recipe(), tmp_path)
    for name, value in whole.model.tensors.items():
        torch.testing.assert_close(value, usual.model.tensors[name], atol=1e-5, rtol=0)
    assert vocabulary.fits(usual.model.network) is False  # frozen now


def test_frozen_embeddings_stay(data, llama, tmp_path):
    found = fit(data, llama, recipe(freeze_embeddings=True), tmp_path)
    start = backbone.load(llama).model.state_dict()
    for name, value in start.items():
        moved = not torch.equal(found.model.tensors[f"model.{name}"], value)
        assert moved != ("embed_tokens" in name), name


def test_bfloat16_is_near(data, llama, usual, tmp_path):
    found = fit(data, llama, recipe(bf16=True), tmp_path)
    assert found.info["loss"] == pytest.approx(usual.info["loss"], abs=0.02)
    assert {value.dtype for value in found.model.tensors.values()} == {torch.float32}


def test_an_own_optimizer_step_is_adam_clipped(data, llama, tmp_path):
    loose, tight = (fit(data, llama, recipe(clip=clip), tmp_path / str(clip)) for clip in (1e9, 1e-9))
    assert loose.info["loss"][0] == tight.info["loss"][0]
    assert loose.info["loss"][-1] != tight.info["loss"][-1]


def test_what_was_planted_is_learnt(data, tmp_path):
    own = recipe("lora", preference=Preference(order="shared"), extras=Extras(), epochs=3, learning_rate=3e-3)
    found = fit(data, "minilm", own, tmp_path)
    assert sum(found.info["loss"][-5:]) < 0.85 * sum(found.info["loss"][:5])
    logits, labels = found.held_out.segments["irrelevant"]
    assert logits[labels == 1].mean() > logits[labels == 0].mean()


def joint_data(data):
    """Steps as well: the first sentence is right where it tells the true height."""
    step = lambda one: (StepLabel(0, one.response.index("tall.") + 5, 1.0 if one.ratings["quality"] > 3 else -1.0),)  # noqa: E731
    return replace(data, examples=[replace(one, steps=step(one)) for one in data.examples])


@pytest.fixture(scope="module")
def everything(data, llama, tmp_path_factory):
    extras = Extras(members=3, combine="uwo", quantiles=(0.25, 0.75), odin=True, length_calibration=True)
    own = recipe(extras=extras, preference=Preference(order="rater"))
    return fit(joint_data(data), llama, own, tmp_path_factory.mktemp("everything"))


def test_a_joint_model_has_every_head(everything, data):
    heads = "preference attribute:quality quantile:0.25 quantile:0.75 segment:irrelevant segment:wrong step length"
    assert list(everything.model.heads) == [*heads.split(), "member:0", "member:1", "member:2", "disagreement"]
    scored = scoring.score(everything.model, data.examples[:3]).heads
    members = torch.tensor([scored[f"member:{n}"] for n in range(3)])
    assert scored["disagreement"] == pytest.approx(members.std(0, correction=0).numpy(), abs=1e-6)
    assert (scored["step"] > 0).all() and (scored["step"] <= 1).all()  # noqa: PT018
    assert scored["length"].std() > 0


def test_a_joint_model_is_measured_on_all_that_was_held_out(everything):
    held = everything.held_out
    assert len(held.margins) == 24
    assert {len(values) for values, _ in held.quantiles.values()} == {16}
    assert len(held.steps[0]) == 16
    assert set(held.segments) == {"irrelevant", "wrong"}


@pytest.mark.parametrize("name", ["full", "lora"])
def test_saved_and_loaded_it_scores_the_same_to_the_bit(data, llama, tmp_path, name):
    found = fit(data, llama, recipe(name, extras=Extras(length_calibration=True)), tmp_path)
    checkpoint.save(found.model, tmp_path / "model.safetensors")
    loaded = checkpoint.load(tmp_path / "model.safetensors")
    one, two = (scoring.score(model, data.examples[:7]).heads for model in (found.model, loaded))
    assert {head: values.tolist() for head, values in one.items()} == {h: v.tolist() for h, v in two.items()}
    assert (loaded.mean, loaded.std, loaded.recipe) == (found.model.mean, found.model.std, found.model.recipe)


def test_a_file_without_its_head_is_refused(usual):
    tensors = {name: value for name, value in usual.model.tensors.items() if "preference" not in name}
    with pytest.raises(ValueError, match=r"does not hold what this model needs: heads.preference.weight"):
        replace(usual.model, tensors=tensors).network  # noqa: B018


def test_another_backbone_is_refused(usual, qwen):
    with pytest.raises(ValueError, match="differs from the one that this model was trained on"):
        replace(usual.model, backbone_name=qwen).network  # noqa: B018


def test_a_gate_needs_a_frozen_backbone(data, llama, tmp_path):
    with pytest.raises(ValueError, match="use the trainer heads"):
        fit(data, llama, recipe(extras=Extras(gate=True)), tmp_path)


# ---- Averages of weights


def test_the_mean_of_adapters_is_the_mean_of_what_they_add(data, llama, tmp_path):
    models = [fit(data, llama, recipe("lora", seed=n), tmp_path / str(n)).model for n in range(3)]
    together = averaging.mean(models)
    layer = "layers.1.self_attn.q_proj"
    added = [dict(one.network.model.named_modules())[layer].get_delta_weight("default") for one in [*models, together]]
    torch.testing.assert_close(added[3], torch.stack(added[:3]).mean(0), atol=1e-6, rtol=1e-4)


def test_the_mean_of_equal_models_is_the_model(usual, data):
    same = averaging.mean([usual.model, usual.model])
    one, two = (scoring.score(model, data.examples[:4]).heads["preference"] for model in (usual.model, same))
    assert one == pytest.approx(two, abs=1e-6)


def test_only_fine_tunes_of_one_start_are_averaged(usual, everything):
    for other, reason in (
        (everything.model, "different heads"),
        (replace(usual.model, backbone_hash="x"), "different backbones"),
        (replace(usual.model, encode_hash="x"), "different encodings"),
    ):
        with pytest.raises(ValueError, match=reason):
            averaging.mean([usual.model, other])
    with pytest.raises(ValueError, match="no second one"):
        averaging.mean([usual.model])
