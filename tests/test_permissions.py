"""Every route × every role × every method, generated from the URL table. A route without a rule fails."""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client, override_settings
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
    User,
)
from annotate.models.project import token_hash
from annotate.services.access_token import create_machine_token, create_token
from annotate.services.member import remove_member
from annotate.services.project import add_member, create_project
from tests.inspector.making import make_pool
from worker.models import Job, Snapshot, Suite, Sweep, Version
from worker.services.scored_file import in_store
from worker.services.serve_token import create_serve_token
from worker.services.webhook import create_webhook

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
    "metrics": Rule("superuser", "GET"),
    "annotate:home": Rule("signed in", "GET"),
    "annotate:login": Rule("public", "GET POST"),
    "annotate:logout": Rule("signed in", "POST"),
    "annotate:keys": Rule("signed in", "GET POST"),
    "annotate:password": Rule("signed in", "GET POST"),
    "annotate:code": Rule("public", "GET POST"),
    "annotate:account": Rule("signed in", "GET"),
    "annotate:tokens": Rule("signed in", "GET POST"),
    "annotate:token_revoke": Rule("signed in", "POST", "own_token"),
    "annotate:second_factor_start": Rule("signed in", "POST"),
    "annotate:second_factor_finish": Rule("signed in", "POST"),
    "annotate:second_factor_codes": Rule("signed in", "POST"),
    "annotate:second_factor_off": Rule("signed in", "POST"),
    "annotate:sign_out_everywhere": Rule("signed in", "POST"),
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
    "annotate:audit": Rule("manage", "GET"),
    "annotate:audit_file": Rule("manage", "GET"),
    "annotate:site_audit": Rule("superuser", "GET"),
    "annotate:site_audit_file": Rule("superuser", "GET"),
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
    "worker:my_data": Rule("signed in", "GET"),
    "worker:my_file": Rule("signed in", "GET"),
    "worker:people": Rule("superuser", "GET"),
    "worker:person": Rule("superuser", "GET", "person"),
    "worker:person_file": Rule("superuser", "GET", "person"),
    "worker:person_erase": Rule("superuser", "POST", "person"),
    "worker:webhooks": Rule("manage", "GET"),
    "worker:webhook_create": Rule("manage", "POST"),
    "worker:webhook": Rule("manage", "GET", "webhook"),
    "worker:webhook_ping": Rule("manage", "POST", "webhook"),
    "worker:webhook_switch": Rule("manage", "POST", "webhook"),
    "worker:webhook_secret": Rule("manage", "POST", "webhook"),
    "worker:webhook_remove": Rule("manage", "POST", "webhook"),
    "worker:delivery_again": Rule("manage", "POST", "delivery"),
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
            # admin is Django's; api goes by token, not by session: tests/annotate/api, tests/worker/api
            if pattern.namespace not in ("admin", "api"):
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
        project=project, key="k", turns=[{"role": "user", "content": "why?"}], prompt_sha256="p" * 64, split="train"
    )
    pair = [Response.objects.create(item=item, index=i, text=f"because {i}", sha256=str(i) * 64) for i in (0, 1)]
    task = Task.objects.create(project=project, item=item, key="k", slots=9, open_slots=5)
    task.responses.set(pair)
    soon, order = timezone.now() + timedelta(hours=1), [r.pk for r in pair]
    lease = {"task": task, "shown_order": order, "leased_at": timezone.now(), "expires_at": soon}
    own = {user.username: Assignment.objects.create(rater=user, **lease).pk for user in members}
    snapshot = Snapshot.objects.create(project=project, sha256=project.slug[:1] * 64, counts={})
    about = {"recipe": {"name": "heads"}, "backbone": "minilm", "encode_hash": "e" * 64}
    about |= {"file_sha256": "f" * 64, "heads": ["preference"]}
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
    ids |= {"graded": next(iter(graded.values()))}
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
    scored = settings.ARTIFACT_DIR / in_store(project.slug)
    scored.parent.mkdir(parents=True, exist_ok=True)
    scored.write_text("{}")
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
    machine = create_machine_token(project=project, name="model")[0]
    return {"task": task.pk, "judgement": judgement.pk, "comment": comment.pk, "machine": machine.pk}


def furnish_rounds(project):
    """A suite, somebody's withdrawal, the rater of furnish_review, and a webhook with its ping."""
    withdrawn = {"who": "name:x", "judgements": 0, "why": "x", "at": timezone.now().isoformat()}
    event = Event.objects.create(project=project, kind="judgement.withdrawn", subject="x", data=withdrawn)
    suite = Suite.objects.create(project=project, name="core")
    hook, _ = create_webhook(project=project, url="https://example.org/", kinds=["job.done"])
    told = {"person": project.memberships.first().user_id, "webhook": hook.pk, "delivery": hook.deliveries.get().pk}
    return told | {"suite": suite.pk, "withdrawal": event.pk, "who": f"name:{project.slug}"}


@dataclass
class World:
    here: Place
    there: Place
    people: dict
    sessions: dict = field(default_factory=dict)  # by the user's id
    folder: Path | None = None  # of artifacts, where it stands for more than one test


def make_world(project, alice, new, superuser):
    """People of every role beside what they may or may not reach; new(name) makes an account."""
    people = {name: new(name) for name in ("stranger", *Role.values)}
    people |= {"anonymous": None, "superuser": superuser}
    for role in Role.values:
        add_member(project=project, user=people[role], role=role)
    may_judge = [people[role] for role in Role.values if "judge" in RIGHTS[role]] + [people["superuser"]]
    other = create_project(slug="others", name="Others", actor=alice)
    there = furnish(other, [alice], 77, "of-another-project")
    here = furnish(project, may_judge, 1, TOKEN)
    here.own["own_token"] = {user.username: own_token(user) for user in filter(None, people.values())}
    here.ids["own_token"] = own_token(alice)
    return World(here, there, people)


@pytest.fixture
def world(project, alice, person, django_user_model):
    return make_world(project, alice, person, django_user_model.objects.create_superuser("superuser"))


@pytest.fixture(scope="module")
def standing_world(django_db_setup, django_db_blocker, tmp_path_factory):
    """One for the tests that undo what their requests do, with a browser signed in by each of its people."""
    folder = tmp_path_factory.mktemp("standing")
    with django_db_blocker.unblock(), transaction.atomic(), override_settings(ARTIFACT_DIR=folder):
        alice, bob = map(User.objects.create_user, ("alice", "bob"))
        project = create_project(slug="answers", name="Answers", actor=alice)
        add_member(project=project, user=bob, role=Role.ANNOTATOR, actor=alice)
        world = make_world(project, alice, User.objects.create_user, User.objects.create_superuser("superuser"))
        world.sessions = {user.pk: session_of(user) for user in world.people.values() if user}
        world.folder = folder
        yield world
        transaction.set_rollback(True)


@pytest.fixture
def standing(standing_world, db, settings):
    settings.ARTIFACT_DIR = standing_world.folder
    people, sessions = dict(standing_world.people), dict(standing_world.sessions)
    return replace(standing_world, people=people, sessions=sessions)


def session_of(user):
    browser = Client()
    browser.force_login(user)
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


def own_token(user):
    return create_token(user=user, name="x", scopes=["see"], expires_at=None)[0].pk


@pytest.fixture
def answer(standing):
    """answer(user, method, url) → the status and where it leads; what the request did is undone."""

    def send(user, method, url):
        browser = browser_in(standing, user)
        with transaction.atomic():
            response = browser.generic(method, url, url.partition("?")[2], "application/x-www-form-urlencoded")
            transaction.set_rollback(True)
        return response.status_code, response.headers.get("Location", "")

    return send


def browser_in(world, user):
    """A new one, in which the user has signed in."""
    browser = Client()
    if user:
        browser.cookies[settings.SESSION_COOKIE_NAME] = world.sessions[user.pk]
    return browser


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
def test_who_may_do_what(answer, standing, name):
    rule = RULES[name]
    for who in PEOPLE:
        user = standing.people[who]
        for method in METHODS:
            status, to = answer(user, method, standing.here.url(name, user))
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
def test_what_belongs_to_another_project_is_not_found_here(answer, standing, name):
    for who in ("admin", "superuser"):
        user = standing.people[who]
        for method in RULES[name].methods.split():
            url = standing.here.url(name, user, ids=standing.there.ids)
            assert answer(user, method, url)[0] == 404, f"{who} {method} {url}"


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if RULES[name].sends))
def test_what_is_asked_for_must_be_of_this_project(answer, standing, name):
    rule, admin = RULES[name], standing.people["admin"]
    url = standing.here.url(name, admin).partition("?")[0] + f"?{rule.sends}={standing.there.ids[rule.sends]}"
    assert answer(admin, rule.methods, url)[0] == 404


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if RULES[name].kind in ("assignment", "graded")))
def test_an_assignment_is_its_raters_alone(answer, standing, name):
    url = standing.here.url(name, standing.people["annotator"])
    for who in ("reviewer", "admin", "superuser"):
        for method in RULES[name].methods.split():
            assert answer(standing.people[who], method, url)[0] == 404, f"{who} {method} {url}"


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if "slug" in ROUTES[name]))
def test_a_stranger_cannot_tell_a_project_from_none(standing, name):
    stranger, place = standing.people["stranger"], standing.here
    method = RULES[name].methods.split()[0]
    real = place.url(name, stranger)
    invented = real.replace(f"/{place.project.slug}/", "/no-such-project/")
    browser = browser_in(standing, stranger)
    pages = [re.sub(r"\w{64}", "CSRF", browser.generic(method, url).content.decode()) for url in (real, invented)]
    assert pages[0] == pages[1]
    assert "Not found" in pages[0]


HTMX = {"HX-Request": "true"}


@pytest.fixture
def ask(standing):
    """ask(who, method, url) → the status; what a request did is undone."""

    def send(who, method, url, **options):
        with transaction.atomic():
            status = browser_in(standing, standing.people[who]).generic(method, url, **options).status_code
            transaction.set_rollback(True)
        return status

    return send


def test_no_other_method_is_answered(ask, standing):
    for name in ROUTES:
        for method in ("PUT", "PATCH", "OPTIONS"):
            assert ask("superuser", method, standing.here.url(name, None)) == 405, f"{method} {name}"


def test_a_head_is_refused_as_its_page_is(ask, standing):
    for name in (name for name in ROUTES if "GET" in RULES[name].methods and name != "metrics"):  # by GET alone
        for who in ("stranger", "annotator"):
            verdict, status = allowed(RULES[name], who), ask(who, "HEAD", standing.here.url(name, standing.people[who]))
            assert status == verdict if verdict is not True else status < 400, f"{who} {name}: {status}"


def test_a_fragment_is_refused_as_its_page_is(ask, standing):
    """htmx asks for parts of pages: by the same view, past the same line."""
    for name in (name for name in ROUTES if RULES[name].right not in ("public", "signed in")):
        method = RULES[name].methods.split()[0]
        for who in ("stranger", "annotator"):
            verdict, url = allowed(RULES[name], who), standing.here.url(name, standing.people[who])
            if verdict is not True:
                assert ask(who, method, url, headers=HTMX) == verdict, f"{who} {name}"


def test_whoever_was_removed_finds_nothing_any_more(ask, standing):
    """Not by the page that is still open in a tab, nor by the address of what was theirs."""
    project, user = standing.here.project, standing.people["admin"]
    urls = {name: standing.here.url(name, user) for name in ROUTES if "slug" in ROUTES[name]}
    remove_member(member=project.memberships.get(user=user), actor=standing.people["superuser"])
    for name, url in urls.items():
        for method in RULES[name].methods.split():
            assert ask("admin", method, url, headers=HTMX) == 404, f"{method} {name}"


def test_a_project_that_is_paused_is_no_more_open_and_no_less(ask, standing):
    Project.objects.filter(pk=standing.here.project.pk).update(paused=True)
    for name in (name for name in ROUTES if RULES[name].methods.startswith("GET") and "slug" in ROUTES[name]):
        for who in ("stranger", "annotator"):
            verdict, status = allowed(RULES[name], who), ask(who, "GET", standing.here.url(name, standing.people[who]))
            assert status == verdict if verdict is not True else status < 400, f"{who} {name}: {status}"


def test_an_account_that_was_closed_is_nobodys(ask, standing):
    """The session that is still there opens nothing."""
    admin = standing.people["admin"]
    assert ask("admin", "GET", "/") == 200
    type(admin).objects.filter(pk=admin.pk).update(is_active=False)
    for name in ("annotate:home", "annotate:project", "annotate:settings"):
        assert ask("admin", "GET", standing.here.url(name, None)) == 302, name


def test_djangos_admin_is_for_superusers_alone(ask, standing, person):
    """Whatever rights of Django's own somebody has: it shows every project's rows."""
    standing.people["staff"] = staff = person("staff")
    staff.is_staff = True
    staff.save()
    staff.user_permissions.set(Permission.objects.all())
    standing.sessions[staff.pk] = session_of(staff)
    models = [f"{model._meta.app_label}_{model._meta.model_name}_changelist" for model in site._registry]
    for name in ("index", *models):
        page = reverse(f"admin:{name}")
        assert ask("superuser", "GET", page) == 200
        for who in ("anonymous", "admin", "staff"):
            assert ask(who, "GET", page) in (302, 403), f"{who} {page}"
    assert ask("staff", "GET", reverse("admin:login")) == 403
