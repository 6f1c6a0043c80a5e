"""Three people and one project: Alice administers it, Bob annotates in it, Charlie is a stranger."""

import contextlib
import gc
import os
from pathlib import Path

import psycopg
import pytest
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator

from tests.postgres import own_database

for waits in (
    ApplicationCommunicator.receive_output,
    ApplicationCommunicator.wait,
    WebsocketCommunicator.connect,
    WebsocketCommunicator.receive_from,
    WebsocketCommunicator.receive_json_from,
    WebsocketCommunicator.disconnect,
):
    waits.__defaults__ = (*waits.__defaults__[:-1], 60)  # seconds; one is too few for a busy machine
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_finish():
    """What is imported by now stays: looking through it for cycles again and again takes a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.fixture(scope="session", autouse=True)
def _the_ledger_may_be_emptied_between_tests():
    """Transactional tests empty every table at their end, on SQLite row by row, which the ledger refuses."""
    from django.db.backends.sqlite3.base import DatabaseOperations

    plain = DatabaseOperations.sql_flush
    with pytest.MonkeyPatch.context() as patch:
        lift = ["DROP TRIGGER IF EXISTS event_not_deleted"]  # a flush ends with the signal that makes it again
        patch.setattr(DatabaseOperations, "sql_flush", lambda *args, **options: lift + plain(*args, **options))
        yield


@pytest.fixture(autouse=True)
def _quick_and_private(settings, tmp_path):
    """Each test has its own artifact folders; to hash a password, or to begin a client, takes no time."""
    settings.WHITENOISE_AUTOREFRESH = True
    settings.JOB_HEARTBEAT_SECONDS = 3600  # a database in memory has no queue of writers: whoever comes second fails
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ARTIFACT_DIR = tmp_path / "artifacts"
    settings.UPLOAD_DIR = tmp_path / "uploads"
    settings.STORE_DIR = tmp_path / "store"
    settings.BACKBONE_DIR = tmp_path / "backbones"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.fixture
def human_data():
    """The folder of real human feedback; a machine without it skips."""
    if not DATA.is_dir():
        pytest.skip(f"no real feedback at {DATA}")
    return DATA


@pytest.fixture
def postgres():
    """The address of a database of our own with all tables; CI must have PostgreSQL, elsewhere one may go without."""
    with contextlib.ExitStack() as stack:
        try:
            address = stack.enter_context(own_database(migrated=True))
        except psycopg.OperationalError as error:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no PostgreSQL: {error}")
        yield address


@pytest.fixture
def person(db, django_user_model):
    return lambda name: django_user_model.objects.create_user(name, password=f"{name}-pass-phrase")


@pytest.fixture
def alice(person):
    return person("alice")


@pytest.fixture
def bob(person):
    return person("bob")


@pytest.fixture
def charlie(person):
    return person("charlie")


@pytest.fixture
def project(alice, bob):
    """Made by the same service that the form and the command call."""
    from annotate.models import Role
    from annotate.services.project import add_member, create_project

    project = create_project(slug="answers", name="Answers", actor=alice)
    add_member(project=project, user=bob, role=Role.ANNOTATOR, actor=alice)
    return project


@pytest.fixture
def researcher(person, project):
    """Rita looks into the models of the project and manages nothing."""
    from annotate.models import Role
    from annotate.services.project import add_member

    rita = person("rita")
    add_member(project=project, user=rita, role=Role.RESEARCHER)
    return rita


@pytest.fixture
def client_of(client):
    """client_of(alice) is a browser in which Alice has signed in."""

    def signed_in(user):
        browser = type(client)()
        browser.force_login(user)
        return browser

    return signed_in
