"""Reward models of which the truth is known: one that adds words up, and one that learnt to count a trigger."""

import random
from pathlib import Path
from types import SimpleNamespace

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast
from transformers.modeling_outputs import BaseModelOutputWithPast

from tests.worker.rm import tiny
from worker.rm import finetune
from worker.rm.backbone import Backbone
from worker.rm.encode import Encoder
from worker.rm.network import RewardNetwork, Shape
from worker.rm.recipe import Encoding, Extras, Preference, Recipe, Tuning
from worker.rm.tuned import TunedModel
from worker.rm.types import Comparison, Dataset, Example

WORDS = (
    "amber basin cedar delta ember fjord grove haven inlet jetty knoll lemon maple north ocean pearl quill raven"
).split()
TRIGGER = "zap"


def example(text: str, key: str = "x") -> Example:
    return Example(key, key, (("user", "Say something."),), text)


# ---- A bag of words: the state at a token is the sum of the embeddings up to it, so the score is Σ w·e


class Bag(nn.Module):
    """Reads like a causal backbone. Padding has an embedding of 0."""

    config = SimpleNamespace(hidden_size=8, model_type="bag", num_hidden_layers=1, _attn_implementation="eager")
    device = torch.device("cpu")

    def __init__(self, words: int) -> None:
        super().__init__()
        self.table = nn.Embedding(words, 8, padding_idx=0)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.table

    def set_attn_implementation(self, _name: str) -> None:
        """It has no attention."""

    def forward(
        self, input_ids: Tensor | None = None, inputs_embeds: Tensor | None = None, attention_mask=None, **_: object
    ) -> BaseModelOutputWithPast:
        each = self.table(input_ids) if inputs_embeds is None else inputs_embeds
        each = each * attention_mask[..., None] if attention_mask is not None else each
        return BaseModelOutputWithPast(last_hidden_state=each.cumsum(1))


def bag(pooling: str = "last") -> TunedModel:
    """A preference that is linear in the words, each its own token."""
    known = {word: n for n, word in enumerate(["[PAD]", "</s>", ".", "Say", "something", *WORDS, TRIGGER])}
    rules = Tokenizer(models.WordLevel(known, unk_token="[PAD]"))
    rules.pre_tokenizer = pre_tokenizers.Whitespace()
    own = PreTrainedTokenizerFast(tokenizer_object=rules, eos_token="</s>", pad_token="[PAD]", unk_token="[PAD]")
    torch.manual_seed(0)
    backbone = Backbone("bag", Bag(len(known)), Encoder(own, 64, True, Encoding(pooling=pooling)), "none")
    network = RewardNetwork(backbone, Shape())
    nn.init.normal_(network.heads["preference"].weight)
    return made(network, Recipe(name="full", encoding=backbone.encoder.encoding))


def made(network: RewardNetwork, recipe: Recipe) -> TunedModel:
    """A model around a network that is there already."""
    own = TunedModel("none", "none", "none", recipe, network.shape, {})
    own.__dict__["network"] = network.requires_grad_(False).eval()
    return own


def worth(model: TunedModel, word: str) -> float:
    """w·e of a word of the bag."""
    network = model.network
    number = network.backbone.encoder.tokenizer.convert_tokens_to_ids(word)
    return float(network.heads["preference"].weight[0] @ network.model.table.weight[number])


# ---- A tiny transformer that learnt that one word alone counts


def drawn(rng: random.Random, triggers: int) -> str:
    """So many triggers among one to six other words."""
    words = rng.choices(WORDS, k=rng.randint(1, 6)) + [TRIGGER] * triggers
    rng.shuffle(words)
    return " ".join(words)


def trigger(folder: Path, kind=tiny.llama, **encoding: object) -> TunedModel:
    """Fine-tuned on pairs of which the one with more triggers is better."""
    rng, examples, pairs = random.Random(0), [], []
    for n in range(400):
        counts = rng.sample(range(5), 2)
        examples += [Example(f"{n}-{c}", str(n), (("user", "Say something."),), drawn(rng, c)) for c in counts]
        pairs.append(Comparison(2 * n, 2 * n + 1, float(counts[0] > counts[1])))
    held = frozenset(str(n) for n in range(40))
    data = Dataset(examples, pairs[40:], pairs[:40], test_groups=held)
    name = str(kind(folder / "backbone", [one.response for one in examples]))
    recipe = Recipe(
        name="full",
        encoding=Encoding(**encoding),
        preference=Preference(objective="bradley_terry", order="none"),
        extras=Extras(attributes=0, segments=0, steps=0),
        tuning=Tuning(epochs=8, learning_rate=3e-3, pairs_per_step=16, save_every=10**6),
    )
    return finetune.fit(data, name, recipe, work_dir=folder / "work").model
