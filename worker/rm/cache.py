"""Embedded examples in memory and on disk: many rows per file, a checksum on each file, a rename to publish it.

Two writers never share a file, so they cannot hurt each other; what both computed is simply there twice.
"""

import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from uuid import uuid4

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save


@dataclass(frozen=True)
class Embedded:
    """n examples and their S segments, which lie in the order of the examples. D: the backbone's width."""

    pooled: np.ndarray  # (n, 2·D) whole input, response
    surface: np.ndarray  # (n, features.SURFACE + features.COSINES)
    segments: np.ndarray  # (S, D) mean hidden states
    segment_features: np.ndarray  # (S, features.SEGMENT)
    bounds: np.ndarray  # (S, 2) code points into the response
    sizes: np.ndarray  # (n, 3) segments, response tokens, tokens lost to max_length

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def owner(self) -> np.ndarray:
        """(S,) the example of each segment."""
        return np.repeat(np.arange(len(self)), self.sizes[:, 0])


NAMES = tuple(field.name for field in fields(Embedded))
PER_SEGMENT = ("segments", "segment_features", "bounds")
Chunk = tuple[list[str], Embedded]  # keys, rows in their order


def stack(rows: Sequence[Embedded]) -> Embedded:
    """One after the other."""
    return Embedded(**{name: np.concatenate([getattr(row, name) for row in rows]) for name in NAMES})


def gather(chunks: Sequence[Chunk], keys: Sequence[str]) -> Embedded:
    """The rows of `keys`, in their order; raises KeyError for one that no chunk holds."""
    everything = stack([rows for _, rows in chunks])
    place = {key: n for n, key in enumerate(key for names, _ in chunks for key in names)}
    return take(everything, np.array([place[key] for key in keys], dtype=np.int64))


def take(embedded: Embedded, picked: np.ndarray) -> Embedded:
    """The examples at those positions, in that order, with their segments."""
    counts = embedded.sizes[:, 0]
    starts = np.cumsum(counts) - counts
    own = counts[picked]
    first = np.repeat(starts[picked] - (np.cumsum(own) - own), own)
    segments = first + np.arange(own.sum())
    rows = {name: segments if name in PER_SEGMENT else picked for name in NAMES}
    return Embedded(**{name: getattr(embedded, name)[rows[name]] for name in NAMES})


def write(folder: Path, keys: Sequence[str], rows: Embedded) -> None:
    """Publish a new file of rows; a reader sees all of it or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: np.ascontiguousarray(getattr(rows, name)) for name in NAMES}
    metadata = {"keys": json.dumps(list(keys)), "crc": str(_checksum(tensors))}
    name = uuid4().hex
    draft = folder / f"{name}.part"
    try:
        draft.write_bytes(save(tensors, metadata))
        os.replace(draft, folder / f"{name}.safetensors")
    finally:
        draft.unlink(missing_ok=True)


def read(folder: Path, keys: Sequence[str]) -> tuple[list[Chunk], set[str]]:
    """Chunks that together hold what is known of the keys, and the keys that are not; damaged files are removed."""
    missing, found = set(keys), []
    for path in sorted(folder.glob("*.safetensors")):
        chunk = _load(path, missing)
        if chunk:
            found.append(chunk)
            missing -= set(chunk[0])
    return found, missing


def _load(path: Path, wanted: set[str]) -> Chunk | None:
    """The file, or None when it holds nothing that is wanted or is damaged."""
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata()
            keys = json.loads(metadata["keys"])
            if wanted.isdisjoint(keys):
                return None
            tensors = {name: file.get_tensor(name) for name in NAMES}
            whole = str(_checksum(tensors)) == metadata["crc"]
    except (SafetensorError, KeyError, TypeError, ValueError):
        whole = False
    if whole:
        return keys, Embedded(**tensors)
    path.unlink(missing_ok=True)  # its rows are computed again
    return None


def _checksum(tensors: dict[str, np.ndarray]) -> int:
    found = 0
    for name in NAMES:
        found = zlib.crc32(np.ascontiguousarray(tensors[name]).tobytes(), found)
    return found
