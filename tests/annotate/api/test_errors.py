"""Whatever goes wrong is told as JSON of one shape."""

import json
import re

import pytest
from django.urls import resolve

from annotate.api.once import IdempotencyKey
from tests.annotate.api.test_auth import PROJECT, told

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/nothing", "/projects/answers/nothing", "/projects/-%00-", "/projects/", "/"])
def test_an_address_that_is_none_is_404(api, project, alice, path):
    assert told(api(alice).get(path))[0] == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "head", "options"])
def test_a_wrong_method_is_405_and_says_which_there_are(api, project, alice, method):
    response = api(alice).ask(method, PROJECT)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")
    assert response.headers["Content-Type"] == "application/json"


def test_what_breaks_is_a_500_that_tells_nothing(api, project, alice, monkeypatch, settings):
    def broken(*_):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("annotate.api.projects.project_for_token", broken)
    for debug in (False, True):
        settings.DEBUG = debug
        response = api(alice).get(PROJECT)
        assert told(response) == (500, "Internal Server Error.")
        assert "secret" not in response.content.decode()


def test_a_host_that_is_not_ours_is_refused_as_json(api, project, alice):
    mine = api(alice)
    assert told(mine.ask("get", PROJECT, headers={"Host": "evil.example"}))[0] == 400


def test_a_page_is_still_refused_with_a_page(client):
    assert client.get("/nothing/").headers["Content-Type"].startswith("text/html")


# ---- Queries


@pytest.mark.parametrize(
    "name", ["owner", "memberships__user__password", "pk__in", "cursor__gt", "limit__lt", "project__tokens__sha256", ""]
)
def test_an_unknown_filter_is_refused_and_those_there_are_named(api, project, alice, name):
    response = api(alice).get("/projects", **{name: "1"})
    assert told(response)[0] == 422
    [error] = response.json()["errors"]
    assert error == {"field": name, "message": "There is no such parameter here; there are: cursor, limit."}


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "", "9" * 30, "1.5"])
def test_a_limit_that_is_none_is_told_at_its_field(api, project, alice, limit):
    response = api(alice).get("/projects", limit=limit)
    assert told(response)[0] == 422
    assert response.json()["errors"][0]["field"] == "limit"


def test_the_schema_is_for_everybody_and_names_each_operation_once(client):
    schema = client.get("/api/v1/openapi.json").json()
    ids = [op["operationId"] for path in schema["paths"].values() for op in path.values()]
    assert len(ids) == len(set(ids))
    assert schema["components"]["securitySchemes"]["Bearer"]["scheme"] == "bearer"
    for path in schema["paths"]:
        assert resolve(re.sub(r"\{\w+\}", "1", path)).namespaces == ["api"]


def test_nothing_is_kept_of_a_request_without_a_key(api, alice):
    api(alice).post("/projects")
    assert not IdempotencyKey.objects.exists()


def test_a_refusal_without_a_field_has_a_sentence_alone(api, project, alice):
    response = api(alice).get("/projects", cursor="nonsense")
    assert told(response)[0] == 422
    assert json.loads(response.content)["errors"][0]["field"] == "cursor"
