"""Three people and one project: Alice administers it, Bob annotates in it, Charlie is a stranger."""

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _quick_and_private(settings, tmp_path):
    """Each test has its own artifact folders, and hashing passwords takes no time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ARTIFACT_DIR = tmp_path / "artifacts"
    settings.UPLOAD_DIR = tmp_path / "uploads"
    settings.BACKBONE_DIR = tmp_path / "backbones"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.fixture
def human_data():
    """The folder of real human feedback; a machine without it skips."""
    if not DATA.is_dir():
        pytest.skip(f"no real feedback at {DATA}")
    return DATA


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
def client_of(client):
    """client_of(alice) is a browser in which Alice has signed in."""

    def signed_in(user):
        browser = type(client)()
        browser.force_login(user)
        return browser

    return signed_in
