"""Every route × every role × every method, generated from the URL table. A route without a rule fails."""

import re
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.urls import get_resolver, reverse
from django.utils import timezone

from annotate.models import Assignment, Invite, Item, Response, Role, Task
from annotate.models.project import token_hash
from annotate.services.project import add_member, create_project
from config.asgi import application
from worker.models import Job, Snapshot, Version
from worker.urls import websocket_urlpatterns

METHODS = ("GET", "POST", "DELETE")
PEOPLE = ("anonymous", "stranger", *Role.values, "superuser")
TOKEN = "known-to-the-link-alone"
RIGHTS = {  # said here once more, so that a slip in annotate.access is found
    "annotator": {"see", "judge"},
    "reviewer": {"see", "judge", "review", "decide"},
    "researcher": {"see", "review", "research"},
    "admin": {"see", "judge", "review", "decide", "research", "manage"},
}


@dataclass(frozen=True)
class Rule:
    """Who may, by which methods, on an object of which kind ("" when the route names the project alone)."""

    right: str  # a right of annotate.access, or: public, signed in, superuser
    methods: str
    kind: str = ""
    sends: str = ""  # a kind whose id travels in the query or the form


RULES = {
    "annotate:home": Rule("signed in", "GET"),
    "annotate:login": Rule("public", "GET POST"),
    "annotate:logout": Rule("signed in", "POST"),
    "annotate:keys": Rule("signed in", "GET POST"),
    "annotate:password": Rule("signed in", "GET POST"),
    "annotate:invite": Rule("public", "GET POST", "token"),
    "annotate:new_project": Rule("superuser", "GET POST"),
    "annotate:project": Rule("see", "GET"),
    "annotate:settings": Rule("manage", "GET POST"),
    "annotate:schema": Rule("manage", "GET POST"),
    "annotate:schema_preview": Rule("manage", "POST"),
    "annotate:schema_tasks": Rule("manage", "POST"),
    "annotate:members": Rule("manage", "GET"),
    "annotate:invite_create": Rule("manage", "POST"),
    "annotate:invite_revoke": Rule("manage", "POST", "invite"),
    "annotate:member_role": Rule("manage", "POST", "member"),
    "annotate:member_remove": Rule("manage", "POST", "member"),
    "annotate:next": Rule("judge", "GET"),
    "annotate:judge": Rule("judge", "GET", "assignment"),
    "annotate:submit": Rule("judge", "POST", "assignment"),
    "annotate:draft": Rule("judge", "POST", "assignment"),
    "annotate:skip": Rule("judge", "POST", "assignment"),
    "annotate:heartbeat": Rule("judge", "POST", "assignment"),
    "annotate:items": Rule("review", "GET"),
    "annotate:item": Rule("review", "GET", "item"),
    "annotate:export": Rule("research", "GET"),
    "annotate:export_file": Rule("research", "GET"),
    "worker:import": Rule("manage", "GET POST"),
    "worker:jobs": Rule("research", "GET"),
    "worker:job": Rule("research", "GET", "job"),
    "worker:job_events": Rule("research", "GET", "job"),
    "worker:job_cancel": Rule("manage", "POST", "job"),
    "worker:job_retry": Rule("manage", "POST", "job"),
    "worker:train": Rule("manage", "GET POST"),
    "worker:versions": Rule("research", "GET"),
    "worker:version": Rule("research", "GET", "version"),
    "worker:promote": Rule("manage", "POST", "version"),
    "worker:archive": Rule("manage", "POST", "version"),
    "worker:score": Rule("manage", "POST", "version"),
    "inspector:heatmap": Rule("research", "GET", "version", sends="item"),
    "inspector:explain": Rule("research", "POST", "version", sends="item"),
    "inspector:length": Rule("research", "GET", "version"),
    "inspector:drift": Rule("research", "GET", "version"),
}


def routes(patterns=None, namespace=""):
    """(name, names of its arguments) of every route of ours."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(pattern, "url_patterns"):
            if pattern.namespace != "admin":  # Django's, tested by Django; ours is test_djangos_admin_…
                yield from routes(pattern.url_patterns, f"{pattern.namespace}:")
        else:
            yield f"{namespace}{pattern.name}", tuple(pattern.pattern.converters)


ROUTES = dict(routes())


def test_every_route_has_a_rule_and_every_rule_a_route():
    assert set(ROUTES) == set(RULES)


@dataclass
class Place:
    """A project and, by kind, the id or number of one object in it."""

    project: object
    ids: dict = field(default_factory=dict)
    assignments: dict = field(default_factory=dict)  # by user name

    def url(self, name, user, ids=None):
        """The route in this project, with the ids of another one if given; assignments are the user's own."""
        values = {"slug": self.project.slug}
        for argument in ROUTES[name]:
            if argument != "slug":
                kind, source = RULES[name].kind, ids or self.ids
                own = (self.assignments if ids is None else {}).get(user and user.username)
                values[argument] = (kind == "assignment" and own) or source[kind]
        query = f"?{kind}={self.ids[kind]}" if (kind := RULES[name].sends) else ""
        return reverse(name, kwargs={key: values[key] for key in ROUTES[name]}) + query


def furnish(project, members, number, token):
    """One object of each kind, and an assignment for each member who may judge."""
    item = Item.objects.create(
        project=project, key="k", turns=[{"role": "user", "content": "why?"}], prompt_sha256="p", split="train"
    )
    pair = [Response.objects.create(item=item, index=i, text=f"because {i}", sha256=str(i)) for i in (0, 1)]
    task = Task.objects.create(project=project, item=item, key="k", slots=9, open_slots=5)
    task.responses.set(pair)
    soon, order = timezone.now() + timedelta(hours=1), [r.pk for r in pair]
    lease = {"task": task, "shown_order": order, "leased_at": timezone.now(), "expires_at": soon}
    own = {user.username: Assignment.objects.create(rater=user, **lease).pk for user in members}
    snapshot = Snapshot.objects.create(project=project, sha256=project.slug, counts={})
    about = {"recipe": {"name": "heads"}, "backbone": "minilm", "encode_hash": "h", "heads": ["preference"]}
    version = Version.objects.create(project=project, number=number, snapshot=snapshot, file="none", **about)
    invite = Invite.objects.create(project=project, role="annotator", token_sha256=token_hash(token), expires_at=soon)
    job = Job.objects.create(project=project, kind="train", state="failed", version=version)
    ids = {"item": item.pk, "invite": invite.pk, "job": job.pk, "version": number, "token": token}
    ids |= {"member": project.memberships.last().pk, "assignment": next(iter(own.values()), 0)}
    return Place(project, ids, own)


@dataclass
class World:
    here: Place
    there: Place
    people: dict


@pytest.fixture
def world(project, alice, person, django_user_model):
    people = {name: person(name) for name in ("stranger", *Role.values)}
    people |= {"anonymous": None, "superuser": django_user_model.objects.create_superuser("superuser")}
    for role in Role.values:
        add_member(project=project, user=people[role], role=role)
    may_judge = [people[role] for role in Role.values if "judge" in RIGHTS[role]] + [people["superuser"]]
    other = create_project(slug="others", name="Others", actor=alice)
    there = furnish(other, [alice], 77, "of-another-project")
    return World(furnish(project, may_judge, 1, TOKEN), there, people)


def answer(client, user, method, url):
    """The status and where it leads; what the request did is undone."""
    browser = type(client)()
    if user:
        browser.force_login(user)
    with transaction.atomic():
        response = browser.generic(method, url, url.partition("?")[2], "application/x-www-form-urlencoded")
        transaction.set_rollback(True)
    return response.status_code, response.headers.get("Location", "")


def allowed(rule, who):
    """True, or the status of the refusal."""
    if rule.right in ("public", "signed in") or who == "superuser":
        return True
    if rule.right == "superuser":
        return 403
    if who == "stranger":
        return 404
    return rule.right in RIGHTS[who] or 403


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_who_may_do_what(client, world, name):
    rule = RULES[name]
    for who in PEOPLE:
        user = world.people[who]
        for method in METHODS:
            status, to = answer(client, user, method, world.here.url(name, user))
            told = f"{who} {method} {name}: {status}"
            if who == "anonymous" and rule.right != "public":
                assert to.startswith("/login/"), told
            elif method not in rule.methods:
                assert status == 405, told
            elif (verdict := allowed(rule, who)) is not True:
                assert status == verdict, told
            else:
                assert status not in (401, 403, 404, 405), told
                assert status < 500, told


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if RULES[name].kind and "slug" in ROUTES[name]))
def test_what_belongs_to_another_project_is_not_found_here(client, world, name):
    for who in ("admin", "superuser"):
        user = world.people[who]
        for method in RULES[name].methods.split():
            url = world.here.url(name, user, ids=world.there.ids)
            assert answer(client, user, method, url)[0] == 404, f"{who} {method} {url}"


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if RULES[name].sends))
def test_what_is_asked_for_must_be_of_this_project(client, world, name):
    rule, admin = RULES[name], world.people["admin"]
    url = world.here.url(name, admin).partition("?")[0] + f"?{rule.sends}={world.there.ids[rule.sends]}"
    assert answer(client, admin, rule.methods, url)[0] == 404


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if RULES[name].kind == "assignment"))
def test_an_assignment_is_its_raters_alone(client, world, name):
    url = world.here.url(name, world.people["annotator"])
    for who in ("reviewer", "admin", "superuser"):
        for method in RULES[name].methods.split():
            assert answer(client, world.people[who], method, url)[0] == 404, f"{who} {method} {url}"


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if "slug" in ROUTES[name]))
def test_a_stranger_cannot_tell_a_project_from_none(client, world, name):
    stranger, place = world.people["stranger"], world.here
    method = RULES[name].methods.split()[0]
    real = place.url(name, stranger)
    invented = real.replace(f"/{place.project.slug}/", "/no-such-project/")
    browser = type(client)()
    browser.force_login(stranger)
    pages = [re.sub(r"\w{64}", "CSRF", browser.generic(method, url).content.decode()) for url in (real, invented)]
    assert pages[0] == pages[1]
    assert "Not found" in pages[0]


async def opens(user, job):
    """Whether the socket lets this person in."""
    talk = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/jobs/{job}/?after=0")
    talk.scope["user"] = user or AnonymousUser()
    connected, _ = await talk.connect()
    await talk.disconnect()
    return connected


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_who_may_watch_a_job_over_the_socket(world):
    job, there = world.here.ids["job"], world.there.ids["job"]
    for who in PEOPLE:
        may = who not in ("anonymous", "stranger") and allowed(RULES["worker:job"], who) is True
        assert await opens(world.people[who], job) is may, who
    assert await opens(world.people["admin"], there) is False
    assert await opens(world.people["superuser"], 10**9) is False


@pytest.mark.asyncio
async def test_the_socket_refuses_pages_of_other_sites():
    talk = WebsocketCommunicator(application, "/ws/jobs/1/", headers=[(b"origin", b"https://evil.example")])
    assert (await talk.connect())[0] is False
