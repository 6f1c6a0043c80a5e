"""Every operation of the API × every role × every scope × both projects, from the schema. One without a rule fails."""

import json
from dataclasses import dataclass
from itertools import product

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from annotate.models import Role
from annotate.services.access_token import create_token
from tests.api_world import NAMED, OPERATIONS, SCHEMA, token_for, with_api
from tests.test_permissions import RIGHTS, world  # noqa: F401

PEOPLE = ("stranger", *Role.values, "superuser")
EVERY = ("see", "judge", "review", "decide", "research", "manage")
RULES = {  # operation: the right that it takes, in the project and of the token
    "list_projects": "see",
    "get_project": "see",
    "get_progress": "see",
    "get_guidelines": "see",
    "get_schema": "see",
    "check_items": "manage",
    "import_items": "manage",
    "list_items": "review",
    "get_item": "review",
    "lease_task": "judge",
    "get_task": "judge",
    "heartbeat": "judge",
    "save_draft": "judge",
    "submit_task": "judge",
    "skip_task": "judge",
    "list_judgements": "research",
    "export_judgements": "research",
    "list_jobs": "research",
    "get_job": "research",
    "watch_job": "research",
    "train": "manage",
    "cancel_job": "manage",
    "retry_job": "manage",
    "resume_job": "manage",
    "lighten_job": "manage",
    "list_versions": "research",
    "get_version": "research",
    "promote_version": "manage",
    "archive_version": "manage",
    "list_scores": "research",
    "stream_scores": "research",
    "score_responses": "manage",
    "score_texts": "manage",
    "list_scored": "manage",
    "stream_scored": "manage",
    "explain": "research",
    "list_attributions": "research",
    "get_attribution": "research",
    "list_suites": "research",
    "import_suite": "manage",
    "get_suite": "research",
    "run_suite": "manage",
    "get_results": "research",
}
# What passes as a request, where {} does not: (query, body).
SENT = {
    "explain": ("", {"responses": [1]}),
    "import_suite": ("?name=new", {}),
    "run_suite": ("", {"versions": [1]}),
    "save_draft": ("", {"answer": {}, "revision": 0}),
    "submit_task": ("", {"answer": {}}),
}
OF_A_PROJECT = sorted(name for name, (_, path) in OPERATIONS.items() if "{slug}" in path)
OF_A_THING = [name for name in OF_A_PROJECT if len(NAMED.findall(OPERATIONS[name][1])) > 1]
WRITING = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass
class Doors:
    """Two projects, people, and a token of all scopes for each."""

    here: object
    there: object
    people: dict
    secrets: dict
    client: Client  # one for all: a new one reads all middleware anew

    def ask(self, name, secret, values):
        """The status; what the request did is undone."""
        method, path = OPERATIONS[name]
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        query, body = SENT.get(name, ("", {}))
        url, data = path.format(**values) + query, json.dumps(body).encode()
        with transaction.atomic():
            answer = self.client.generic(method, url, data, "application/json", headers=headers)
            transaction.set_rollback(True)
        return answer.status_code

    def values(self, name, who):
        return self.here.values(OPERATIONS[name][1], self.people.get(who))


@pytest.fixture
def doors(world, settings):  # noqa: F811
    settings.API_RATE = "1000000/s"
    cache.clear()
    secrets = {who: token_for(world.people[who]) for who in PEOPLE}
    return Doors(with_api(world.here), with_api(world.there), world.people, secrets, Client())


def let_in(status):
    """Past the door, whatever the operation then says of an empty body."""
    return status < 500 and status not in (401, 403, 404, 405, 429)


def test_every_operation_has_a_rule_and_every_rule_an_operation():
    assert set(OPERATIONS) == set(RULES)


def test_who_may_do_what(doors):
    for name, who in product(OF_A_PROJECT, PEOPLE):
        status, right = doors.ask(name, doors.secrets[who], doors.values(name, who)), RULES[name]
        told = f"{who} {name}: {status}"
        if who == "stranger":
            assert status == 404, told
        elif who == "superuser" or right in RIGHTS[who]:
            assert let_in(status), told
        else:
            assert status == 403, told


def test_nobody_comes_in_without_a_good_token(doors):
    expired = token_for(doors.people["admin"], days=-1)
    for name, secret in product(OPERATIONS, ("", "ts_none", expired, doors.secrets["admin"] + "x")):
        assert doors.ask(name, secret, doors.values(name, "admin")) == 401, f"{name} {secret!r}"


def test_a_token_opens_what_its_scopes_say_and_no_more(doors):
    admin = doors.people["admin"]
    alone = {scope: token_for(admin, scope) for scope in EVERY}
    for name, scope in product(OPERATIONS, EVERY):
        status = doors.ask(name, alone[scope], doors.values(name, "admin"))
        assert let_in(status) if scope == RULES[name] else status == 403, f"{name} by {scope}: {status}"


def test_a_token_of_one_project_opens_no_other(doors):
    admin, other = doors.people["admin"], doors.there.place.project
    secret = create_token(user=admin, name="x", scopes=EVERY, expires_at=None, project=other)[1]
    for name in OF_A_PROJECT:
        assert doors.ask(name, secret, doors.values(name, "admin")) == 404, name


def test_what_belongs_to_another_project_is_not_found_here(doors):
    for name, who in product(OF_A_THING, ("admin", "superuser")):
        path = OPERATIONS[name][1]
        slug = {"slug": doors.here.place.project.slug}
        assert doors.ask(name, doors.secrets[who], doors.there.values(path) | slug) == 404, f"{who} {name}"


def test_a_task_is_its_raters_alone(doors):
    theirs = doors.people["annotator"]
    for name in (name for name, (_, path) in OPERATIONS.items() if "/tasks/{" in path):
        values = doors.here.values(OPERATIONS[name][1], theirs)
        for who in ("reviewer", "admin", "superuser"):
            assert doors.ask(name, doors.secrets[who], values) == 404, f"{who} {name}"


def test_a_stranger_cannot_tell_a_project_from_none(doors):
    for name in OF_A_PROJECT:
        invented = doors.values(name, "stranger") | {"slug": "no-such-project"}
        assert doors.ask(name, doors.secrets["stranger"], invented) == 404, name


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_schema_says_what_may_be_refused(name):
    method, path = OPERATIONS[name]
    operation = SCHEMA["paths"][path][method.lower()]
    named = {int(status) for status in operation["responses"]}
    wanted = {401, 403, 422, 429} | ({404} if "{" in path else set()) | ({409} if method in WRITING else set())
    assert wanted <= named
    assert operation["summary"]
    assert operation["security"] == [{"Bearer": []}]
    keyed = [one["name"] for one in operation.get("parameters", []) if one["in"] == "header"]
    assert keyed == (["Idempotency-Key"] if method in WRITING else [])
