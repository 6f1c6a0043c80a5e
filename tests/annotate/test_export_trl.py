"""The files as they are, loaded by `datasets` and trained on by the real TRL, with a tiny model."""

import io
import json

import pytest

from annotate.services.exported import Export, export_chunks
from annotate.services.item import import_items

pytest.importorskip("datasets", reason="datasets is not installed (requirements-dev.txt)")
pytest.importorskip("trl", reason="TRL is not installed (requirements-dev.txt)")

TEMPLATE = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + eos_token }}{% endfor %}"
TEMPLATE += "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"


def item(number: int) -> dict:
    """A question with two answers in steps, judged by two people and a reviewer's rewrite."""
    steps = [{"start": 0, "end": 4}, {"start": 5, "end": 9}]
    said = {"shown": [0, 1], "outcome": "ranking", "ranking": [[0], [1]], "strength": 1 + number % 3}
    span = {"response": 1, "start": 0, "end": 4, "quote": "No 1", "category": "wrong"}
    return {
        "prompt": f"Question {number}? 🙂",
        "context": [{"title": "Facts", "text": "It is so."}] if number % 2 else [],
        "responses": [{"text": "So 1 So 2", "steps": steps}, {"text": "No 1 No 2", "steps": steps}],
        "judgements": [
            said | {"rater": "dana", "spans": [span], "steps": {"0": [1, 1], "1": [1, -1]}},
            said | {"rater": "eli", "corrections": {"1": f"Yes {number}."}},
        ],
    }


@pytest.fixture
def load(project, tmp_path):
    """load(format, container) is the export as a dataset."""
    from datasets import load_dataset

    rows = "\n".join(json.dumps(item(number)) for number in range(8)).encode()
    import_items(project=project, file=io.BytesIO(rows), format="jsonl")

    def loaded(format: str, container: str = "jsonl"):
        path = tmp_path / f"{format}.{container}"
        export = Export(format=format, container=container)
        path.write_bytes(b"".join(export_chunks(project=project, export=export)))
        kind = {"jsonl": "json"}.get(container, container)
        return load_dataset(kind, data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))

    return loaded


@pytest.fixture
def tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(["<pad>", "<eos>", *letters])}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>", eos_token="<eos>")
    fast.chat_template = TEMPLATE
    return fast


def tiny(kind: str, tokenizer, labels: int = 1):
    """A Llama of random weights."""
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id, bos_token_id=None, num_labels=labels,
    )  # fmt: skip
    return getattr(transformers, f"LlamaFor{kind}")(config)


def step(trainer, config, model, data, tokenizer, folder, **more) -> float:
    """The loss of one step on the export as it is."""
    options = {"max_steps": 1, "per_device_train_batch_size": 4, "report_to": [], "use_cpu": True, "bf16": False}
    arguments = config(output_dir=str(folder), save_strategy="no", **options)
    run = trainer(model=model, args=arguments, train_dataset=data, processing_class=tokenizer, **more)
    return run.train().training_loss


@pytest.mark.parametrize("container", ["jsonl", "parquet"])
@pytest.mark.parametrize("format", ["preference", "reward"])
def test_reward_model(load, tokenizer, tmp_path, format, container):
    from trl import RewardConfig, RewardTrainer

    data = load(format, container)
    assert (len(data), data[0]["chosen"][0]["content"]) == (8, "So 1 So 2")
    loss = step(RewardTrainer, RewardConfig, tiny("SequenceClassification", tokenizer), data, tokenizer, tmp_path)
    assert loss > 0


@pytest.mark.parametrize("container", ["jsonl", "parquet"])
def test_dpo(load, tokenizer, tmp_path, container):
    from trl import DPOConfig, DPOTrainer

    data = load("dpo", container)
    model, reference = tiny("CausalLM", tokenizer), tiny("CausalLM", tokenizer)
    assert step(DPOTrainer, DPOConfig, model, data, tokenizer, tmp_path, ref_model=reference) > 0


def test_kto(load, tokenizer, tmp_path):
    from trl import KTOConfig, KTOTrainer

    data = load("kto")
    assert sorted(data["label"]) == [False] * 8 + [True] * 8
    model, reference = tiny("CausalLM", tokenizer), tiny("CausalLM", tokenizer)
    assert step(KTOTrainer, KTOConfig, model, data, tokenizer, tmp_path, ref_model=reference) > 0


def test_sft(load, tokenizer, tmp_path):
    from trl import SFTConfig, SFTTrainer

    data = load("sft")
    assert sorted(data["kind"]) == ["chosen"] * 8 + ["rewrite"] * 8
    assert step(SFTTrainer, SFTConfig, tiny("CausalLM", tokenizer), data, tokenizer, tmp_path) > 0


@pytest.mark.parametrize("container", ["jsonl", "parquet"])
def test_process_reward_model(load, tokenizer, tmp_path, container):
    from trl.experimental.prm import PRMConfig, PRMTrainer

    data = load("prm", container)
    assert data[1]["completions"] == ["No 1", "No 2"]
    assert data[1]["labels"] == [True, False]
    assert step(PRMTrainer, PRMConfig, tiny("TokenClassification", tokenizer, 2), data, tokenizer, tmp_path) > 0


@pytest.mark.parametrize("container", ["jsonl", "parquet"])
def test_our_own_format_loads_too(load, container):
    assert len(load("touchstone", container)) == 8
