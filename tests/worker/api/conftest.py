"""Programs that talk to the API, each by a person's token."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from annotate.access import RIGHTS
from annotate.models import Role
from annotate.services.access_token import create_token
from tests.inspector import making

JOBS = "/projects/answers/jobs"


class Program:
    """get and post answer (status, what the JSON says); `raw` gives the response itself."""

    def __init__(self, user, *scopes, days=1):
        ends = timezone.now() + timedelta(days=days)
        self.token, self.secret = create_token(user=user, name="test", scopes=scopes, expires_at=ends)
        self.client = Client(headers={"Authorization": f"Bearer {self.secret}"})

    def raw(self, method, path, body=None, kind="application/json", **headers):
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, f"/api/v1{path}", data, kind, headers=headers)

    def get(self, path, **query):
        response = self.client.get(f"/api/v1{path}", query)
        return response.status_code, response.json()

    def post(self, path, body=None, kind="application/json", **headers):
        response = self.raw("POST", path, body, kind, **headers)
        return response.status_code, response.json()


@pytest.fixture(autouse=True)
def _uncounted():
    """What one test has spent of its rate, the next has not."""
    cache.clear()


@pytest.fixture
def program():
    """program(alice) acts for Alice with all rights, program(alice, "see") with one."""
    return lambda user, *scopes, **how: Program(user, *(scopes or RIGHTS[Role.ADMIN]), **how)


@pytest.fixture
def api(program, alice, project):
    return program(alice)


@pytest.fixture
def version(project):
    return making.make_version(project)


@pytest.fixture
def oder(project):
    return making.make_item(project, "Where does the Oder end?", "In the Baltic Sea.", "In the North Sea.")
