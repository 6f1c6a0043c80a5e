"""Hidden states of texts that were read together, kept while these are explained one by one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor

from ..backbone import Backbone
from ..encode import Encoded


@dataclass(frozen=True)
class _Read:
    hidden: Tensor  # (tokens, D)
    tokens: int  # its part of what the batch cost
    seconds: float


_Key = tuple[int, str, tuple[int, ...]]
_read: dict[_Key, _Read] = {}
spent = {"tokens": 0, "seconds": 0.0}  # on texts that were taken from here; it only grows


def _key(backbone: Backbone, encoded: Encoded) -> _Key:
    """Of all that its states depend on."""
    return id(backbone.model), backbone.encoder.hash, encoded.ids


def taken(backbone: Backbone, encoded: Encoded) -> Tensor | None:
    """(tokens, D) of a text that is kept, its cost counted; None of any other."""
    if found := _read.get(_key(backbone, encoded)):
        spent["tokens"] += found.tokens
        spent["seconds"] += found.seconds
        return found.hidden
    return None


@contextmanager
def kept(backbone: Backbone, texts: Sequence[Encoded], hidden: Tensor, seconds: float) -> Iterator[None]:
    """Inside the block these are known; hidden (texts, longest, D)."""
    own = {
        _key(backbone, one): _Read(row[: len(one.ids)], hidden.shape[1], seconds / len(texts))
        for one, row in zip(texts, hidden, strict=True)
    }
    _read.update(own)
    try:
        yield
    finally:
        for key in own:
            _read.pop(key, None)
