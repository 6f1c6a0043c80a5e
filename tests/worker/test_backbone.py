"""Registering a backbone: by the page, by a job, by the command."""

import json
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotate.models import Response
from tests.worker.rm import tiny
from worker.models import Backbone, Job
from worker.recipes import recipe_of
from worker.services.backbone import folders, register, store
from worker.services.job import run_now
from worker.services.training import start_training

FACTS = {
    "causal": True,
    "architecture": "LlamaModel",
    "parameters": 1_200_000_000,
    "width": 2048,
    "layers": 16,
    "context_length": 8192,
    "chat_template": True,
    "licence": "apache-2.0",
    "sha256": "a" * 64,
}


@pytest.fixture
def llama(settings):
    """The only folder under BACKBONE_DIR."""
    settings.BACKBONE_DIR.mkdir()
    folder = tiny.llama(settings.BACKBONE_DIR / "tiny", ["How tall is the tower?"])
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: tower-1\n---\n# Tiny\n")
    return folder


@pytest.fixture
def page(project):
    return reverse("worker:backbones", args=[project.slug])


def test_a_worker_finds_out_what_it_is(project, alice, llama):
    job = run_now(register(project=project, actor=alice, name="", folder="tiny"))
    assert (job.state, job.error) == ("done", "")
    found = Backbone.objects.get()
    assert (found.name, found.source, found.registered_by) == ("tiny", str(llama), alice)
    assert (found.causal, found.architecture, found.licence) == (True, "LlamaModel", "tower-1")
    assert (found.width, found.layers, found.context_length, found.chat_template) == (32, 2, 256, True)
    assert job.result["parameters"] == found.parameters


def test_the_bundled_one_is_known_by_its_published_hash(project, alice):
    run_now(register(project=project, actor=alice, name="", folder="minilm"))
    found = Backbone.objects.get()
    assert (found.parameters, found.licence, found.causal) == (22_713_216, "apache-2.0", False)
    assert found.sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def test_files_that_cannot_be_used_fail_with_what_to_do(project, alice, llama):
    (llama / "model.safetensors").write_bytes(b"broken")
    job = run_now(register(project=project, actor=alice, name="", folder="tiny"))
    assert job.state == "failed"
    assert "the weights cannot be read" in job.error
    assert "fetch its files again" in job.error
    assert not Backbone.objects.exists()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "none-such"}, "update transformers on the worker"),
        ({"model_type": "t5"}, "neither an encoder nor a causal LM"),
        ({"model_type": "x", "auto_map": {"AutoConfig": "evil.Config"}}, "no model's code is run here"),
    ],
)
def test_a_model_of_another_kind_says_so(project, alice, llama, config, said):
    (llama / "config.json").write_text(json.dumps(config))
    job = run_now(register(project=project, actor=alice, name="", folder="tiny"))
    assert said in job.error


def test_a_folder_elsewhere_is_refused(project, alice, llama):
    for folder in ("../backbones/tiny", str(llama), "none"):
        with pytest.raises(ValidationError, match="no model in a folder"):
            register(project=project, actor=alice, name="x", folder=folder)
    assert folders() == ["tiny"]


def test_a_name_belongs_to_one_source(db):
    store(name="big", source="owner/big", facts=FACTS)
    store(name="big", source="owner/big", facts=FACTS | {"sha256": "b" * 64})
    with pytest.raises(ValidationError, match="of another source"):
        store(name="big", source="owner/other", facts=FACTS)
    assert Backbone.objects.get().sha256 == "b" * 64


def test_the_page_lists_them(page, alice, client_of):
    store(name="big", source="owner/big", facts=FACTS, actor=alice)
    html = client_of(alice).get(page).content.decode()
    for said in ("big", "1.2 billion", "8,192 tokens", "apache-2.0", "a" * 12, "16 layers of 2048", "by alice"):
        assert said in html


def test_an_empty_page_says_what_to_do(page, alice, client_of):
    assert b"None registered yet" in client_of(alice).get(page).content


def test_the_form_launches_a_job(page, alice, client_of):
    answer = client_of(alice).post(page, {"hub": "owner/model"})
    job = Job.objects.get(kind="backbone")
    assert answer.url == reverse("worker:job", args=[job.project.slug, job.pk])
    assert job.params == {"source": "owner/model", "name": "owner/model"}
    fragment = client_of(alice).get(page, headers={"HX-Request": "true"}).content.decode()
    assert "waiting for a worker" in fragment
    assert "<html" not in fragment


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "one of the two"),
        ({"hub": "a/b", "folder": "minilm"}, "one of the two"),
        ({"hub": "/etc/passwd"}, "A hub id is owner/name"),
        ({"hub": "../x"}, "A hub id is owner/name"),
        ({"hub": "worker"}, "A hub id is owner/name"),
        ({"folder": "../../etc"}, "not one of the available choices"),
        ({"hub": "a/b", "name": "<b>"}, "Letters, digits"),
        ({"hub": "a/b", "name": "big"}, "of another source already"),
    ],
)
def test_bad_input_is_told_and_launches_nothing(page, alice, client_of, form, said):
    store(name="big", source="owner/big", facts=FACTS)
    answer = client_of(alice).post(page, form)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Job.objects.exists()


def test_only_admins_see_it(page, bob, charlie, alice, client_of):
    assert client_of(bob).get(page).status_code == 403
    assert client_of(charlie).get(page).status_code == 404
    assert client_of(alice).delete(page).status_code == 405


def test_the_command_takes_any_path(db, llama):
    out = StringIO()
    call_command("register_backbone", str(llama), "--json", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue())["name"] == "tiny"
    assert Backbone.objects.get().source == str(llama)


def test_the_command_says_what_is_wrong(db, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match=r"no config\.json"):
        call_command("register_backbone", str(tmp_path / "empty"), stderr=StringIO())


def test_a_training_names_what_is_too_long_for_it(judged, alice):
    """Every clear answer is longer than what is left of 20 tokens; without them nothing is compared."""
    values = {"encoding.max_length": 20, "encoding.truncation": "drop"}
    job = run_now(start_training(project=judged, actor=alice, recipe=recipe_of(values)))
    said = [event.data["text"] for event in job.events.filter(kind="log")]
    clear = Response.objects.filter(item__project=judged, text__startswith="The museum").order_by("pk").first()
    assert [line for line in said if "40 responses are too long and left out: " in line and f"{clear.pk}," in line]
    assert "no comparison to train on" in job.error


@pytest.mark.parametrize("name", ["minilm", "owner/big"])
def test_none_passes_for_another_that_trainings_name(project, alice, name):
    store(name="big", source="owner/big", facts=FACTS)
    with pytest.raises(ValidationError, match="of another source"):
        register(project=project, actor=alice, name=name, hub="mallory/other")
    assert not Job.objects.exists()
