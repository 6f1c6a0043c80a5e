"""A folder is loaded by transformers and scores as the version does."""

import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from worker.rm import backbone, export
from worker.rm.export import Reward
from worker.rm.recipe import Encoding

CHAT = {"template": "chat"}
CASES = [  # backbone, encoding, parts, class that loads it
    ("llama", {}, ("whole",), "LlamaForSequenceClassification"),
    ("llama", CHAT, ("whole",), "LlamaForSequenceClassification"),
    ("qwen", {}, ("whole",), "Qwen2ForSequenceClassification"),
    ("qwen", CHAT, ("whole",), "Qwen2ForSequenceClassification"),
    ("qwen", {"pooling": "mean"}, ("whole",), "TouchstoneForSequenceClassification"),
    ("llama", {"layers": 2}, ("whole",), "TouchstoneForSequenceClassification"),
    ("minilm", {}, ("whole", "response"), "TouchstoneForSequenceClassification"),
    ("minilm", {"pooling": "cls"}, ("whole",), "BertForSequenceClassification"),
    ("minilm", {"pooling": "last"}, ("whole",), "TouchstoneForSequenceClassification"),
]


def reward(name, request, encoding=None, parts=("whole",), bias=0.0):
    source = "minilm" if name == "minilm" else request.getfixturevalue(name)
    found = backbone.load(source, Encoding(**encoding or {}))
    weights = torch.randn(len(parts) * found.dim, generator=torch.Generator().manual_seed(0)) / 4
    return Reward(found, weights, torch.tensor(bias), parts)


@torch.no_grad()
def scores(one, examples):
    """As the version computes them: each alone."""
    found = []
    for encoded in one.backbone.encoder.encode_all(examples):
        ids, mask = one.backbone.pad([encoded.ids])
        hidden = one.backbone.hidden(mask, input_ids=ids)
        whole = one.backbone.whole(hidden, mask)[0]
        response = hidden[0, slice(*encoded.response_span)]
        response = response.mean(0) if len(response) else torch.zeros_like(whole)
        found.append(torch.cat([whole, response][: len(one.parts)]) @ one.weights + one.bias)
    return torch.stack(found)


@pytest.fixture(scope="module")
def examples(world):
    odd = [replace(world.examples[0], response=text) for text in ("", "One", "Ça va? 👩‍👧 " * 9 + "x")]
    talk = (("user", "Hi."), ("assistant", "Yes?"), ("user", "How tall is it?"))
    return [*world.examples[:5], *odd, replace(world.examples[1], turns=talk)]


def test_nothing_is_named_that_transformers_4_does_not_know(request, tmp_path):
    export.write(reward("minilm", request, {}, ("whole", "response")), tmp_path)
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert "PreTrainedConfig" not in (tmp_path / "modeling_touchstone.py").read_text()


@pytest.mark.parametrize(("name", "encoding", "parts", "loaded_by"), CASES)
def test_it_loads_and_scores_the_same(name, encoding, parts, loaded_by, request, examples, tmp_path):
    one = reward(name, request, encoding, parts)
    assert export.write(one, tmp_path) == loaded_by
    found = export.check(tmp_path, one.backbone.encoder, examples, scores(one, examples))
    assert found.largest_difference <= 1e-5
    assert found.same_tokens == len(examples)


def test_a_bias_is_kept_where_the_stock_class_has_none(request, examples, tmp_path):
    one = reward("llama", request, bias=0.7)
    assert export.write(one, tmp_path) == "TouchstoneForSequenceClassification"
    export.check(tmp_path, one.backbone.encoder, examples, scores(one, examples))


def test_an_mlp_goes_along(request, examples, tmp_path):
    one = reward("minilm", request)
    draw = torch.Generator().manual_seed(1)
    into, shift, out = (torch.randn(size, generator=draw) for size in ((8, one.backbone.dim), (8,), (8,)))
    export.write(replace(one, mlp=(into, shift, out)), tmp_path)
    x = torch.stack([one.backbone.whole(*_read(one, each))[0] for each in examples])
    expected = scores(one, examples) + torch.tanh(x @ into.T + shift) @ out
    export.check(tmp_path, one.backbone.encoder, examples, expected)


@torch.no_grad()
def _read(one, example):
    ids, mask = one.backbone.pad([one.backbone.encoder.encode(example).ids])
    return one.backbone.hidden(mask, input_ids=ids), mask


def test_another_score_is_refused(request, examples, tmp_path):
    one = reward("qwen", request)
    export.write(one, tmp_path)
    with pytest.raises(ValueError, match="scores differently"):
        export.check(tmp_path, one.backbone.encoder, examples, scores(one, examples) + 1e-3)


def test_padding_is_not_what_ends_an_input(request, tmp_path):
    """Padding is EOS in the backbone; the stock class would then read the token before EOS."""
    one = reward("llama", request)
    assert one.backbone.encoder.tokenizer.pad_token == one.backbone.encoder.tokenizer.eos_token
    export.write(one, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer.pad_token != tokenizer.eos_token
    assert AutoModelForSequenceClassification.from_pretrained(tmp_path).config.pad_token_id == tokenizer.pad_token_id


def test_a_padding_token_is_added_where_there_is_no_other(request, examples, tmp_path, monkeypatch):
    one = reward("llama", request)
    own = backbone.fresh(one.backbone.name)
    own.encoder.tokenizer.bos_token = None
    one = replace(one, backbone=own)
    export.write(one, tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path).pad_token == "<|padding|>"
    export.check(tmp_path, own.encoder, examples, scores(one, examples))


def test_a_folder_names_no_path_of_this_machine(request, tmp_path):
    for name, parts in (("llama", ("whole",)), ("minilm", ("whole", "response"))):
        one = reward(name, request, parts=parts)
        export.write(one, tmp_path / name)
        texts = [path.read_text() for path in (tmp_path / name).glob("*.json")]
        assert not any(str(one.backbone.name) in text or "site-packages" in text for text in texts if name == "llama")
        assert not any("/root" in text or "site-packages" in text for text in texts)


@pytest.mark.parametrize(
    ("name", "encoding", "parts"), [case[:3] for case in CASES if case[0] != "minilm" or case[2][1:]]
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_pipeline_scores_the_chat_as_rewardbench_does(name, encoding, parts, side, request, examples, tmp_path):
    one = reward(name, request, encoding, parts)
    export.write(one, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, padding_side=side)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path, trust_remote_code=True)
    pipe = pipeline("text-classification", model=model, tokenizer=tokenizer)
    texts = [tokenizer.apply_chat_template(messages(each), tokenize=False) for each in examples]
    found = pipe(
        texts, batch_size=4, padding=True, truncation=False, function_to_apply="none", return_token_type_ids=False
    )
    torch.testing.assert_close(
        torch.tensor([each["score"] for each in found]), scores(one, examples), atol=1e-5, rtol=1e-5
    )


def messages(example):
    return [{"role": role, "content": content} for role, content in (*example.turns, ("assistant", example.response))]


def test_a_pair_is_laid_out_as_in_training(request, examples, tmp_path):
    one = reward("minilm", request)
    export.write(one, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    found = tokenizer(examples[0].turns[0][1], examples[0].response)
    assert tuple(found["input_ids"]) == one.backbone.encoder.encode(examples[0]).ids
    assert "token_type_ids" not in found
