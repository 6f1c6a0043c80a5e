"""A store in a bucket that speaks S3: worker/store.py says what its methods do.

Address and keys come from the environment as boto3 reads it (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_ENDPOINT_URL_S3, AWS_DEFAULT_REGION). An upload is seen when it is complete. Models stay on this machine under their
sha256, up to ARTIFACT_CACHE_BYTES.
"""

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit
from uuid import uuid4

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils import timezone
from storages.backends.s3 import S3Storage

from worker.store import ASIDE, check

log = logging.getLogger(__name__)
QUICK = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 3})
LEFT = timedelta(days=1)  # after which an unfinished upload or draft is nobody's
IN_USE = 600  # seconds after its last use in which a kept model is not removed: somebody may be about to read it
SHARE = 10  # keeping a checkpoint takes at most one part in so many of a training's time


class Bucket(S3Storage):
    def __init__(self, url: str, here: Path) -> None:
        """s3://bucket/prefix; `here` is for drafts and for models that are kept."""
        parts = urlsplit(url)
        self.here = here
        super().__init__(bucket_name=parts.netloc, location=parts.path.strip("/"), client_config=QUICK)

    def draft(self, name: str) -> Path:
        return _with_parents(self.here / "drafts" / f"{name}.part")

    def publish(self, draft: Path, name: str, sha256: str = "") -> None:
        """With its sha256 a copy stays here for fetch."""
        with _plain_errors(name):
            self.bucket.upload_file(str(draft), self._key(name))
        if sha256:
            os.replace(draft, _with_parents(self._kept(sha256)))
            self._make_room()
        else:
            draft.unlink()

    def fetch(self, name: str, sha256: str) -> Path:
        path = self._kept(sha256)
        with suppress(FileNotFoundError, ValueError):  # not here, or damaged: it is fetched again
            os.utime(path)
            return check(path, sha256)
        with self.local(name) as draft:
            check(draft, sha256)
            os.replace(draft, _with_parents(path))
        self._make_room()
        return path

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        draft = self.draft(f"{name}-{uuid4().hex}")
        try:
            self._download(name, draft)
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def stream(self, name: str) -> BinaryIO:
        with _plain_errors(name):
            return self.bucket.Object(self._key(name)).get()["Body"]

    @contextmanager
    def working(self, folder: str, name: str) -> Iterator[tuple[Path, Callable[[], None]]]:
        """What another host kept is there; it is kept again now and then, and at the end however that comes."""
        here = self.here / "working" / uuid4().hex
        here.mkdir(parents=True)
        kept = _Kept(self, f"{folder}/{name}", here / name)
        try:
            with suppress(FileNotFoundError):
                self._download(kept.name, kept.path)
                kept.seen = kept.stamp()
            try:
                yield here, kept.now_and_then
            finally:
                kept.keep()
        finally:
            shutil.rmtree(here, ignore_errors=True)

    def forget(self, folder: str) -> None:
        with _plain_errors(folder):
            self.bucket.objects.filter(Prefix=f"{self._key(folder)}/").delete()

    def put_aside(self, name: str, place: str) -> bool:
        """Into a folder of the same store."""
        with _plain_errors(name):
            key = self._key(name)
            found = [one for one in self.bucket.objects.filter(Prefix=key) if f"{one.key}/".startswith(f"{key}/")]
            for one in found:
                moved = self._key(f"{ASIDE}/{place}") + one.key.removeprefix(key)
                self.bucket.Object(moved).copy({"Bucket": self.bucket_name, "Key": one.key})
                one.delete()
        return bool(found)

    def exists(self, name: str) -> bool:
        with _plain_errors(name):
            return super().exists(name)

    def delete(self, name: str) -> None:
        with _plain_errors(name):
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with _plain_errors(path):
            return super().listdir(path)

    def size(self, name: str) -> int:
        with _plain_errors(name):
            return super().size(name)

    def get_modified_time(self, name: str) -> datetime:
        with _plain_errors(name):
            return super().get_modified_time(name)

    def sweep(self) -> None:
        """Uploads that were never completed, which the bucket keeps unseen, and drafts on this machine."""
        long_ago = timezone.now() - LEFT
        with _plain_errors(""):
            for upload in self.bucket.multipart_uploads.filter(Prefix=self._key("")):
                if upload.initiated < long_ago:
                    upload.abort()
        for path in [*(self.here / "drafts").rglob("*.part"), *(self.here / "working").glob("*")]:
            if path.stat().st_mtime < long_ago.timestamp():
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def _download(self, name: str, path: Path) -> None:
        with _plain_errors(name):
            self.bucket.download_file(self._key(name), str(path))

    def _key(self, name: str) -> str:
        return self._normalize_name(name)

    def _kept(self, sha256: str) -> Path:
        return self.here / "kept" / sha256

    def _make_room(self) -> None:
        """Remove the models that were used longest ago while there are too many bytes of them."""
        files = [(path, path.stat()) for path in (self.here / "kept").iterdir()]
        over = sum(found.st_size for _, found in files) - settings.ARTIFACT_CACHE_BYTES
        for path, found in sorted(files, key=lambda one: one[1].st_mtime):
            if over <= 0 or found.st_mtime > time.time() - IN_USE:
                return
            path.unlink(missing_ok=True)
            over -= found.st_size


class _Kept:
    """A file of a working folder that is published each time it has changed, but not all the time."""

    def __init__(self, store: Bucket, name: str, path: Path) -> None:
        self.store, self.name, self.path = store, name, path
        self.seen, self.rest_until = 0, 0.0

    def stamp(self) -> int:
        return self.path.stat().st_mtime_ns if self.path.exists() else 0

    def now_and_then(self) -> None:
        start = time.monotonic()
        if start >= self.rest_until and self.keep():
            end = time.monotonic()
            self.rest_until = end + SHARE * (end - start)

    def keep(self) -> bool:
        """Publish it if it has changed. A second name holds what is sent, whatever is written meanwhile."""
        stamp = self.stamp()
        if stamp == self.seen:
            return False
        draft = self.store.draft(f"{self.name}-{uuid4().hex}")
        try:
            os.link(self.path, draft)
            self.store.publish(draft, self.name)
            self.seen = stamp
        except OSError as error:  # the training goes on; the next checkpoint may get through
            draft.unlink(missing_ok=True)
            log.warning("A checkpoint was not kept: %s", error)
        return True


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    """FileNotFoundError for what is not there, OSError for all else, as from a folder."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("404", "NoSuchKey"):
            raise FileNotFoundError(f"The artifact store has no {name}.") from None
        raise OSError(f"The artifact store refused {name}: {error}") from error
    except (BotoCoreError, Boto3Error) as error:
        raise OSError(f"The artifact store does not answer: {error}") from error


def _with_parents(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
