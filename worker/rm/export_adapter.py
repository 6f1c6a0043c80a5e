"""The adapters of a LoRA version as a peft folder, its head among the modules to save."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import backbone as backbones
from . import export, export_tokenizer, exportable, source
from .encode import Encoder
from .export import Checked, Reward
from .tuned import TunedModel
from .types import Example

WHOLE = "Export it as a whole model instead."


def write(model: TunedModel, folder: Path) -> str:
    """Write the folder; returns the class of the model that peft puts the adapters into.

    Raises ValueError where that class would compute something else, or the base needs a token it does not have.
    """
    if getattr(getattr(model, "recipe", None), "name", "heads") != "lora":
        raise ValueError(f"A version that was not trained by lora has no adapters. {WHOLE}")
    base = backbones.fresh(model.backbone_name, model.encoding)
    tokenizer = export_tokenizer.build(base.encoder)
    if tokenizer.pad_token_id >= len(base.model.get_input_embeddings().weight):
        raise ValueError(f"The backbone has no token for padding, so adapters alone will not do. {WHOLE}")
    stock = export.stock(Reward(base, exportable.head(model), torch.zeros(())), tokenizer)
    if stock is None:
        raise ValueError(f"transformers has no class of its own for this backbone and pooling. {WHOLE}")
    adapted = _adapted(stock, model)
    adapted.peft_config["default"].base_model_name_or_path = source.public_name(model.backbone_name)
    adapted.save_pretrained(folder, save_embedding_layers=False)  # it would ask the hub
    export_tokenizer.write(tokenizer, folder)
    return type(stock).__name__


def check(name: str, folder: Path, encoder: Encoder, examples: Sequence[Example], expected: Tensor) -> Checked:
    """As export.check, with the base that the adapters of the folder go into."""
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification

    pad = export_tokenizer.build(encoder).pad_token_id
    base = AutoModelForSequenceClassification.from_pretrained(  # nosec B615  # a folder
        source.folder(name), num_labels=1, pad_token_id=pad, dtype=torch.float32
    )
    return export.compare(PeftModel.from_pretrained(base, folder), folder, encoder, examples, expected)


def _adapted(stock: Any, model: TunedModel) -> Any:
    """The stock model with the version's adapters; its head is saved with them."""
    from peft import LoraConfig, get_peft_model

    own = model.recipe.tuning
    layers = {name.removeprefix("model.").partition(".lora_")[0] for name in model.tensors if ".lora_" in name}
    head = next(name for name in ("score", "classifier") if hasattr(stock, name))
    config = LoraConfig(
        task_type="SEQ_CLS",
        r=own.lora_rank,
        lora_alpha=own.lora_alpha,
        lora_dropout=own.lora_dropout,
        target_modules=sorted(layers),
        modules_to_save=[head],
    )
    adapted = get_peft_model(stock, config)
    own = {f"base_model.model.{stock.base_model_prefix}.{name.removeprefix('model.')}": name for name in model.tensors}
    parameters = dict(adapted.named_parameters())
    with torch.no_grad():
        for there, here in own.items():
            if ".lora_" in here:
                parameters[there].copy_(model.tensors[here])
    return adapted
