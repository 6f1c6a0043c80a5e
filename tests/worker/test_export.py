"""Versions out to the field: a job, its page, its archive, the command, and what takes the folder."""

import json
import zipfile
from io import BytesIO, StringIO
from pathlib import Path

import pytest
import torch
from django.conf import settings
from django.core.management import CommandError, call_command
from django.urls import reverse
from safetensors import SafetensorError
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from annotate.models import Event, Role
from annotate.services.project import add_member
from worker.card import card
from worker.jobs import export as exporting
from worker.models import Job, Version
from worker.models.version import PREFERENCE
from worker.recipes import recipe_of
from worker.services.export import archive_of, start_export
from worker.services.job import retry, run_now
from worker.services.training import start_training

PARTS = {"heads.parts": ["embeddings"]}


@pytest.fixture
def train(judged, alice):
    def trained(**values):
        job = run_now(start_training(project=judged, actor=alice, recipe=recipe_of({**PARTS, **values})))
        assert job.error == ""
        return Version.objects.get(trained_by=job)

    return trained


@pytest.fixture
def version(train):
    return train()


def folder():
    return settings.ARTIFACT_DIR / "exports"


def archive(version):
    return settings.ARTIFACT_DIR / archive_of(version, "model")


def link(name, version):
    return reverse(f"worker:{name}", args=[version.project.slug, version.number])


def test_an_archive_of_another_model_under_the_same_number_is_none_of_this(version, alice, client_of):
    """A restored database counts on from where the backup was, and the archives of later versions are still there."""
    run_now(start_export(version=version, form="model", actor=alice))
    Version.objects.filter(pk=version.pk).update(file_sha256="0" * 64)
    answer = client_of(alice).get(link("exported", version), follow=True)
    assert "export it again" in answer.content.decode()


def test_a_job_makes_an_archive_that_scores_the_same(version, alice, tmp_path):
    job = run_now(start_export(version=version, form="model", actor=alice))
    assert (job.state, job.error) == ("done", "")
    assert job.result["largest_difference"] <= 1e-5
    assert job.result["same_tokens"] == job.result["examples"] == 16
    zipfile.ZipFile(archive(version)).extractall(tmp_path)
    names = {path.name for path in (tmp_path / f"answers-{version.number}").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md", "modeling_touchstone.py"} <= names
    assert [path.name for path in folder().iterdir()] == [archive(version).name]


def test_the_folder_scores_as_the_site_does(version, tmp_path):
    for job in Job.objects.filter(kind="score"):
        run_now(job)
    exporting.export_version(version, tmp_path / "out", "model")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out", trust_remote_code=True).eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    for score in version.scores.filter(head=PREFERENCE).select_related("response__item")[:4]:
        chat = [*score.response.item.turns, {"role": "assistant", "content": score.response.text}]
        inputs = tokenizer.apply_chat_template(chat, return_dict=True, return_tensors="pt")
        assert model(**inputs).logits.item() == pytest.approx(score.value, abs=1e-5)


def test_the_card_says_what_it_was_made_from_and_how_good_it_is(version, tmp_path):
    exporting.export_version(version, tmp_path / "out", "model")
    text = (tmp_path / "out" / "README.md").read_text()
    head, body = text.removeprefix("---\n").split("---\n", 1)
    assert 'base_model: "sentence-transformers/all-MiniLM-L6-v2"' in head
    assert version.snapshot.sha256 in body
    assert f"| used | {version.snapshot.counts['used']} |" in body
    assert "| this version | " in body
    assert "95 % interval" in body
    assert "| heads.parts | embeddings |" in body
    assert "trust_remote_code=True" in body
    assert "It reads 512 tokens" in body


def test_the_card_says_where_the_folder_differs_from_the_version(version):
    version.transforms, version.affected_at = [{"name": "clip"}], version.created_at
    written = {"form": "model", "class": "BertForSequenceClassification", "base": "a/b", "max_length": 8}
    written |= {"truncation": "left", "remote_code": False, "bf16": True}
    said = card(version, written | {"examples": 16, "largest_difference": 1e-7, "same_tokens": 15})
    for part in ("before that", "bfloat16", "Pad on the right", "withdrawn since", "preference alone"):
        assert part in said


def test_what_reads_the_surface_fails_with_the_recipe_that_would_do(train, alice):
    version = train(**{"heads.parts": ["embeddings", "surface"]})
    job = run_now(start_export(version=version, form="model", actor=alice))
    assert job.state == "failed"
    assert "reads surface features" in job.error
    assert "parts=embeddings" in job.error
    assert list(folder().iterdir()) == []


def test_one_export_at_a_time(version, alice):
    first = start_export(version=version, form="model", actor=alice)
    assert start_export(version=version, form="model", actor=alice) == first


def test_a_draft_of_a_run_that_died_is_removed(version, alice):
    (folder() / "dead" / "x").mkdir(parents=True)
    run_now(start_export(version=version, form="model", actor=alice))
    assert not (folder() / "dead").exists()


def test_the_page_offers_it_and_then_its_archive(version, alice, client_of):
    page, browser = reverse("worker:version", args=["answers", version.number]), client_of(alice)
    assert "Export: Hugging Face model" in browser.get(page).content.decode()
    answer = browser.post(link("export", version))
    job = Job.objects.get(kind="export")
    assert answer.url == reverse("worker:job", args=["answers", job.pk])
    assert "Hugging Face model: queued" in browser.get(page).content.decode()
    run_now(job)
    html = browser.get(page).content.decode()
    assert link("exported", version) in html
    assert "TouchstoneForSequenceClassification" in html


def test_the_job_s_page_leads_to_the_archive(version, alice, client_of):
    job = start_export(version=version, form="model", actor=alice)
    page = reverse("worker:job", args=["answers", job.pk])
    assert "Download" not in client_of(alice).get(page).content.decode()
    run_now(job)
    assert f"{link('exported', version)}?form=model" in client_of(alice).get(page).content.decode()


def test_the_archive_is_downloaded_whole(version, alice, client_of):
    run_now(start_export(version=version, form="model", actor=alice))
    answer = client_of(alice).get(link("exported", version))
    assert answer["Content-Disposition"] == f'attachment; filename="answers-{version.number}-model.zip"'
    assert zipfile.ZipFile(BytesIO(b"".join(answer.streaming_content))).testzip() is None
    event = Event.objects.get(kind="version.downloaded")
    assert (event.actor, event.project, event.subject) == (alice, version.project, f"version:{version.pk}")
    assert event.data == {"number": version.number, "form": "model"}


def test_there_is_nothing_to_download_before(version, alice, client_of):
    answer = client_of(alice).get(link("exported", version), follow=True)
    assert "export it again" in answer.content.decode()
    assert not Event.objects.filter(kind="version.downloaded").exists()


@pytest.mark.parametrize("form", ["adapter", "pickle"])
def test_heads_have_no_other_form(version, alice, client_of, form):
    assert client_of(alice).post(link("export", version), {"form": form}).status_code == 404
    assert client_of(alice).get(link("exported", version), {"form": form}).status_code == 404


def test_who_may(version, bob, charlie, alice, person, client_of):
    rita = person("rita")
    add_member(project=version.project, user=rita, role=Role.RESEARCHER, actor=alice)
    archive(version).parent.mkdir(parents=True)
    archive(version).write_bytes(b"zip")
    posts = [client_of(who).post(link("export", version)).status_code for who in (rita, bob, charlie)]
    gets = [client_of(who).get(link("exported", version)).status_code for who in (rita, bob, charlie)]
    assert (posts, gets) == ([403, 403, 404], [200, 403, 404])
    assert client_of(alice).get(link("export", version)).status_code == 405
    assert client_of(alice).post(link("exported", version)).status_code == 405


def test_the_command_writes_the_folder(version, tmp_path):
    out = StringIO()
    call_command("export_version", str(version), str(tmp_path / "out"), "--json", stdout=out, stderr=StringIO())
    told = json.loads(out.getvalue())
    assert (told["version"], told["class"]) == (str(version), "TouchstoneForSequenceClassification")
    assert Path(told["folder"], "model.safetensors").is_file()


def test_the_command_writes_over_nothing(version, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(CommandError, match="is not empty"):
        call_command("export_version", str(version), str(tmp_path), stderr=StringIO())
    with pytest.raises(CommandError, match="has no adapters"):
        call_command("export_version", str(version), str(tmp_path / "a"), "--adapter", stderr=StringIO())
    assert [path.name for path in tmp_path.iterdir() if path.name in ("mine", "a")] == ["mine"]


def test_trl_trains_on_from_the_folder(version, tmp_path):
    """Its first loss on a pair that the version tells apart is −ln σ of the version's own margin."""
    from datasets import Dataset
    from trl import RewardConfig, RewardTrainer

    exporting.export_version(version, tmp_path / "out", "model")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out", trust_remote_code=True)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    chat = lambda text: [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": text}]  # noqa: E731
    pair = {"chosen": chat("The museum stands beside the river."), "rejected": chat("Bananas are purple.")}
    config = RewardConfig(
        output_dir=str(tmp_path / "trl"), per_device_train_batch_size=2, max_steps=1, report_to=[], use_cpu=True,
        logging_steps=1, save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    trainer = RewardTrainer(
        model=model, args=config, train_dataset=Dataset.from_list([pair] * 2), processing_class=tokenizer
    )
    with torch.no_grad():
        found = [
            model(**tokenizer.apply_chat_template(pair[side], return_dict=True, return_tensors="pt")) for side in pair
        ]
    margin = (found[0].logits - found[1].logits).squeeze()
    trainer.train()
    expected = -torch.nn.functional.logsigmoid(margin)
    assert trainer.state.log_history[0]["loss"] == pytest.approx(float(expected), abs=1e-3)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("worker.rm.export.write", SafetensorError("I/O error: No space left on device (os error 28)")),
        ("zipfile.ZipFile.write", OSError(28, "No space left on device")),
    ],
)
def test_a_full_disk_is_said_and_leaves_nothing_half(version, monkeypatch, step, error):
    def full(_, path, *__):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name("half").write_bytes(b"weights")
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(step, full)
        job = run_now(start_export(version=version, form="model"))
    assert (job.state, list(folder().iterdir())) == ("failed", [])
    assert "No space left on device" in job.error
    assert job.advice.startswith("The disk is full, and nothing half was kept")
    assert run_now(retry(job=job)).state == "done"
