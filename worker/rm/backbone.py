"""Transformers that turn token ids into hidden states, and the encoders that feed them."""

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn

from . import products, source
from .encode import Encoder
from .recipe import Encoding

DEFAULT = Encoding()
MAX_LENGTH = {True: 2048, False: 512}  # causal, not causal: unless a recipe says otherwise


@dataclass(frozen=True)
class Backbone:
    """A transformer without head, in float32, and the encoder that feeds it."""

    name: str
    model: Any  # transformers.PreTrainedModel
    encoder: Encoder
    hash: str  # of the weights it was loaded with

    @property
    def dim(self) -> int:
        return self.model.config.hidden_size

    @property
    def device(self) -> torch.device:
        return self.model.device

    def pad(self, rows: Sequence[Sequence[int]], side: Literal["right", "left"] = "right") -> tuple[Tensor, Tensor]:
        """Padded ids and attention mask, both (rows, longest), on the device."""
        longest = max(map(len, rows))
        pads = [[self.encoder.pad_id] * (longest - len(row)) for row in rows]
        own = [[1] * len(row) for row in rows]
        none = [[0] * len(pad) for pad in pads]
        if side == "left":
            ids, mask = ([a + list(b) for a, b in zip(*both, strict=True)] for both in ((pads, rows), (none, own)))
        else:
            ids, mask = ([list(b) + a for a, b in zip(*both, strict=True)] for both in ((pads, rows), (none, own)))
        return torch.tensor(ids, device=self.device), torch.tensor(mask, device=self.device)

    def hidden(self, mask: Tensor, **inputs: Tensor) -> Tensor:
        """Hidden states (rows, tokens, dim) in float32 of `input_ids` or `inputs_embeds`: the mean of the last layers.

        Positions are counted from the first token of each row that the mask (rows, tokens) shows, so padding may
        stand on either side.
        """
        layers = self.encoder.encoding.layers
        found = self.run(mask, output_hidden_states=layers > 1, **inputs)
        if layers == 1:
            return found.last_hidden_state.float()
        return torch.stack([one.float() for one in found.hidden_states[-layers:]]).mean(0)

    def run(self, mask: Tensor, **inputs: Any) -> Any:
        """What the transformer itself gives for them."""
        if "position_ids" not in inputs and _takes_positions(type(self.model)):
            inputs["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0) + first_position(self.model)
        return self.model(attention_mask=mask, **inputs)

    def whole(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """(rows, dim) the whole input, pooled as the encoding says."""
        if self.encoder.pooling == "mean":
            return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        first = mask.argmax(1)
        place = first if self.encoder.pooling == "cls" else first + mask.sum(1) - 1
        return self.polished(hidden[torch.arange(len(hidden), device=hidden.device), place])

    def polished(self, whole: Tensor) -> Tensor:
        """(rows, dim) after the backbone's own pooler, where the encoding asks for it and there is one."""
        if not self.pooler:
            return whole
        whole = whole.to(next(self.pooler.parameters()).dtype)
        own = torch.tanh(self.pooler(whole)) if isinstance(self.pooler, nn.Linear) else self.pooler(whole[:, None])
        return own.float()

    @property
    def pooler(self) -> nn.Module | None:
        """What the backbone was trained to do with its first token's state; None where it is not used."""
        return getattr(self.model, "pooler", None) if self.encoder.pooling == "cls" else None


@dataclass(frozen=True)
class Parts:
    """What the files of one backbone hold."""

    model: Any
    tokenizer: Any
    causal: bool
    context_length: int
    hash: str


def load(name: str, encoding: Encoding = DEFAULT) -> Backbone:
    """The frozen backbone of that name, in evaluation mode, on the GPU when there is one; loaded once per process.

    `name` is "minilm" (the bundled all-MiniLM-L6-v2), an absolute path of a folder, or a hub id, of an encoder or a
    causal LM with a fast tokenizer. Encodings of one name share its weights. Raises ValueError when it cannot be used.
    """
    return _load(name, encoding)


@cache
def _load(name: str, encoding: Encoding) -> Backbone:
    return _assemble(name, encoding, _frozen(name))


def fresh(name: str, encoding: Encoding = DEFAULT) -> Backbone:
    """The same with weights of its own, which may be trained; nothing is cached. `hash` is that of the start."""
    return _assemble(name, encoding, read(name))


def read(name: str) -> Parts:
    """The files of a backbone, in float32 and evaluation mode, on the GPU when there is one."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # the caller reports progress
    logging.set_verbosity_error()  # a language model's head is not loaded, on purpose
    found = source.folder(name)
    causal = _kind(name, str(found))
    with source.explained(name, "the tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(found)  # nosec B615  # a folder
    with source.explained(name, "the weights"):
        model, notes = AutoModel.from_pretrained(  # nosec B615  # a folder
            found, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
    _complete(name, model, notes["missing_keys"])
    model.config.use_cache = False  # nothing is generated
    if not tokenizer.is_fast:
        raise ValueError(f"{name}: no fast tokenizer, so tokens cannot be traced to characters; add a tokenizer.json")
    model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    return Parts(model, tokenizer, causal, context_length(model), _weights_hash(model))


@cache
def _frozen(name: str) -> Parts:
    parts = read(name)
    products.speed_up(parts.model.requires_grad_(False))
    return parts


def _assemble(name: str, encoding: Encoding, parts: Parts) -> Backbone:
    length = encoding.max_length or min(MAX_LENGTH[parts.causal], parts.context_length)
    if length > parts.context_length:
        raise ValueError(f"{name} reads at most {parts.context_length} tokens: lower max_length from {length}")
    if encoding.layers > (depth := parts.model.config.num_hidden_layers):
        raise ValueError(f"{name} has {depth} layers: lower layers from {encoding.layers}")
    if encoding.pooling == "cls" and parts.causal:
        raise ValueError(f"{name} is causal, so its first token has read nothing: use pooling last or mean")
    if encoding.template == "chat" and not parts.tokenizer.chat_template:
        raise ValueError(f"{name} has no chat template: use template plain")
    return Backbone(name, parts.model, Encoder(parts.tokenizer, length, parts.causal, encoding), parts.hash)


def _kind(name: str, found: str) -> bool:
    """Whether it is causal. Raises ValueError when it is neither a causal LM nor an encoder."""
    from transformers import AutoConfig
    from transformers.models.auto import modeling_auto as known

    with source.explained(name, "config.json"):
        config = AutoConfig.from_pretrained(found)  # nosec B615  # a folder
    if config.is_encoder_decoder or not getattr(config, "hidden_size", None):
        raise ValueError(f"{name}: {config.model_type} is neither an encoder nor a causal LM; choose one that is")
    causal = config.model_type in known.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    return causal and config.model_type not in known.MODEL_FOR_MASKED_LM_MAPPING_NAMES


def _complete(name: str, model: Any, missing: Sequence[str]) -> None:
    """A pooler that the files do not hold is taken off: it would be random. Anything else must be there."""
    if any(key.startswith("pooler.") for key in missing):
        model.pooler = None
    if lost := sorted(key for key in missing if not key.startswith("pooler.")):
        raise ValueError(f"{name}: its files lack weights ({lost[0]} and {len(lost) - 1} more); fetch them again")


def context_length(model: Any) -> int:
    """Tokens it can read; where positions are an embedding table, its first rows may be taken."""
    most = getattr(model.config, "max_position_embeddings", None) or MAX_LENGTH[True]
    return most - first_position(model)


def first_position(model: Any) -> int:
    """The position id of the first token: 0, but past the padding's in RoBERTa and its kin."""
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return 0 if padding is None else padding + 1


@cache
def _takes_positions(kind: type) -> bool:
    return "position_ids" in inspect.signature(kind.forward).parameters


def _weights_hash(model: Any) -> str:
    """Of the loaded weights, so that two copies of one model share a cache wherever they came from."""
    found = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        found.update(key.encode())
        found.update(value.cpu().contiguous().view(torch.uint8).numpy())
    return found.hexdigest()
