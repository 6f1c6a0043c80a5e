"""The trainers "full" and "lora": move a backbone and its heads along the joint loss.

A step is about `pairs_per_step` verdicts of whole prompt groups, each distinct response read once. It is taken in
pieces of at most `token_budget` tokens whose gradients add up to the whole step's. Masters and heads are float32; with
bf16 the backbone computes in bfloat16.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from . import backbone as backbones
from . import outcome_tuned, reading
from .plan import Plan, plan
from .reading import Input
from .recipe import Recipe
from .run import Run
from .training import Trained
from .tuned import TunedModel, build, kept
from .types import Dataset, Report, silent
from .vocabulary import Vocabulary, fits


def fit(
    data: Dataset,
    backbone_name: str,
    recipe: Recipe,
    *,
    cache_dir: Path | None = None,
    work_dir: Path,
    report: Report = silent,
    warm: TunedModel | None = None,
) -> Trained:
    """Train, or go on from the checkpoint of the same run in work_dir. `report` may raise to stop.

    `warm` is where weights and heads begin. Raises ValueError where the data or the backbone cannot give what the
    recipe wants, torch.OutOfMemoryError with the token budget that was tried.
    """
    start = time.monotonic()
    model, inputs, run = train(data, backbone_name, recipe, work_dir=work_dir, report=report, warm=warm)
    middle = time.monotonic()
    report("held out", 0, 1, {})
    trained = outcome_tuned.finish(model, data, inputs, report)
    end = time.monotonic()
    seconds = {"fit": middle - start, "measure": end - middle, "total": end - start}
    return replace(trained, seconds=seconds, info=run.info() | trained.info)


def train(
    data: Dataset, backbone_name: str, recipe: Recipe, *, work_dir: Path, report: Report, warm: TunedModel | None
) -> tuple[TunedModel, list[Input], Run]:
    """The model, not yet measured; what it read; and how the run went."""
    if recipe.extras.gate:
        raise ValueError("a gate mixes criteria on a frozen backbone: use the trainer heads, or turn the gate off")
    report("loading the backbone", 0, 1, {})
    backbone = backbones.fresh(backbone_name, recipe.encoding)
    report("tokenise", 0, len(data.examples), {})
    inputs = reading.inputs(backbone.encoder, data.examples, recipe.heads.rule)
    found = plan(data, inputs, recipe)
    with torch.random.fork_rng():
        torch.manual_seed(recipe.tuning.seed)
        network = build(backbone, recipe, found.shape)
        network.begin(recipe.tuning.seed)
        found.begin_heads(network)
        if warm:
            _start_from(warm, network, recipe)
        run = steps_of(network, found, recipe, work_dir, report)
    model = TunedModel(backbone.name, backbone.hash, backbone.encoder.hash, recipe, found.shape, kept(network, recipe))
    model.__dict__["network"] = network.requires_grad_(False).eval()
    return model, inputs, run


def steps_of(network, found: Plan, recipe: Recipe, work_dir: Path, report: Report) -> Run:
    """Run all steps; then the network is whole again."""
    words = Vocabulary(network, found.inputs) if fits(network) else None
    if words:
        found = replace(found, inputs=[words.narrow(one) for one in found.inputs])
    if recipe.tuning.checkpointing:
        network.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if recipe.tuning.compile:
        network.model.compile(dynamic=True)
    run = Run(network, found, recipe, work_dir)
    try:
        run.all_steps(report)
    except (MemoryError, RuntimeError) as error:
        if not _short_of_memory(error):
            raise
        raise torch.OutOfMemoryError(f"out of memory with a token_budget of {run.budget}: {error}") from error
    if words:
        words.put_back()
    if recipe.tuning.checkpointing:
        network.model.gradient_checkpointing_disable()
    return run


def _short_of_memory(error: Exception) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def _start_from(warm: TunedModel, network, recipe: Recipe) -> None:
    """Weights of a version of the same trainer and backbone; with them those of its heads that are wanted still."""
    same = (warm.recipe.name, warm.backbone_hash) == (recipe.name, network.backbone.hash)
    own = network.state_dict()
    if not same or (recipe.name == "lora" and warm.recipe.tuning.lora_rank != recipe.tuning.lora_rank):
        raise ValueError("a warm start needs a version of the same trainer, backbone and rank: choose one, or none")
    there = {name: value for name, value in warm.tensors.items() if name in own}
    fitting = {name: value for name, value in there.items() if own[name].shape == value.shape}
    other = [f"heads.{key}" for key in _renamed(warm, network.shape)]
    network.load_state_dict(
        {name: value for name, value in fitting.items() if not name.startswith(tuple(other))}, strict=False
    )


def _renamed(warm: TunedModel, shape) -> Sequence[str]:
    """Heads whose outputs mean something else now."""
    names = {"attributes": "criteria", "segments": "categories", "quantiles": "quantiles"}
    return [head for head, own in names.items() if getattr(warm.shape, own) != getattr(shape, own)]
