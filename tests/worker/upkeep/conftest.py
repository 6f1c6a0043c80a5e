"""One small store for all tests of a file; what a test does to it is rolled back."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.worker.upkeep.world import fill
from worker.models import Job


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def store(django_db_setup, django_db_blocker, folders):
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, transaction.atomic():
        from django.conf import settings

        for name in ("ARTIFACT_DIR", "UPLOAD_DIR", "CACHE_DIR"):
            patch.setattr(settings, name, folders / name.lower())
        patch.setattr(settings, "PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"])
        yield fill()
        transaction.set_rollback(True)


@pytest.fixture
def demo(db, store, folders, settings):
    """The project. References may be broken: what a test did is gone before they are checked."""
    for name in ("ARTIFACT_DIR", "UPLOAD_DIR", "CACHE_DIR"):
        setattr(settings, name, folders / name.lower())
    point = transaction.savepoint()
    Job.objects.unfinished().update(heartbeat_at=timezone.now())
    yield store
    transaction.savepoint_rollback(point)


@pytest.fixture
def sql(demo):
    def run(statement: str, *values: object) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    return run
