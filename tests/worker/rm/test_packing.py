"""Packed rows, and rows that share a prompt, give every token the state it has alone."""

import numpy as np
import pytest
import torch

from worker.rm import backbone, packing, reading
from worker.rm.network import RewardNetwork, Shape, can_pack
from worker.rm.recipe import Encoding


def test_a_row_holds_each_distinct_sequence_once():
    found = packing.pack([(5, 6), (7,), (5, 6)])
    assert found.ids == [5, 6, 7]
    assert [own.tolist() for own in found.places] == [[0, 1], [2], [0, 1]]


def test_a_group_shares_what_it_begins_with():
    found = packing.pack([(1, 2, 3), (1, 2, 4, 5), (1, 2, 9)], ["a", "a", "b"])
    assert found.ids == [1, 2, 3, 4, 5, 1, 2, 9]
    assert [own.tolist() for own in found.places] == [[0, 1, 2], [0, 1, 3, 4], [5, 6, 7]]
    assert [block.keys for block in found.blocks] == [2, 3, 4, 3]


@pytest.mark.parametrize(
    ("group", "common"), [([(1, 2)], 0), ([(1, 2), (1, 3)], 1), ([(1, 2), (1, 2, 3)], 1), ([(4,), (5,)], 0)]
)
def test_the_shared_part_leaves_each_a_token(group, common):
    assert packing.common_prefix(group) == common


def test_attention_by_blocks_is_attention_under_their_mask():
    torch.manual_seed(0)
    row = packing.pack([(1, 2, 3, 4), (1, 2, 3, 5, 6), (7, 8)], ["a", "a", "b"])
    layout = packing.Layout(row, True, torch.device("cpu"))
    q, k, v = torch.randn(1, 4, len(row.ids), 8), *torch.randn(2, 1, 2, len(row.ids), 8)
    seen = torch.zeros(len(row.ids), len(row.ids), dtype=torch.bool)
    for places in row.places:
        for n, place in enumerate(places):
            seen[place, places[: n + 1].copy()] = True
    wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True)
    found, _ = packing.attention(None, q, k, v, None, layout=layout)
    torch.testing.assert_close(found, wanted.transpose(1, 2))


@pytest.fixture(scope="module")
def networks(llama, qwen):
    """(packed, padded) of one backbone each."""
    torch.manual_seed(3)
    found = {}
    for name, folder in {"minilm": "minilm", "llama": llama, "qwen": qwen}.items():
        pair = [RewardNetwork(backbone.fresh(folder, Encoding()), Shape(members=2, categories=("x",))) for _ in "12"]
        pair[0].begin(0)
        torch.nn.init.normal_(pair[0].heads["segments"].weight)
        pair[1].load_state_dict(pair[0].state_dict())
        pair[1].packed = False
        pair[1].model.set_attn_implementation("sdpa")
        found[name] = [one.eval() for one in pair]
    return found


def read(network, world, picked):
    some = [world.examples[n] for n in picked]
    with torch.no_grad():
        return network(reading.inputs(network.backbone.encoder, some, "sentence"))


@pytest.mark.parametrize("name", ["minilm", "llama", "qwen"])
def test_packed_is_padded_is_alone(networks, world, name):
    packed, padded = networks[name]
    whole, other = read(packed, world, range(12)), read(padded, world, range(12))
    backwards = read(packed, world, range(11, -1, -1)).members.flip(0)
    alone = torch.cat([read(packed, world, [n]).members for n in range(12)])
    for members in (other.members, backwards, alone):
        torch.testing.assert_close(members, whole.members, atol=1e-5, rtol=0)
    torch.testing.assert_close(other.segments, whole.segments, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["llama", "qwen"])
def test_a_shared_prompt_changes_no_score_and_no_gradient(networks, world, name):
    network, _ = networks[name]
    network.train()
    found = []
    inputs = reading.inputs(network.backbone.encoder, world.examples[:8], "sentence")
    for shared in (False, True):
        network.shared_prefix = shared
        network.zero_grad()
        outputs = network(inputs)
        (outputs.members.square().sum() + outputs.segments.mean()).backward()
        found.append((outputs.members.detach(), network.model.get_input_embeddings().weight.grad.clone()))
    assert network.forwarded(inputs)[0] < sum(len(one.ids) for one in inputs) / 1.5
    network.shared_prefix = False
    torch.testing.assert_close(found[0][0], found[1][0], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[0][1], found[1][1], atol=1e-5, rtol=1e-4)


def test_an_encoder_cannot_share_prompts():
    with pytest.raises(ValueError, match="shared_prefix needs a causal model"):
        RewardNetwork(backbone.fresh("minilm"), Shape(), shared_prefix=True)


def test_a_short_sliding_window_is_not_packed(llama):
    found = backbone.fresh(llama)
    assert can_pack(found)
    found.model.config.sliding_window = 8
    assert not can_pack(found)


def test_means_over_places():
    hidden = torch.arange(8.0).view(4, 2)
    found = reading.pooled(hidden, [np.array([0, 2]), np.array([3])])
    assert found.tolist() == [[2, 3], [6, 7]]
    assert reading.pooled(hidden, []).shape == (0, 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_flash_kernel_is_attention_by_blocks():
    row = packing.pack([(1, 2, 3, 4), (1, 2, 3, 5, 6), (7, 8)], ["a", "a", "b"])
    layout = packing.Layout(row, True, torch.device("cuda"))
    q, k, v = (torch.randn(1, h, len(row.ids), 64, device="cuda", dtype=torch.bfloat16) for h in (4, 2, 2))
    own = (q.float(), *(one[:, :, layout.gather].float() for one in (k, v)))
    wanted = packing._block_by_block(*own, layout, None)
    torch.testing.assert_close(
        packing.attention(None, q, k, v, None, layout=layout)[0].float(), wanted, atol=2e-2, rtol=0
    )
