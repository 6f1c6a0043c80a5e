"""The one encode path, shared by training, scoring and attribution: turns and response → token ids and offsets.

Encoder:  [CLS] prompt [SEP] response [SEP]        causal:  BOS prompt response EOS
Too long: the prompt loses tokens from its left first, then the response from its right; both losses are counted.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .types import Example

TEMPLATE = 1  # raise it when the text of the template changes


@dataclass(frozen=True)
class Encoded:
    """Token ids of one example, and where each token comes from."""

    ids: tuple[int, ...]
    prompt: str  # as templated
    prompt_span: tuple[int, int]  # token positions of the prompt …
    response_span: tuple[int, int]  # … and of the response, end exclusive
    prompt_offsets: np.ndarray  # (prompt tokens, 2) code points into prompt
    offsets: np.ndarray  # (response tokens, 2) code points into the raw response
    cut: int  # tokens lost to max_length

    @property
    def tokens(self) -> int:
        """Response tokens."""
        return self.response_span[1] - self.response_span[0]


def prompt_text(turns: Sequence[tuple[str, str]]) -> str:
    """The turns as one text, each led by its role; a lone user turn stands bare."""
    if len(turns) == 1 and turns[0][0] == "user":
        return turns[0][1]
    return "\n".join(f"{role}: {content}" for role, content in turns)


@dataclass(frozen=True)
class Encoder:
    """A fast tokenizer, the length it may fill, and how the backbone reads: causal or not."""

    tokenizer: Any  # transformers.PreTrainedTokenizerFast
    max_length: int
    causal: bool

    @cached_property
    def hash(self) -> str:
        """Changes whenever the same example could get other ids, or other positions be pooled."""
        rules = json.loads(self.tokenizer.backend_tokenizer.to_str())
        # Calls set padding and truncation as they please, and we use neither.
        rules.pop("padding", None), rules.pop("truncation", None)
        specials = (self._start, self._middle, self._end)
        parts = [TEMPLATE, rules, self.max_length, specials, "last" if self.causal else "mean"]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def _start(self) -> list[int]:
        return _known(self.tokenizer.bos_token_id if self.causal else self.tokenizer.cls_token_id)

    @property
    def _middle(self) -> list[int]:
        return [] if self.causal else _known(self.tokenizer.sep_token_id)

    @property
    def _end(self) -> list[int]:
        return _known(self.tokenizer.eos_token_id if self.causal else self.tokenizer.sep_token_id)

    @property
    def pad_id(self) -> int:
        """Any id will do where the attention mask is 0."""
        return self.tokenizer.pad_token_id or 0

    def encode(self, example: Example) -> Encoded:
        """Token ids and offsets of one example."""
        return self.encode_all([example])[0]

    def encode_all(self, examples: Sequence[Example]) -> list[Encoded]:
        """The same for many: each distinct prompt is tokenised once."""
        prompts = [prompt_text(example.turns) for example in examples]
        place = {text: n for n, text in enumerate(dict.fromkeys(prompts))}
        prompt_tokens = self._tokens(list(place))
        responses = self._tokens([example.response for example in examples])
        return [
            self._join(text, *prompt_tokens[place[text]], *own) for text, own in zip(prompts, responses, strict=True)
        ]

    def _tokens(self, texts: list[str]) -> list[tuple[list[int], np.ndarray]]:
        """Ids and (tokens, 2) offsets of bare texts, no special tokens."""
        if not texts:
            return []
        found = self.tokenizer(
            texts, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
        )
        return [
            (ids, np.array(offsets, dtype=np.int32).reshape(-1, 2))
            for ids, offsets in zip(found["input_ids"], found["offset_mapping"], strict=True)
        ]

    def _join(self, prompt, prompt_ids, prompt_offsets, ids, offsets) -> Encoded:
        room = self.max_length - len(self._start) - len(self._middle) - len(self._end)
        kept = min(len(ids), room)
        skip = max(0, len(prompt_ids) - (room - kept))
        head = self._start + prompt_ids[skip:]
        begin = len(head) + len(self._middle)
        return Encoded(
            ids=tuple(head + self._middle + ids[:kept] + self._end),
            prompt=prompt,
            prompt_span=(len(self._start), len(head)),
            response_span=(begin, begin + kept),
            prompt_offsets=prompt_offsets[skip:],
            offsets=offsets[:kept],
            cut=skip + len(ids) - kept,
        )


def _known(token: int | None) -> list[int]:
    return [] if token is None else [token]
