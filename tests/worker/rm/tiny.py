"""Small causal models for tests, made from a config with random weights and saved as any other model's folder."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
}
LLAMA_CHAT = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m['role'] == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}"
    "[{{ m['role'] }}] {{ m['content'] }}{% if m['role'] == 'assistant' %}{{ eos_token }}{% endif %}\n{% endfor %}"
)
QWEN_CHAT = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>\n{% endfor %}"


def tokenizer(texts: list[str], specials: list[str], **named: str) -> PreTrainedTokenizerFast:
    """Byte-level BPE, trained on the texts."""
    rules = Tokenizer(models.BPE())
    rules.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    rules.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    rules.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=500, special_tokens=specials, initial_alphabet=alphabet)
    )
    return PreTrainedTokenizerFast(tokenizer_object=rules, **named)


def llama(folder: Path, texts: list[str]) -> Path:
    """With BOS and EOS, which is its padding, too, and a chat template that writes BOS itself."""
    own = tokenizer(texts, ["<s>", "</s>"], bos_token="<s>", eos_token="</s>", pad_token="</s>")
    own.chat_template = LLAMA_CHAT
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(own), num_key_value_heads=2, **SIZES))
    return _saved(folder, own, model)


def qwen(folder: Path, texts: list[str]) -> Path:
    """Without BOS; it ends at <|im_end|>, which its chat template follows by a line's end."""
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    own = tokenizer(texts, specials, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    own.chat_template = QWEN_CHAT
    torch.manual_seed(1)
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(own), num_key_value_heads=2, **SIZES))
    return _saved(folder, own, model)


def _saved(folder: Path, own: PreTrainedTokenizerFast, model: torch.nn.Module) -> Path:
    own.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder
