"""The one encode path, shared by training, scoring, attribution and export: turns and response → ids and offsets.

Plain, encoder:  [CLS] prompt [SEP] response [SEP]        plain, causal:  BOS prompt response EOS
Chat: what the tokenizer's own template writes, with one BOS in front and an end token at or near the end.
Too long: the prompt loses tokens from its left or middle first, then the response from its right; both are counted.
What people and models wrote is always text: a literal "</s>" in it never becomes the special token.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .recipe import Encoding
from .template import Layout, Turns, layout, prompt_text
from .types import Example

VERSION = 2  # raise it when the same example would get other ids


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


class Tokens(NamedTuple):
    """Of a bare text: no special tokens but those a template wrote."""

    ids: list[int]
    offsets: np.ndarray  # (tokens, 2) code points


class Prompt(NamedTuple):
    """All that stands around a response."""

    text: str
    tokens: Tokens
    middle: list[int]  # between prompt and response
    end: list[int]


@dataclass(frozen=True)
class Encoder:
    """A fast tokenizer, the length it may fill, how the backbone reads (causal or not), and the recipe's choices."""

    tokenizer: Any  # transformers.PreTrainedTokenizerFast
    max_length: int
    causal: bool
    encoding: Encoding = field(default_factory=Encoding)

    @property
    def pooling(self) -> str:
        """How the whole input becomes one vector: "last", "mean" or "cls"."""
        if self.encoding.pooling == "auto":
            return "last" if self.causal else "mean"
        return self.encoding.pooling

    @cached_property
    def hash(self) -> str:
        """Changes whenever the same example could get other ids, or other positions or layers be pooled."""
        rules = json.loads(self.tokenizer.backend_tokenizer.to_str())
        # Calls set padding and truncation as they please, and we use neither.
        rules.pop("padding", None), rules.pop("truncation", None)
        own = self.encoding
        template = [own.template, self.tokenizer.chat_template if own.template == "chat" else None]
        parts = [VERSION, rules, template, self.specials, self.max_length, own.truncation, self.pooling, own.layers]
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
    def specials(self) -> tuple[list[int], list[int], list[int]]:
        """Ids before the prompt, between prompt and response, and at the end, in the plain template."""
        return self._start, self._middle, self._end

    @property
    def pad_id(self) -> int:
        """Any id will do where the attention mask is 0, that of the end token, too."""
        return self.tokenizer.pad_token_id or 0

    def encode(self, example: Example) -> Encoded:
        """Token ids and offsets of one example."""
        return self.encode_all([example])[0]

    def encode_all(self, examples: Sequence[Example]) -> list[Encoded]:
        """The same for many: each distinct prompt is tokenised once. ValueError where a chat template refuses."""
        distinct = list(dict.fromkeys(tuple(example.turns) for example in examples))
        around = self._chat if self.encoding.template == "chat" else self._plain
        prompts = dict(zip(distinct, around(distinct), strict=True))
        responses = self._tokens([example.response for example in examples])
        return [self._join(prompts[tuple(one.turns)], own) for one, own in zip(examples, responses, strict=True)]

    def _plain(self, many: list[Turns]) -> list[Prompt]:
        texts = [prompt_text(turns) for turns in many]
        return [
            Prompt(text, own, self._middle, self._end) for text, own in zip(texts, self._tokens(texts), strict=True)
        ]

    def _chat(self, many: list[Turns]) -> list[Prompt]:
        layouts = [self._layout(tuple(role for role, _ in turns)) for turns in many]
        contents = [
            turns[part][1]
            for turns, (parts, _) in zip(many, layouts, strict=True)
            for part in parts
            if isinstance(part, int)
        ]
        ready = iter(zip(contents, self._tokens(contents), strict=True))
        return [
            self._prompt([next(ready) if isinstance(part, int) else self._literal(part) for part in parts], end)
            for parts, end in layouts
        ]

    def _layout(self, roles: tuple[str, ...]) -> tuple[Layout, list[int]]:
        """What stands before the response, and the ids after it, which hold an end token."""
        if roles not in self._layouts:
            whole = layout(self.tokenizer, roles)
            place = whole.index(len(roles))
            after = [token for part in whole[place + 1 :] for token in self._literal(part)[1].ids]
            end = after if set(self._end) <= set(after) else after + self._end
            self._layouts[roles] = whole[:place], end
        return self._layouts[roles]

    def _literal(self, text: str) -> tuple[str, Tokens]:
        if text not in self._literals:
            self._literals[text] = _of(self._marked, [text])[0]
        return text, self._literals[text]

    def _prompt(self, parts: list[tuple[str, Tokens]], end: list[int]) -> Prompt:
        """The parts as one; a BOS that the template writes gives way to the one that is put in front of everything."""
        starts = np.cumsum([0, *(len(text) for text, _ in parts)])
        ids = [token for _, own in parts for token in own.ids]
        offsets = np.concatenate([own.offsets + start for (_, own), start in zip(parts, starts, strict=False)])
        skip = next((n for n, token in enumerate(ids) if [token] != self._start), len(ids))
        return Prompt("".join(text for text, _ in parts), Tokens(ids[skip:], offsets[skip:]), [], end)

    def _tokens(self, texts: list[str]) -> list[Tokens]:
        return _of(self._text, texts)

    @cached_property
    def _text(self) -> Any:
        """The tokenizer's rules for text, where special tokens are letters like any others."""
        own = _copy(self.tokenizer)
        own.encode_special_tokens = True
        return own

    @cached_property
    def _marked(self) -> Any:
        """The same rules for what a template wrote, where special tokens are special."""
        return _copy(self.tokenizer)

    @cached_property
    def _layouts(self) -> dict[tuple[str, ...], tuple[Layout, list[int]]]:
        return {}

    @cached_property
    def _literals(self) -> dict[str, Tokens]:
        return {}

    def _join(self, prompt: Prompt, response: Tokens) -> Encoded:
        room = self.max_length - len(self._start) - len(prompt.middle) - len(prompt.end)
        if room < 1:
            raise ValueError(f"a length of {self.max_length} tokens leaves no room for a response: raise max_length")
        kept = min(len(response.ids), room)
        picked = self._kept(len(prompt.tokens.ids), room - kept)
        head = self._start + [prompt.tokens.ids[n] for n in picked]
        begin = len(head) + len(prompt.middle)
        return Encoded(
            ids=tuple(head + prompt.middle + response.ids[:kept] + prompt.end),
            prompt=prompt.text,
            prompt_span=(len(self._start), len(head)),
            response_span=(begin, begin + kept),
            prompt_offsets=prompt.tokens.offsets[picked],
            offsets=response.offsets[:kept],
            cut=len(prompt.tokens.ids) - len(picked) + len(response.ids) - kept,
        )

    def _kept(self, tokens: int, room: int) -> np.ndarray:
        """Positions of the prompt's tokens that stay: its end, or its two ends."""
        places = np.arange(tokens)
        if tokens <= room:
            return places
        head = room // 2 if self.encoding.truncation == "middle" else 0
        return np.concatenate([places[:head], places[tokens - room + head :]])


def _known(token: int | None) -> list[int]:
    return [] if token is None else [token]


def _copy(tokenizer: Any) -> Any:
    """A tokenizers.Tokenizer of our own: what callers set on theirs, such as padding, stays with them."""
    from tokenizers import Tokenizer

    own = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    own.no_padding()
    own.no_truncation()
    return own


def _of(rules: Any, texts: list[str]) -> list[Tokens]:
    return [
        Tokens(one.ids, np.array(one.offsets, dtype=np.int32).reshape(-1, 2))
        for one in rules.encode_batch(texts, add_special_tokens=False)
    ]
