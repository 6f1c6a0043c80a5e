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

from annotate.models import (
    Assignment,
    Case,
    Comment,
    Event,
    GuidelineVersion,
    Invite,
    Item,
    Judgement,
    KnownAnswer,
    Project,
    Response,
    Role,
    Task,
)
from annotate.models.project import token_hash
from annotate.services.project import add_member, create_project
from annotate.services.token import create_token
from config.asgi import application
from tests.inspector.making import make_pool
from worker.models import Job, Snapshot, Suite, Sweep, Version
from worker.services.scored_file import result_path
from worker.services.serve_token import create_serve_token
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

    right: str  # a right of annotate.access, or: public, signed in, superuser, token
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
    "annotate:guidelines": Rule("see", "GET"),
    "annotate:guidelines_edit": Rule("manage", "GET POST"),
    "annotate:guidelines_version": Rule("see", "GET", "guidelines"),
    "annotate:guidelines_restore": Rule("manage", "POST", "guidelines"),
    "annotate:example": Rule("see", "GET", "example"),
    "annotate:schema": Rule("manage", "GET POST"),
    "annotate:schema_preview": Rule("manage", "POST"),
    "annotate:schema_tasks": Rule("manage", "POST"),
    "annotate:review": Rule("review", "GET"),
    "annotate:case": Rule("review", "GET", "task"),
    "annotate:decide": Rule("decide", "POST", "task"),
    "annotate:dismiss": Rule("decide", "POST", "task"),
    "annotate:reopen": Rule("decide", "POST", "task"),
    "annotate:reveal": Rule("manage", "POST", "task"),
    "annotate:decision": Rule("decide", "GET", "assignment"),
    "annotate:comment": Rule("review", "POST", "task"),
    "annotate:comment_delete": Rule("see", "POST", "comment"),
    "annotate:outcomes": Rule("judge", "GET"),
    "annotate:outcome_comment": Rule("judge", "POST", "assignment"),
    "annotate:known": Rule("manage", "GET"),
    "annotate:known_add": Rule("manage", "GET POST", "judgement"),
    "annotate:known_retire": Rule("manage", "POST", "example"),
    "annotate:assign": Rule("manage", "POST"),
    "annotate:member_quota": Rule("manage", "POST", "member"),
    "annotate:member_again": Rule("manage", "POST", "member"),
    "annotate:machine_create": Rule("manage", "POST"),
    "annotate:machine_revoke": Rule("manage", "POST", "machine"),
    "annotate:members": Rule("manage", "GET"),
    "annotate:invite_create": Rule("manage", "POST"),
    "annotate:invite_revoke": Rule("manage", "POST", "invite"),
    "annotate:member_role": Rule("manage", "POST", "member"),
    "annotate:member_remove": Rule("manage", "POST", "member"),
    "annotate:next": Rule("judge", "GET"),
    "annotate:mine": Rule("judge", "GET"),
    "annotate:judge": Rule("judge", "GET", "assignment"),
    "annotate:submit": Rule("judge", "POST", "assignment"),
    "annotate:draft": Rule("judge", "POST", "assignment"),
    "annotate:skip": Rule("judge", "POST", "assignment"),
    "annotate:ahead": Rule("judge", "GET"),
    "annotate:unskip": Rule("judge", "POST", "assignment"),
    "annotate:flag": Rule("judge", "POST", "assignment"),
    "annotate:feedback": Rule("judge", "GET", "graded"),
    "annotate:heartbeat": Rule("judge", "POST", "assignment"),
    "annotate:machine_next": Rule("token", "POST"),
    "annotate:machine_submit": Rule("token", "POST", "fetched"),
    "annotate:machine_skip": Rule("token", "POST", "fetched"),
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
    "worker:job_resume": Rule("manage", "POST", "job"),
    "worker:job_lighter": Rule("manage", "POST", "job"),
    "worker:train": Rule("manage", "GET POST"),
    "worker:train_preview": Rule("manage", "GET POST"),
    "worker:queue": Rule("research", "GET"),
    "worker:sweeps": Rule("research", "GET"),
    "worker:sweep_new": Rule("manage", "GET POST"),
    "worker:sweep": Rule("research", "GET", "sweep"),
    "worker:sweep_cancel": Rule("manage", "POST", "sweep"),
    "worker:backbones": Rule("manage", "GET POST"),
    "worker:versions": Rule("research", "GET"),
    "worker:average": Rule("manage", "POST"),
    "worker:version": Rule("research", "GET", "version"),
    "worker:promote": Rule("manage", "POST", "version"),
    "worker:archive": Rule("manage", "POST", "version"),
    "worker:score": Rule("manage", "POST", "version"),
    "worker:export": Rule("manage", "POST", "version"),
    "worker:exported": Rule("research", "GET", "version"),
    "worker:transform": Rule("manage", "GET POST", "version"),
    "worker:pools": Rule("research", "GET"),
    "worker:pool_import": Rule("manage", "GET POST"),
    "worker:pool_score": Rule("manage", "POST", "pool", sends="version"),
    "worker:score_file": Rule("manage", "GET POST"),
    "worker:scored_file": Rule("manage", "GET", "scored"),
    "worker:serving": Rule("manage", "GET"),
    "worker:serve_token_create": Rule("manage", "POST"),
    "worker:serve_token_revoke": Rule("manage", "POST", "serve_token"),
    "inspector:best_of_n": Rule("research", "GET", "version", sends="pool"),
    "inspector:best_of_n_file": Rule("research", "GET", "version", sends="pool"),
    "worker:rounds": Rule("research", "GET"),
    "worker:round_policy": Rule("manage", "POST"),
    "worker:round_run": Rule("manage", "POST"),
    "worker:suites": Rule("research", "GET"),
    "worker:suite_import": Rule("manage", "POST"),
    "worker:suite_freeze": Rule("manage", "POST"),
    "worker:suite": Rule("research", "GET", "suite"),
    "worker:suite_run": Rule("manage", "POST", "suite"),
    "worker:suite_each": Rule("manage", "POST", "suite"),
    "worker:selection": Rule("research", "GET"),
    "worker:selection_policy": Rule("manage", "POST"),
    "worker:selection_stop": Rule("manage", "POST"),
    "worker:lineage": Rule("research", "GET"),
    "worker:version_lineage": Rule("research", "GET", "version"),
    "worker:judgement_lineage": Rule("research", "GET", "judgement"),
    "worker:rater_lineage": Rule("research", "GET", sends="who"),
    "worker:withdraw": Rule("manage", "POST"),
    "worker:restore": Rule("manage", "POST", "withdrawal"),
    "worker:rebuild": Rule("manage", "POST", "version"),
    "inspector:agreement": Rule("review", "GET"),
    "inspector:disputes": Rule("review", "GET"),
    "inspector:raters": Rule("review", "GET"),
    "inspector:heatmap": Rule("research", "GET", "version", sends="item"),
    "inspector:explain": Rule("research", "POST", "version", sends="item"),
    "inspector:explain_stop": Rule("research", "POST", "version", sends="item"),
    "inspector:whatif": Rule("research", "POST", "version", sends="item"),
    "inspector:length": Rule("research", "GET", "version"),
    "inspector:surface": Rule("research", "GET", "version"),
    "inspector:surface_count": Rule("research", "POST", "version"),
    "inspector:probe": Rule("research", "POST", "version"),
    "inspector:probe_stop": Rule("research", "POST", "version"),
    "inspector:calibration": Rule("research", "GET", "version"),
    "inspector:noise": Rule("research", "POST", "version"),
    "inspector:noise_stop": Rule("research", "POST", "version"),
    "inspector:marks": Rule("research", "GET", "version"),
    "inspector:marks_explain": Rule("research", "POST", "version"),
    "inspector:marks_stop": Rule("research", "POST", "version"),
    "inspector:marks_send": Rule("manage", "POST", "version"),
    "inspector:marks_undo": Rule("manage", "POST", "version"),
    "inspector:changed": Rule("research", "GET", "version"),
    "inspector:slices": Rule("research", "GET", "version"),
    "inspector:leaderboard": Rule("research", "GET"),
    "inspector:drift": Rule("research", "GET", "version"),
    "inspector:drift_of_pools": Rule("research", "GET", sends="pool"),
    "inspector:beside": Rule("research", "GET", "version"),
    "inspector:report": Rule("research", "GET", "version"),
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
    own: dict = field(default_factory=dict)  # kind: {user name: id}, of what is one person's alone

    def url(self, name, user, ids=None):
        """The route in this project, with the ids of another one if given; what is one person's alone is the user's."""
        values = {"slug": self.project.slug}
        for argument in ROUTES[name]:
            if argument != "slug":
                kind, source = RULES[name].kind, ids or self.ids
                own = self.own.get(kind, {}) if ids is None else {}
                values[argument] = own.get(user and user.username) or source[kind]
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
    sweep = Sweep.objects.create(
        project=project, snapshot=snapshot, backbone="minilm", recipe={"name": "heads"}, grid={}
    )
    job = Job.objects.create(project=project, kind="train", state="failed", version=version)
    ids = {"item": item.pk, "invite": invite.pk, "job": job.pk, "sweep": sweep.pk, "version": number, "token": token}
    ids |= furnish_training(project, item, number) | furnish_review(project, item, order)
    ids |= furnish_rounds(project)
    ids |= {
        "member": project.memberships.filter(user__is_machine=False).last().pk,
        "assignment": next(iter(own.values()), 0),
    }
    ids |= furnish_scores(project, version)
    graded = furnish_graded(project, item, members)
    ids |= {"graded": next(iter(graded.values())), "fetched": ids["assignment"]}
    return Place(project, ids, {"assignment": own, "graded": graded})


def furnish_graded(project, item, members):
    """A qualification task that each member has answered."""
    task = Task.objects.create(project=project, item=item, key="q", kind="qualification", slots=0, open_slots=0)
    KnownAnswer.objects.create(task=task, answer={"outcome": "tie"})
    now, own = timezone.now(), {}
    order = list(item.responses.values_list("pk", flat=True))
    for user in members:
        done = Assignment.objects.create(
            task=task, rater=user, kind="qualification", holds_slot=False, state="submitted", shown_order=order,
            leased_at=now, expires_at=now,
        )  # fmt: skip
        Judgement.objects.create(
            project=project, item=item, task=task, assignment=done, rater=user, kind="qualification", right=True,
            shown_order=order, outcome="tie", schema_version=1, texts_sha256={}, idempotency_key=f"q{user.pk}",
        )  # fmt: skip
        own[user.username] = done.pk
    return own


def furnish_scores(project, version):
    """A scored pool, the result of a scored file, and a token of a scorer."""
    pool = make_pool(project, version, {"p": [(0.5, 1.0), (0.25, 2.0)]})
    result_path("").mkdir(parents=True, exist_ok=True)
    result_path(project.slug).write_text("{}")
    scored = Job.objects.create(project=project, kind="file", state="done", result={"result": project.slug})
    return {"pool": pool.pk, "scored": scored.pk, "serve_token": create_serve_token(project=project, name="x")[0].pk}


def furnish_training(project, item, number):
    """Guidelines of that number, and a worked example."""
    GuidelineVersion.objects.create(project=project, number=number, body="Be kind.")
    Project.objects.filter(pk=project.pk).update(guidelines_number=number)
    task = Task.objects.create(project=project, item=item, key="x", kind="example", slots=0, open_slots=0)
    task.responses.set(item.responses.all())
    known = KnownAnswer.objects.create(task=task, answer={"outcome": "tie"})
    return {"guidelines": number, "example": known.pk}


def furnish_review(project, item, order):
    """A case, of a task that nobody is judging now, with a judgement and a comment; and a model's token."""
    task = Task.objects.create(project=project, item=item, key="r", slots=9, open_slots=0)
    task.responses.set(order)
    judgement = Judgement.objects.create(
        project=project, item=item, task=task, shown_order=order, outcome="tie", schema_version=1,
        texts_sha256={}, idempotency_key="k", rater_name=project.slug,
    )  # fmt: skip
    Case.objects.create(project=project, task=task)
    comment = Comment.objects.create(project=project, task=task, text="See here.")
    machine = create_token(project=project, name="model")[0]
    return {"task": task.pk, "judgement": judgement.pk, "comment": comment.pk, "machine": machine.pk}


def furnish_rounds(project):
    """A suite, somebody's withdrawal, and the rater of furnish_review."""
    withdrawn = {"who": "name:x", "judgements": 0, "why": "x", "at": timezone.now().isoformat()}
    event = Event.objects.create(project=project, kind="judgement.withdrawn", subject="x", data=withdrawn)
    suite = Suite.objects.create(project=project, name="core")
    return {"suite": suite.pk, "withdrawal": event.pk, "who": f"name:{project.slug}"}


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
            if rule.right == "token":  # who is signed in, and as what, means nothing
                assert status == (401 if method in rule.methods else 405), told
            elif who == "anonymous" and rule.right != "public":
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


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if RULES[name].kind in ("assignment", "graded")))
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
