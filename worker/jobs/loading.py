"""Version row → reward model, checked and kept."""

import hashlib
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from worker.models import Version
from worker.rm import checkpoint
from worker.rm.heads import RewardModel


def model_of(version: Version) -> RewardModel:
    """The version's model, loaded once per process; ValueError when its file is gone or not the one that was stored."""
    return _load(str(settings.ARTIFACT_DIR / version.file), version.file_sha256)


@lru_cache(maxsize=2)
def _load(path: str, sha256: str) -> RewardModel:
    try:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise ValueError(f"The file of this version is gone: restore {path}, or train a new version.") from None
    if found != sha256:
        raise ValueError(f"The file of this version is damaged: sha256 {found[:12]}… instead of {sha256[:12]}….")
    return checkpoint.load(Path(path))
