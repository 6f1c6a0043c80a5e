"""A reward model as a folder that transformers loads: weights, configuration, tokenizer.

One linear head on the last token of a causal backbone, or on an encoder's own pooler, is transformers' own class for
sequence classification. Everything else that reads embeddings alone comes with modeling_touchstone.py.
"""

import copy
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import export_tokenizer, modeling_touchstone
from .backbone import Backbone, first_position
from .encode import Encoder
from .modeling_touchstone import TouchstoneConfig, TouchstoneForSequenceClassification
from .types import Example

TOLERANCE = 1e-5  # of the largest score, if that is above 1
_LABEL = {"num_labels": 1, "id2label": {0: "reward"}, "label2id": {"reward": 0}, "problem_type": "regression"}


@dataclass(frozen=True)
class Reward:
    """score = x · weights + bias (+ out · tanh(into x + shift)), x the parts one behind the other."""

    backbone: Backbone  # with the weights to write
    weights: Tensor  # (d,)
    bias: Tensor  # ()
    parts: tuple[str, ...] = ("whole",)  # and "response": its mean
    mlp: tuple[Tensor, Tensor, Tensor] | None = None  # (h, d) into, (h,) shift, (h,) out


@dataclass(frozen=True)
class Checked:
    """How a written folder, loaded again, scores what the version scores."""

    examples: int
    largest_difference: float
    same_tokens: int  # of the examples, when the folder's own tokenizer lays them out


def write(reward: Reward, folder: Path) -> str:
    """Write the folder; returns the class that loads it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = export_tokenizer.build(reward.backbone.encoder)
    model = stock(reward, tokenizer) or _own(reward, tokenizer)
    model.save_pretrained(folder)
    export_tokenizer.write(tokenizer, folder)
    if isinstance(model, TouchstoneForSequenceClassification):
        shutil.copy(modeling_touchstone.__file__, folder / "modeling_touchstone.py")
    return type(model).__name__


def check(folder: Path, encoder: Encoder, examples: Sequence[Example], expected: Tensor) -> Checked:
    """Load the folder and score the examples with it. Raises ValueError when the scores (n,) are not the expected."""
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(  # nosec B615  # the folder just written, code and all
        folder, trust_remote_code=True, dtype=torch.float32
    )
    return compare(model, folder, encoder, examples, expected)


@torch.no_grad()
def compare(model: Any, folder: Path, encoder: Encoder, examples: Sequence[Example], expected: Tensor) -> Checked:
    """The same for a model that was loaded from the folder."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)  # nosec B615  # the folder just written
    encoded = encoder.encode_all(examples)
    batch = tokenizer.pad({"input_ids": [list(one.ids) for one in encoded]}, return_tensors="pt")
    found = model.eval()(**batch).logits[:, 0]
    difference = float((found - expected).abs().max())
    if not difference <= TOLERANCE * max(1.0, float(expected.abs().max())):
        raise ValueError(f"the exported model scores differently, by {difference:.2g}: nothing was exported")
    return Checked(len(examples), difference, _same(tokenizer, examples, encoded))


def _same(tokenizer: Any, examples: Sequence[Example], encoded: Sequence[Any]) -> int:
    """Examples that the folder's tokenizer gives the ids that the model was trained on; it cuts nothing."""
    count = 0
    for example, one in zip(examples, encoded, strict=True):
        turns = [
            {"role": role, "content": content} for role, content in (*example.turns, ("assistant", example.response))
        ]
        count += list(one.ids) == tokenizer.apply_chat_template(turns, return_dict=False)
    return count


def stock(reward: Reward, tokenizer: Any) -> Any | None:
    """transformers' own class with these weights, or None where it would compute something else."""
    from transformers import AutoModelForSequenceClassification

    encoder = reward.backbone.encoder
    simple = reward.parts == ("whole",) and not reward.mlp and encoder.encoding.layers == 1
    last = encoder.causal and encoder.pooling == "last" and not reward.bias
    config, state = _weights(reward.backbone, tokenizer)
    if (
        not simple
        or not (last or reward.backbone.pooler)
        or type(config) not in AutoModelForSequenceClassification._model_mapping
    ):
        return None
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(config)
    own = {f"{model.base_model_prefix}.{key}": value for key, value in state.items()}
    head = sorted(set(model.state_dict()) - set(own))
    if len(head) > 2 or set(own) - set(model.state_dict()):
        return None  # its head is more than a linear one
    values = {"weight": reward.weights[None], "bias": reward.bias[None]}
    own |= {name: values[name.rpartition(".")[2]].cpu().contiguous() for name in head}
    model.load_state_dict(own, assign=True)
    return model


def _own(reward: Reward, tokenizer: Any) -> TouchstoneForSequenceClassification:
    encoder = reward.backbone.encoder
    base, state = _weights(reward.backbone, tokenizer)
    inner = {key: value for key, value in base.to_dict().items() if not key.startswith("_") and key not in _LABEL}
    config = TouchstoneConfig(
        backbone=inner,
        pooling=encoder.pooling,
        layers=encoder.encoding.layers,
        parts=reward.parts,
        separator=encoder.tokenizer.sep_token_id,
        hidden=len(reward.mlp[1]) if reward.mlp else 0,
        first_position=first_position(reward.backbone.model),
        pad_token_id=tokenizer.pad_token_id,
        **_LABEL,
    )
    name = Path(modeling_touchstone.__file__).stem
    config.auto_map = {
        "AutoConfig": f"{name}.TouchstoneConfig",
        "AutoModelForSequenceClassification": f"{name}.TouchstoneForSequenceClassification",
    }
    with torch.device("meta"):
        model = TouchstoneForSequenceClassification(config)
    own = {f"backbone.{key}": value for key, value in state.items()}
    own |= {"score.weight": reward.weights[None], "score.bias": reward.bias[None]}
    if reward.mlp:
        into, shift, out = reward.mlp
        own |= {"into.weight": into, "into.bias": shift, "out.weight": out[None]}
    wanted = model.state_dict()
    model.load_state_dict({key: own[key].cpu().contiguous() for key in wanted}, assign=True)
    return model


def _weights(backbone: Backbone, tokenizer: Any) -> tuple[Any, dict[str, Tensor]]:
    """The configuration for one label, and the weights in float32, with a row for a padding token that is new."""
    config = copy.deepcopy(backbone.model.config)
    for key, value in _LABEL.items():
        setattr(config, key, value)
    config._name_or_path, config.pad_token_id, config.dtype = "", tokenizer.pad_token_id, torch.float32
    state = {
        key: value.float() if value.is_floating_point() else value for key, value in backbone.model.state_dict().items()
    }
    table = backbone.model.get_input_embeddings().weight
    if len(table) <= tokenizer.pad_token_id:
        key = next(key for key, value in backbone.model.state_dict(keep_vars=True).items() if value is table)
        config.vocab_size = tokenizer.pad_token_id + 1
        state[key] = torch.cat([state[key], state[key].new_zeros(config.vocab_size - len(table), table.shape[1])])
    return config, state
