"""A program that shows a token: `api(bob, "see", "judge").get("/projects")`."""

import pytest
from django.test import Client

from annotate.services.access_token import create_token


class Api:
    """A client without a session; `secret` goes along with each request. Errors are answered, not raised."""

    def __init__(self, secret=None):
        self.secret, self.client = secret, Client(raise_request_exception=False)

    def ask(self, method, path, body=None, headers=None, **options):
        own = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        options = {"content_type": "application/json", "headers": own | (headers or {})} | options
        return getattr(self.client, method)(f"/api/v1{path}", **({} if body is None else {"data": body}), **options)

    def get(self, path, **query):
        own = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        return self.client.get(f"/api/v1{path}", query, headers=own)

    def post(self, path, body=None, **more):
        return self.ask("post", path, {} if body is None else body, **more)

    def put(self, path, body=None, **more):
        return self.ask("put", path, {} if body is None else body, **more)


@pytest.fixture(autouse=True)
def _uncounted():
    """What one test has spent of its rate, the next has not."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def api():
    """api(bob, "see") speaks with a new token of Bob's that has these scopes; all of them if none is named."""

    def speaking(user, *scopes, project=None, expires_at=None):
        wanted = scopes or ("see", "judge", "review", "decide", "research", "manage")
        token, secret = create_token(
            user=user, name="script", scopes=wanted, expires_at=expires_at, project=project, actor=user
        )
        spoken = Api(secret)
        spoken.token = token
        return spoken

    return speaking
