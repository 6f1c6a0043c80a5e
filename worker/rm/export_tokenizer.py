"""An encoder as a tokenizer for others: their usual calls give the ids that the model was trained on.

`apply_chat_template(messages)` writes everything, special tokens included, so a single text gets none beside them; a
pair (prompt, response) gets those of the plain template. Only literal special tokens inside a text differ: others'
tools read them as special.
"""

import json
from pathlib import Path
from typing import Any

from tokenizers import processors

from .encode import Encoder
from .template import DATE
from .types import Example

_PLAIN = """{%%- set turns = messages[:-1] -%%}
{{- %(start)s }}
{%%- if turns|length == 1 and turns[0]['role'] == 'user' %%}{{- turns[0]['content'] }}
{%%- else %%}{%% for one in turns %%}
{{- one['role'] + ': ' + one['content'] + ('' if loop.last else '\\n') }}{%% endfor %%}
{%%- endif %%}
{{- %(middle)s }}{{- messages[-1]['content'] }}{{- %(end)s }}"""


def build(encoder: Encoder) -> Any:
    """A tokenizer of its own (transformers.PreTrainedTokenizerFast), with a padding token that ends no input."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    old = encoder.tokenizer
    rules = Tokenizer.from_str(old.backend_tokenizer.to_str())
    rules.no_padding()
    rules.no_truncation()
    rules.post_processor = _around(encoder)
    named = {name: value for name, value in old.special_tokens_map.items() if isinstance(value, str)}
    named.setdefault("eos_token", _said(encoder, encoder.specials[2]))
    named["pad_token"] = _padding(encoder, named)
    found = PreTrainedTokenizerFast(
        tokenizer_object=rules,
        model_max_length=encoder.max_length,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
        **{name: value for name, value in named.items() if value},
    )
    found.chat_template = _chat(encoder) if encoder.encoding.template == "chat" else _plain(encoder)
    return found


def write(tokenizer: Any, folder: Path) -> None:
    """Under the name of its class that transformers 4 knows as well: RewardBench 0.1.4 holds to 4.51."""
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text("utf-8")) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _said(encoder: Encoder, ids: list[int]) -> str:
    return "".join(encoder.tokenizer.convert_ids_to_tokens(ids))


def _around(encoder: Encoder) -> Any:
    """Nothing around a single text; a pair as the plain template has it."""
    start, middle, end = (_said(encoder, ids) for ids in encoder.specials)
    known = {said: ids[0] for said, ids in zip((start, middle, end), encoder.specials, strict=True) if ids}
    pair = " ".join(part for part in (start, "$A", middle, "$B", end) if part)
    return processors.TemplateProcessing(single="$A", pair=pair, special_tokens=list(known.items()))


def _padding(encoder: Encoder, named: dict[str, str]) -> str:
    """A token that ends no input: the stock classes read the last token that is not padding."""
    end = _said(encoder, encoder.specials[2])
    for name in ("pad_token", "unk_token", "bos_token", "mask_token"):
        if named.get(name) and named[name] != end:
            return named[name]
    return "<|padding|>"


def _plain(encoder: Encoder) -> str:
    start, middle, end = (json.dumps(_said(encoder, ids)) for ids in encoder.specials)
    return _PLAIN % {"start": start, "middle": middle, "end": end}


def _chat(encoder: Encoder) -> str:
    """The tokenizer's own template, with the BOS, the end token and the date that encoding gives it."""
    own, (start, _, end) = encoder.tokenizer.chat_template, encoder.specials
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    written = encoder.tokenizer.apply_chat_template(messages, return_dict=False, date_string=DATE)
    if "date_string" in own:
        own = f"{{%- set date_string = date_string | default({json.dumps(DATE)}) -%}}{own}"
    if start and written[:1] != start:
        own = f"{{{{ {json.dumps(_said(encoder, start))} }}}}{own}"
    ends = encoder.encode(Example("", "", (("user", "a"),), "b")).ids[-1:] == tuple(written[-1:])
    return own if ends else f"{own}{{{{ {json.dumps(_said(encoder, end))} }}}}"
