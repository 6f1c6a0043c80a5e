import json

import pytest
from django.core.management import call_command

from annotate.models import Event, Project, Span, Task, User
from annotate.models.judgement import Source
from annotate.services.queue import lease_next
from annotate.world import make_world
from worker.models import Candidate, Job
from worker.services.demo import create_demo


@pytest.fixture(scope="module")
def world():
    return make_world(questions=25, pool=2, candidates=5, open_pairs=30)


@pytest.fixture
def made(db, world):
    return create_demo(world)


@pytest.fixture
def project(made):
    return Project.objects.get(slug="demo")


def test_three_accounts_can_sign_in_with_their_roles(made, project, client):
    assert set(made["accounts"]) == {"annotator", "researcher", "admin"}
    for name, password in made["accounts"].items():
        assert client.login(username=name, password=password)
        assert project.memberships.get(user__username=name).role == name
    assert len(set(made["accounts"].values())) == 3


def test_the_world_is_in_the_database(project, world):
    assert project.items.count() == 25
    stored = {r.text: r.metadata for item in project.items.all() for r in item.responses.all()}
    for question in world.questions:
        for answer in question.answers:
            assert stored[answer.text]["gold"] == answer.gold
            assert len(stored[answer.text]["flaws"]) == len(answer.flaws)


def test_simulated_judgements_are_whole(project, world):
    judgements = project.judgements.filter(source=Source.SIMULATED)
    assert judgements.count() == len(world.verdicts)
    assert Span.objects.filter(judgement__in=judgements).count() == sum(
        len(marks) for verdict in world.verdicts for marks in verdict.spans.values()
    )
    assert {len(j.ratings) for j in judgements} == {2}
    assert set(judgements.values_list("rater_name", flat=True)) == {v.rater for v in world.verdicts}


def test_open_pairs_are_left_for_people(project, world):
    left = Task.objects.filter(project=project).open()
    assert left.count() == len(world.open_pairs) == 30
    assert not left.filter(judgements__isnull=False).exists()
    assert lease_next(project=project, user=User.objects.get(username="annotator")).task in left


def test_the_pool_has_its_gold(project, world):
    candidates = Candidate.objects.filter(pool__project=project)
    assert sorted(c.gold for c in candidates) == sorted(a.gold for q in world.pool for a in q.answers)
    assert candidates.values("prompt_sha256").distinct().count() == 2


def test_the_first_training_waits_in_the_queue(made, project):
    job = Job.objects.get(pk=made["job"])
    assert (job.project, job.kind, job.state) == (project, "train", "queued")


def test_the_ledger_holds_what_was_planted(project):
    planted = Event.objects.get(project=project, kind="world.written").data
    assert planted["order_gamma"] == pytest.approx(0.4)


def test_a_second_time_changes_nothing_and_tells_no_password(made, world):
    assert create_demo(world) == {"created": False, "project": "demo", "accounts": {}, "job": None}
    assert Job.objects.count() == 1


def test_an_account_that_is_there_keeps_its_password(db, world, client):
    User.objects.create_user("admin", password="chosen-by-the-owner")
    assert "admin" not in create_demo(world)["accounts"]
    assert client.login(username="admin", password="chosen-by-the-owner")


def test_the_command_prints_one_object(made, capsys):
    call_command("demo", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["created"] is False
    assert told["truth"]["tie_theta"] == 1.5
