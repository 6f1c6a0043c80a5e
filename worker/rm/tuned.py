"""A reward model whose backbone was moved: its weights ("full") or adapters ("lora"), and heads. For scoring alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from . import backbone as backbones
from . import batching, ensemble, reading, steps
from .backbone import Backbone
from .layers import Curve
from .network import Outputs, RewardNetwork, Shape
from .reading import Input
from .recipe import Encoding, Recipe
from .types import LENGTH_HEAD, PREFERENCE, Example, Report, Scored, silent


@dataclass(frozen=True)
class TunedModel:
    """One version. `tensors` are named as in RewardNetwork: the whole backbone or its adapters, and heads always."""

    backbone_name: str
    backbone_hash: str  # of the weights it started from
    encode_hash: str
    recipe: Recipe
    shape: Shape
    tensors: dict[str, Tensor]
    curve: Curve | None = None  # of response tokens; subtracted from the preference
    temperature: float = 1.0  # P(first preferred) = σ(Δ / temperature)
    mean: float = 0.0  # of the training examples' preference scores
    std: float = 1.0

    @property
    def encoding(self) -> Encoding:
        return self.recipe.encoding

    @property
    def rule(self) -> str:
        return self.recipe.heads.rule

    @property
    def categories(self) -> tuple[str, ...]:
        return self.shape.categories

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the scores, in their order."""
        own = self.shape
        several = (*(f"member:{n}" for n in range(own.members)), "disagreement") if own.members > 1 else ()
        return (
            PREFERENCE,
            *(f"attribute:{key}" for key in own.criteria),
            *(f"quantile:{level:g}" for level in own.quantiles),
            *(f"segment:{key}" for key in own.categories),
            *(("step",) if own.steps else ()),
            *((LENGTH_HEAD,) if own.length else ()),
            *several,
        )

    @cached_property
    def network(self) -> RewardNetwork:
        """Ready to score; ValueError where the backbone, or the way it encodes, is not the one it was trained on."""
        backbone = backbones.fresh(self.backbone_name, self.encoding)
        same = backbone.encoder.hash == self.encode_hash and backbone.hash == self.backbone_hash
        if not same:
            raise ValueError(f"backbone {self.backbone_name} differs from the one that this model was trained on")
        network = build(backbone, self.recipe, self.shape)
        restore(network, self.tensors)
        return network.requires_grad_(False).eval()


def build(backbone: Backbone, recipe: Recipe, shape: Shape) -> RewardNetwork:
    """A network as the recipe wants it, dropout off but for adapters; which of its weights may move is set."""
    own = recipe.tuning
    for module in backbone.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # a reward is one number: a score must not depend on what else is drawn
    if recipe.name == "lora":
        _adapt(backbone, recipe)
    elif own.freeze_embeddings:
        backbone.model.get_input_embeddings().requires_grad_(False)
    return RewardNetwork(backbone, shape, bf16=own.bf16, shared_prefix=own.shared_prefix)


def _adapt(backbone: Backbone, recipe: Recipe) -> None:
    from peft import LoraConfig, inject_adapter_in_model

    own = recipe.tuning
    linear = [name for name, module in backbone.model.named_modules() if isinstance(module, torch.nn.Linear)]
    wanted = [name for name in linear if not name.startswith("pooler")]
    config = LoraConfig(
        r=own.lora_rank, lora_alpha=own.lora_alpha, lora_dropout=own.lora_dropout, target_modules=wanted
    )
    backbone.model.requires_grad_(False)
    inject_adapter_in_model(config, backbone.model)


def kept(network: RewardNetwork, recipe: Recipe) -> dict[str, Tensor]:
    """Copies of what a file must hold: heads always; adapters, or the whole backbone."""
    lora = recipe.name == "lora"
    named = {name: value for name, value in network.state_dict().items() if not lora or _moves(name)}
    return {name: value.detach().to("cpu", copy=True).contiguous() for name, value in named.items()}


def _moves(name: str) -> bool:
    return name.startswith("heads.") or "lora_" in name


def restore(network: RewardNetwork, tensors: dict[str, Tensor]) -> None:
    """Put them back; ValueError where one is missing, is left over or has another shape: no head stays as it began."""
    own = network.state_dict()
    wanted = {name for name in own if _moves(name)} if any("lora_" in name for name in tensors) else set(own)
    if wanted != set(tensors):
        odd = sorted(wanted ^ set(tensors))
        raise ValueError(f"the file does not hold what this model needs: {odd[0]} and {len(odd) - 1} more differ")
    network.load_state_dict(tensors, strict=False)


# ---- Scores


@torch.inference_mode()
def predict(network: RewardNetwork, inputs: Sequence[Input], report: Report = silent) -> Outputs:
    """Outputs of all inputs, in their order, on the CPU."""
    return forward(network, inputs, report)


def forward(network: RewardNetwork, inputs: Sequence[Input], report: Report = silent) -> Outputs:
    """The same for a network that goes on learning, which may keep nothing that is made for inference alone."""
    budget = batching.TOKENS[network.backbone.device.type]
    order = sorted(range(len(inputs)), key=lambda n: (inputs[n].group, n) if network.shared_prefix else n)
    runs = batching.in_order([len(inputs[n].ids) for n in order], budget)
    found: list[Outputs] = []
    for run in runs:
        part = network([inputs[order[n]] for n in run])
        found.append(Outputs(*(value.cpu() for value in part)))
        report("score", sum(map(len, runs[: len(found)])), len(inputs), {})
    joined = Outputs(*(torch.cat(parts) for parts in zip(*found, strict=True)))
    return joined if not network.shared_prefix else _reordered(joined, inputs, order)


def _reordered(outputs: Outputs, inputs: Sequence[Input], order: Sequence[int]) -> Outputs:
    """From `order` back to that of the inputs, segments with them."""
    back = torch.tensor(order).argsort()
    sizes = [len(inputs[n].bounds) for n in order]
    parts = torch.arange(sum(sizes)).split(sizes)
    segments = torch.cat([parts[n] for n in back.tolist()])
    return Outputs(*(v[back] for v in outputs[:4]), *(v[segments] for v in outputs[4:]))


def table(model: TunedModel, outputs: Outputs, inputs: Sequence[Input]) -> Tensor:
    """(n, heads) scores in the order of `model.heads`."""
    extras, members = model.recipe.extras, outputs.members
    tokens = torch.tensor([float(one.tokens) for one in inputs])
    preference = ensemble.combine(members, extras)
    preference = preference - model.curve(tokens) if model.curve else preference
    owner = torch.from_numpy(np.repeat(np.arange(len(inputs)), [len(one.bounds) for one in inputs]))
    count = torch.bincount(owner, minlength=len(inputs)).clamp(min=1)[:, None]
    mean = outputs.segments.new_zeros(len(inputs), outputs.segments.shape[1]).index_add_(0, owner, outputs.segments)
    columns = [preference[:, None], outputs.attributes, outputs.quantiles, mean / count]
    if model.shape.steps:
        columns.append(steps.aggregate(outputs.steps, owner, len(inputs), extras.step_aggregate)[:, None])
    if model.shape.length:
        columns.append(outputs.length[:, None])
    if model.shape.members > 1:
        columns += [members, ensemble.disagreement(members)[:, None]]
    return torch.cat(columns, 1)


def score(model: TunedModel, examples: Sequence[Example], report: Report = silent) -> Scored:
    """Every head's score of every example, in their order; float32, the same alone and in company."""
    inputs = reading.inputs(model.network.backbone.encoder, examples, model.rule)
    values = table(model, predict(model.network, inputs, report), inputs).numpy()
    return Scored(
        heads={head: values[:, n] for n, head in enumerate(model.heads)},
        tokens=np.array([one.tokens for one in inputs]),
        truncated=np.array([one.cut > 0 for one in inputs]),
    )
