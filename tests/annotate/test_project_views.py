import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotate.models import Assignment, Event, Item, Project, Response, Task
from annotate.services.guidelines import change_guidelines
from annotate.services.project import change_settings
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks

HOME, NEW = reverse("annotate:home"), reverse("annotate:new_project")
GENERAL = {"name": "Answers", "overlap": 1, "lease_minutes": 30, "gold_share": 0, "swap_share": 0, "pass_share": 0.8}


def url(name, *args):
    return reverse(f"annotate:{name}", args=["answers", *args])


@pytest.fixture
def tasks(project):
    """Three items of two responses: three tasks of one slot."""
    for n in range(3):
        turns = [{"role": "user", "content": f"question {n}"}]
        item = Item.objects.create(project=project, key=str(n), turns=turns, prompt_sha256=f"{n:064}", split="train")
        for index in range(2):
            Response.objects.create(item=item, index=index, text=f"answer {index}", sha256=f"{n}{index}".zfill(64))
    make_tasks(project=project, items=Item.objects.all())
    return Task.objects.order_by("pk")


def test_home_tells_each_person_what_is_theirs(client_of, bob, charlie, tasks):
    mine = client_of(bob).get(HOME)
    assert [p.left for p in mine.context["projects"]] == [3]
    assert b"Judge" in mine.content
    assert b"Ask an admin for an invite" in client_of(charlie).get(HOME).content


def test_home_asks_the_database_the_same_for_many_projects(client_of, admin_user, project, django_assert_num_queries):
    browser = client_of(admin_user)
    with django_assert_num_queries(6):  # session, user, projects, roles, tasks left, on the desk
        browser.get(HOME)
    for n in range(5):
        Project.objects.create(slug=f"p{n}", name=f"P{n}")
    with django_assert_num_queries(6):
        assert len(browser.get(HOME).context["projects"]) == 6


def test_a_superuser_makes_a_project_and_is_its_admin(admin_client, admin_user):
    response = admin_client.post(NEW, {"name": "Fresh", "slug": "fresh"})
    assert response.url == reverse("annotate:settings", args=["fresh"])
    assert b"then bring in items" in admin_client.get(response.url).content
    assert Project.objects.get(slug="fresh").memberships.get().user == admin_user


def test_nobody_else_makes_projects(client_of, alice):
    assert client_of(alice).get(NEW).status_code == 403
    assert client_of(alice).post(NEW, {"name": "Fresh", "slug": "fresh"}).status_code == 403


@pytest.mark.parametrize("bad", [{"slug": "answers"}, {"slug": "two words"}, {"name": ""}])
def test_a_bad_project_is_not_made(admin_client, project, bad):
    assert admin_client.post(NEW, {"name": "Fresh", "slug": "fresh"} | bad).status_code == 422
    assert Project.objects.count() == 1


def test_a_short_name_taken_meanwhile_is_told(admin_client, monkeypatch):
    from annotate.forms import ProjectForm

    check, late = ProjectForm.is_valid, iter([True])
    slip_in = lambda: next(late, 0) and Project.objects.create(slug="fresh", name="First")  # noqa: E731
    monkeypatch.setattr(ProjectForm, "is_valid", lambda form: check(form) and (slip_in() or True))
    assert admin_client.post(NEW, {"name": "Fresh", "slug": "fresh"}).status_code == 422
    assert Project.objects.get().name == "First"


def test_an_annotator_sees_what_is_left_and_no_numbers_of_others(client_of, bob, tasks):
    page = client_of(bob).get(url("project"))
    assert page.context["left"] == 3
    assert b"Start judging" in page.content
    assert b"The loop" not in page.content


def test_a_leased_task_is_left_for_its_rater_alone(client_of, alice, bob, project, tasks):
    lease_next(project=project, user=bob)
    assert client_of(bob).get(url("project")).context["left"] == 3
    assert client_of(alice).get(url("project")).context["left"] == 2


def test_the_next_step_follows_the_loop(client_of, alice, project, request):
    browser = client_of(alice)
    assert b"bring in items" in browser.get(url("project")).content
    tasks = request.getfixturevalue("tasks")
    assert b"collect judgements" in browser.get(url("project")).content
    task = tasks[0]
    ids = [r.pk for r in task.responses.all()]
    project.judgements.create(
        item=task.item,
        task=task,
        shown_order=ids,
        outcome="tie",
        schema_version=1,
        texts_sha256={},
        idempotency_key="k",
    )
    assert b"train a reward model" in browser.get(url("project")).content


def test_guidelines_are_shown_as_markdown_and_hostile_ones_harmless(client_of, bob, project):
    change_guidelines(project=project, body="# Read **all**\n<script>alert(1)</script>")
    page = client_of(bob).get(url("project")).content.decode()
    assert "<strong>all</strong>" in page
    assert "<script>alert" not in page


def test_settings_are_saved_and_recorded(client_of, alice, project):
    new = GENERAL | {"overlap": 3, "lease_minutes": 5, "quota": 40, "gold_share": 0.1, "paused": "on"}
    assert client_of(alice).post(url("settings"), new).url == url("settings")
    project.refresh_from_db()
    assert (project.overlap, project.lease_minutes, project.paused) == (3, 5, True)
    assert (project.quota, project.daily_quota, project.gold_share) == (40, None, 0.1)
    changed = Event.objects.get(kind="project.changed")
    assert changed.data["fields"] == ["gold_share", "lease_minutes", "overlap", "paused", "quota"]


def test_saving_what_is_there_already_records_nothing(client_of, alice, project):
    client_of(alice).post(url("settings"), GENERAL)
    assert not Event.objects.filter(kind="project.changed").exists()


@pytest.mark.parametrize(
    "bad", [
        {"overlap": 0}, {"overlap": 101}, {"overlap": "many"}, {"lease_minutes": 0}, {"lease_minutes": 10**15},
        {"name": ""}, {"gold_share": 0.6}, {"swap_share": -0.1}, {"pass_share": 1.1}, {"quota": -1},
        {"daily_quota": "x"},
    ],
)  # fmt: skip
def test_bad_settings_change_nothing(client_of, alice, project, bad):
    assert client_of(alice).post(url("settings"), GENERAL | bad).status_code == 422
    project.refresh_from_db()
    assert (project.name, project.overlap, project.lease_minutes, project.gold_share) == ("Answers", 1, 30, 0)


def test_a_bad_setting_is_told_at_its_field(client_of, alice, project):
    form = client_of(alice).post(url("settings"), GENERAL | {"gold_share": 0.6}).context["form"]
    assert list(form.errors) == ["gold_share"]
    assert "0.5" in form.errors["gold_share"][0]


def test_overlap_opens_slots_and_never_closes_a_taken_one(alice, bob, project, tasks):
    lease_next(project=project, user=bob)
    change_settings(project=project, overlap=2)
    assert sorted(tasks.values_list("slots", "open_slots")) == [(2, 1), (2, 2), (2, 2)]
    lease_next(project=project, user=alice)
    change_settings(project=project, overlap=1)
    for task in tasks.all():
        taken = task.assignments.count()
        assert (task.slots, task.open_slots) == (max(1, taken), max(1, taken) - taken)
    assert Assignment.objects.filter(state="leased").count() == 2


def test_the_command_makes_a_project_with_a_schema(db, tmp_path):
    (tmp_path / "schema.json").write_text('{"categories": [{"key": "bad", "label": "Bad"}]}')
    out = StringIO()
    call_command("create_project", "fresh", "--schema", tmp_path / "schema.json", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"project": "fresh", "name": "fresh", "schema_version": 1}
    assert Project.objects.get().schema.categories[0].key == "bad"


@pytest.mark.parametrize("arguments", [["answers"], ["two words"], ["fresh", "--schema", "/nowhere.json"]])
def test_the_command_refuses_in_one_line(project, arguments):
    with pytest.raises(CommandError) as caught:
        call_command("create_project", *arguments)
    assert "\n" not in str(caught.value)
    assert Project.objects.count() == 1


def test_the_command_names_the_line_of_a_bad_schema(db, tmp_path):
    (tmp_path / "schema.json").write_text('{\n"omissions": "perhaps"}')
    with pytest.raises(CommandError, match="Line 2, omissions"):
        call_command("create_project", "fresh", "--schema", tmp_path / "schema.json")
    assert not Project.objects.exists()


def test_a_task_that_asks_nobody_stays_so(project, tasks):
    tasks.update(slots=0, open_slots=0)
    change_settings(project=project, overlap=3)
    assert set(tasks.values_list("slots", "open_slots")) == {(0, 0)}
