"""A score never depends on batch, packing, shared prompts, padding side, attention kernel, disk or export.

To 1e-5 in float32, for an encoder (the bundled MiniLM), a tiny random Llama and a tiny random Qwen, in both templates
and every pooling they have. The reference is each example alone, through the plain padded path.
"""

from dataclasses import replace

import pytest
import torch

from worker.rm import backbone, checkpoint, export, exportable, reading, scoring, tuned
from worker.rm.network import RewardNetwork, Shape
from worker.rm.recipe import Encoding, Recipe
from worker.rm.tuned import TunedModel
from worker.rm.types import PREFERENCE, Example

EXACT = {"atol": 1e-5, "rtol": 0}
CASES = [
    ("minilm", {}),
    ("minilm", {"pooling": "cls"}),
    ("minilm", {"layers": 3}),
    ("llama", {}),
    ("llama", {"template": "chat", "pooling": "mean"}),
    ("qwen", {}),
    ("qwen", {"template": "chat", "layers": 2}),
]
CAUSAL = [case for case in CASES if case[0] != "minilm"]


@pytest.fixture(scope="module")
def examples(world):
    """Two prompts with several answers, very short and very long ones, one cut, and one prompt alone."""
    talk = (("user", "Hi."), ("assistant", "Yes?"), ("user", "How tall is the tower of Bruma? " * 3))
    texts = ("It is 107 metres tall.", "No idea.", "It is 107 metres tall, they say. " * 9, "", "Ça va 👩‍👧 </s> [SEP]")
    more = [Example(f"t{n}", "talk", talk, text) for n, text in enumerate(texts)]
    long = replace(world.examples[1], key="long", response="A word after another. " * 150)
    return [*world.examples[:4], *more, world.examples[9], long]


@pytest.fixture(scope="module")
def sources(llama, qwen):
    return {"minilm": "minilm", "llama": llama, "qwen": qwen}


def fresh(sources, name, encoding, attention="sdpa", **more):
    """A network with heads away from 0, the same each time."""
    own = backbone.fresh(sources[name], Encoding(**encoding))
    network = RewardNetwork(own, Shape(members=2, categories=("wrong",)), **more)
    if attention:
        network.packed = False
        own.model.set_attn_implementation(attention)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.heads.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) / 8)
    return network.eval()


@torch.no_grad()
def read(network, examples):
    """(n, 2) members and (S, 1) segment logits."""
    found = network(reading.inputs(network.backbone.encoder, examples, "sentence"))
    return found.members, found.segments


@pytest.fixture(scope="module")
def alone(sources, examples):
    """Each example in a forward of its own: the reference."""
    known = {}

    def found(name, encoding):
        key = (name, str(encoding))
        if key not in known:
            network = fresh(sources, name, encoding)
            each = [read(network, [one]) for one in examples]
            known[key] = tuple(torch.cat(parts) for parts in zip(*each, strict=True))
        return known[key]

    return found


def same(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, **EXACT)


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_in_a_padded_batch(sources, examples, alone, name, encoding):
    same(read(fresh(sources, name, encoding), examples), alone(name, encoding))


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_packed_without_padding(sources, examples, alone, name, encoding):
    network = fresh(sources, name, encoding, attention="")
    assert network.packed
    same(read(network, examples), alone(name, encoding))
    same([read(network, [one])[0][0] for one in examples[:3]], alone(name, encoding)[0][:3])


@pytest.mark.parametrize(("name", "encoding"), CAUSAL)
def test_with_shared_prompts(sources, examples, alone, name, encoding):
    network = fresh(sources, name, encoding, attention="", shared_prefix=True)
    inputs = reading.inputs(network.backbone.encoder, examples, "sentence")
    assert network.forwarded(inputs)[0] < sum(len(one.ids) for one in inputs)
    same(read(network, examples), alone(name, encoding))


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_with_eager_attention(sources, examples, alone, name, encoding):
    same(read(fresh(sources, name, encoding, attention="eager"), examples), alone(name, encoding))


@pytest.mark.parametrize(("name", "encoding"), CASES)
@pytest.mark.parametrize("side", ["right", "left", "none"])
@torch.no_grad()
def test_padding_on_either_side_or_none(sources, examples, alone, name, encoding, side):
    network = fresh(sources, name, encoding)
    own = network.backbone
    rows = [one.ids for one in own.encoder.encode_all(examples)]
    whole = []
    for batch in [[row] for row in rows] if side == "none" else [rows]:
        ids, mask = own.pad(batch, "right" if side == "none" else side)
        whole.append(own.whole(own.hidden(mask, input_ids=ids), mask))
    torch.testing.assert_close(network.heads["preference"](torch.cat(whole)), alone(name, encoding)[0], **EXACT)


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_whatever_the_order_and_the_company(sources, examples, alone, name, encoding):
    network = fresh(sources, name, encoding, attention="")
    turned = read(network, examples[::-1])[0].flip(0)
    twice = read(network, [*examples, *examples])[0]
    for found in (turned, twice[: len(examples)], twice[len(examples) :]):
        torch.testing.assert_close(found, alone(name, encoding)[0], **EXACT)


@pytest.mark.parametrize("trainer", ["full", "lora"])
@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_saved_loaded_and_exported(sources, examples, tmp_path, name, encoding, trainer):
    recipe = Recipe(name=trainer, encoding=encoding, tuning={"lora_rank": 4})
    own = backbone.fresh(sources[name], recipe.encoding)
    network = tuned.build(own, recipe, Shape())
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in (one for one in network.parameters() if one.requires_grad):
            parameter.copy_(torch.randn(parameter.shape, generator=draw) / 30)
    model = TunedModel(own.name, own.hash, own.encoder.hash, recipe, Shape(), tuned.kept(network, recipe))
    expected = torch.from_numpy(scoring.score(model, examples).heads[PREFERENCE])
    checkpoint.save(model, tmp_path / "model")
    loaded = checkpoint.load(tmp_path / "model")
    again = torch.cat([torch.from_numpy(scoring.score(loaded, [one]).heads[PREFERENCE]) for one in examples])
    torch.testing.assert_close(again, expected, **EXACT)
    export.write(exportable.of(loaded), tmp_path / "folder")
    assert export.check(tmp_path / "folder", own.encoder, examples, expected).largest_difference <= 1e-5
