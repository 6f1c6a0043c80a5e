"""What a backbone is: read from its files once, when it is registered."""

from dataclasses import dataclass
from pathlib import Path

import torch

from . import backbone, source
from .types import Example, Report, silent


@dataclass(frozen=True)
class Facts:
    causal: bool
    architecture: str
    parameters: int
    width: int  # of its hidden states
    layers: int
    context_length: int  # tokens
    chat_template: bool
    licence: str  # as the model card says; "": it says nothing
    sha256: str  # of the files of weights


def describe(name: str, report: Report = silent) -> Facts:
    """Load it, read one sentence with it, and say what it is. Raises ValueError, with what to do, when it fails."""
    report("fetching the files", 0, 3, {})
    files = source.folder(name)
    report("loading the weights", 1, 3, {})
    found = backbone.fresh(name)
    report("reading a sentence", 2, 3, {})
    _try(found)
    config = found.model.config
    return Facts(
        causal=found.encoder.causal,
        architecture=type(found.model).__name__,
        parameters=sum(one.numel() for one in found.model.parameters()),
        width=found.dim,
        layers=config.num_hidden_layers,
        context_length=backbone.context_length(found.model),
        chat_template=bool(found.encoder.tokenizer.chat_template),
        licence=_licence(files),
        sha256=source.sha256_of(source.weight_files(files)),
    )


@torch.no_grad()
def _try(found: backbone.Backbone) -> None:
    encoded = found.encoder.encode(Example("", "", (("user", "Is it raining?"),), "It is not."))
    ids, mask = found.pad([encoded.ids])
    if not torch.isfinite(found.hidden(mask, input_ids=ids)).all():
        raise ValueError(f"{found.name}: its hidden states are not finite numbers; fetch its files again")


def _licence(files: Path) -> str:
    """The `license` in the head of the card, or its name where the licence is not a known one; one line of text."""
    from huggingface_hub.repocard import metadata_load
    from yaml import YAMLError

    card = files / "README.md"
    try:
        told = (metadata_load(card) or {}) if card.is_file() else {}
    except (ValueError, YAMLError):  # a card that cannot be read says nothing
        return ""
    said = told.get("license")
    if said == "other":
        said = told.get("license_name") or said
    named = [one for one in (said if isinstance(said, list) else [said]) if isinstance(one, str)]
    return " ".join(", ".join(named).split())[:120]
