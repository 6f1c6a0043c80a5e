"""Files: what the rows name must lie there unchanged, and what lies there must be named."""

import hashlib
import json
import re
import time
import zipfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from worker.models import Job, Version
from worker.models.job import JobKind, JobState
from worker.services.export import FOLDER, FORMS, archive_of
from worker.services.upload import FORGOTTEN_SECONDS, READERS
from worker.store import ASIDE, artifacts, uploads
from worker.upkeep import files
from worker.upkeep.doctor.fault import Check, Fault

EXPORT = re.compile(r"version(\d+)-.*")
OF_JOB = re.compile(r"job(\d+)")
MINUTE = 60.0


def _files() -> Iterator[Fault]:
    """Versions that transforms made share a file: it is read once."""
    for name, sha256 in sorted(set(Version.objects.order_by().values_list("file", "file_sha256"))):
        try:
            with artifacts().stream(name) as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            yield Fault(f"file {name}", f"cannot be read: {error.strerror or error}")
            continue
        if found != sha256:
            yield Fault(f"file {name}", f"is damaged: sha256 {found[:12]}… instead of {sha256[:12]}…")


def _exports() -> Iterator[Fault]:
    for name in sorted(artifacts().listdir(FOLDER)[1]):
        key = f"{FOLDER}/{name}"
        if name.endswith(".zip") and (bad := _broken(key)):
            yield Fault(f"export {name}", f"is damaged: {bad}", ("artifacts", key))


def _broken(export: str) -> str | None:
    try:
        with artifacts().local(export) as path, zipfile.ZipFile(path) as archive:
            return archive.testzip()
    except (OSError, zipfile.BadZipFile) as error:
        return str(error)


def _strays() -> Iterator[Fault]:
    """Files are listed before the rows are read: whoever ends meanwhile is named, or still runs."""
    listed = [name for name in _entries() if _age("artifacts", name) > MINUTE]
    sent = {name: _age("uploads", name) for name in uploads().listdir("")[1]}
    drafts = [path for path in settings.CACHE_DIR.glob("**/*.part") if path.stat().st_mtime < time.time() - MINUTE]
    claims = set(Job.objects.filter(state=JobState.RUNNING).values_list("claim", flat=True))
    named = set(Version.objects.values_list("file", flat=True))
    for name in listed:
        if not any(claim and claim in name for claim in claims) and not _is_named(name, named):
            yield Fault(f"file {name}", "belongs to no row: half-written, or left behind", ("artifacts", name))
    for path in drafts:
        name = str(path.relative_to(settings.CACHE_DIR))
        yield Fault(f"file {path.name}", "is half of a cache file", ("cache", name))
    yield from _lost_uploads(sent)


def _entries() -> Iterator[str]:
    """What is a thing of its own among the artifacts: files at the top, and what lies in the folders that we make."""
    folders, at_the_top = artifacts().listdir("")
    yield from sorted(at_the_top)
    for folder in sorted(set(folders) - {"uploads", ASIDE}):  # where hosts share a store, they lie there
        if folder in (FOLDER, "running", "scored"):
            yield from (f"{folder}/{name}" for part in artifacts().listdir(folder) for name in sorted(part))
        else:
            yield folder


def _age(kind: str, name: str) -> float:
    """Seconds; of a folder those of its newest file. What has gone meanwhile is new."""
    return min((_since(kind, one) for one in files.below(kind, name)), default=0.0)


def _since(kind: str, name: str) -> float:
    try:
        return (timezone.now() - files.store(kind).get_modified_time(name)).total_seconds()
    except FileNotFoundError:
        return 0.0


def _is_named(entry: str, named: set[str]) -> bool:
    place, _, name = entry.rpartition("/")
    number = OF_JOB.match(name)
    if not place:
        return name in named
    if place == FOLDER:
        own = EXPORT.fullmatch(name)
        version = Version.objects.filter(pk=own[1]).first() if own else None
        return bool(version) and entry in {archive_of(version, form) for form in FORMS}
    jobs = Job.objects.filter(pk=number[1] if number else 0)
    if place == "scored":
        return jobs.filter(kind=JobKind.FILE, result__result=name).exists()
    return jobs.filter(kind=JobKind.TRAIN).exclude(state=JobState.DONE).exists() or _goes_on(number)


def _goes_on(number: re.Match | None) -> bool:
    resumed = Job.objects.unfinished().filter(kind=JobKind.TRAIN)
    return bool(number) and resumed.filter(params__resume=int(number[1])).exists()


def _lost_uploads(sent: dict[str, float]) -> Iterator[Fault]:
    """Of files by name and age. One that was only checked stays for a day."""
    wanted = set(Job.objects.unfinished().filter(kind__in=READERS).values_list("params__file", flat=True))
    checked = Job.objects.filter(kind__in=READERS, created_at__gt=timezone.now() - timedelta(days=1))
    known = wanted | set(checked.values_list("params__file", flat=True))
    for name, age in sent.items():
        if name not in wanted and (age > FORGOTTEN_SECONDS or (age > MINUTE and name not in known)):
            yield Fault(f"upload {name}", "no job will read it", ("uploads", name))


def _caches() -> Iterator[Fault]:
    for path in sorted(settings.CACHE_DIR.glob("**/*.safetensors")):
        if not _is_whole(path):
            name = str(path.relative_to(settings.CACHE_DIR))
            yield Fault(f"cache file {path.name}", "is cut off or damaged", ("cache", name))


def _is_whole(path: Path) -> bool:
    """As long as its header says: eight bytes of length, the header, the tensors."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, 100_000_000)))
        ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
        return path.stat().st_size == 8 + length + max(ends, default=0)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _put_aside(keys: Sequence[tuple[str, str]]) -> int:
    """Nobody deletes them but you. How many were still there."""
    place = timezone.now().strftime("%Y%m%dT%H%M%S")
    return sum(files.store(kind).put_aside(name, f"{place}/{name}") for kind, name in keys)


CHECKS = (
    Check(
        "files", "A version cannot score any more.",
        "Put the file back from a backup (it lies under artifacts/), or train a new version.", _files,
    ),
    Check(
        "exports", "Whoever fetches the export gets half of it.",
        "Run manage.py doctor --repair, which moves it aside, and export the version again.", _exports, _put_aside,
    ),
    Check(
        "strays", "Room on the disk is taken by what nothing names.",
        "Run manage.py doctor --repair: it moves them into the folder aside/ and deletes nothing.", _strays, _put_aside,
    ),
    Check(
        "caches", "Nothing is lost: what a cache held is computed again.",
        "Run manage.py doctor --repair, which moves it aside.", _caches, _put_aside,
    ),
)  # fmt: skip
