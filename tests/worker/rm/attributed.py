"""Models whose attributions are tested: tiny transformers with random weights, and one that is linear in its input."""

from types import SimpleNamespace

import torch

from worker.rm import backbone, tuned
from worker.rm.network import RewardNetwork, Shape
from worker.rm.recipe import Recipe
from worker.rm.tuned import TunedModel

CATEGORIES, CRITERIA = ("wrong",), ("quality",)


def tuned_model(name, trainer="full", encoding=None, members=1, combine="mean", bf16=False):
    """Of every kind of head; all weights that may move are drawn anew, near where they were."""
    extras = {"members": members, "combine": combine}
    recipe = Recipe(name=trainer, encoding=encoding or {}, extras=extras, tuning={"lora_rank": 4, "bf16": bf16})
    own, shape = backbone.fresh(name, recipe.encoding), Shape(members, CRITERIA, CATEGORIES, (0.5,), steps=True)
    network: RewardNetwork = tuned.build(own, recipe, shape)
    network.begin(0)
    draw = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            if parameter.requires_grad:
                size = 0.3 if key.startswith("heads.") else 0.05
                parameter += size * torch.randn(parameter.shape, generator=draw)
    return TunedModel(name, own.hash, own.encoder.hash, recipe, shape, tuned.kept(network, recipe))


class Bag(torch.nn.Module):
    """A backbone that says of each token its embedding and nothing else."""

    def __init__(self, table: torch.nn.Embedding) -> None:
        super().__init__()
        self.table = table
        self.config = SimpleNamespace(_attn_implementation="eager", hidden_size=table.embedding_dim)

    @property
    def device(self):
        return self.table.weight.device

    def get_input_embeddings(self):
        return self.table

    def set_attn_implementation(self, _name: str) -> None:
        """It has none."""

    def forward(self, input_ids=None, inputs_embeds=None, attention_mask=None, output_hidden_states=False):
        hidden = self.table(input_ids) if inputs_embeds is None else inputs_embeds
        return SimpleNamespace(last_hidden_state=hidden, hidden_states=(hidden,))
