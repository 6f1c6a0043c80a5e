"""Version row → reward model, checked and kept."""

from functools import lru_cache

from django.conf import settings

from worker.models import Version
from worker.rm import checkpoint
from worker.rm.heads import RewardModel
from worker.store import artifacts


def model_of(version: Version) -> RewardModel:
    """The version's model, loaded once per process; ValueError when its file is gone or not the one that was stored."""
    return _load(settings.ARTIFACT_STORE or str(settings.ARTIFACT_DIR), version.file, version.file_sha256)


@lru_cache(maxsize=2)
def _load(store: str, name: str, sha256: str) -> RewardModel:
    try:
        path = artifacts().fetch(name, sha256)
    except FileNotFoundError:
        raise ValueError(
            f"The file of this version is gone: restore {name} in {store}, or train a new version."
        ) from None
    except ValueError as error:
        raise ValueError(f"The file of this version is damaged: {error}.") from None
    return checkpoint.load(path)
