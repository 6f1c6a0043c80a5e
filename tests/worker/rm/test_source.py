import json
from hashlib import sha256
from types import SimpleNamespace

import pytest
from huggingface_hub import errors

from worker.rm import source


def refused(kind):
    return kind("no", response=SimpleNamespace(headers={}, request=None))


def test_the_bundled_model_is_found():
    assert (source.folder("minilm") / "model.safetensors").is_file()


def test_a_folder_is_taken_as_it_is(llama):
    assert str(source.folder(llama)) == llama


@pytest.mark.parametrize(
    ("files", "said"),
    [((), "no config.json"), (("config.json",), "no safetensors weights; convert it with save_pretrained")],
)
def test_a_folder_that_is_no_model_says_what_is_missing(tmp_path, files, said):
    for name in files:
        (tmp_path / name).write_text(json.dumps({}))
    with pytest.raises(ValueError, match=said):
        source.folder(str(tmp_path))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="there is no such folder on this worker"):
        source.folder(str(tmp_path / "none"))


@pytest.mark.parametrize("name", ["../etc", "a/b/c", "", "~root", "owner/na me", "-x"])
def test_what_is_neither_path_nor_hub_id_is_refused(name, monkeypatch):
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("asked the hub"))
    with pytest.raises(ValueError, match=r"neither a hub id|no such folder"):
        source.folder(name)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refused(errors.GatedRepoError), "accept its terms on the hub"),
        (refused(errors.RepositoryNotFoundError), "check the id and HF_TOKEN"),
        (errors.LocalEntryNotFoundError("offline"), "put the model's folder on the worker"),
        (errors.OfflineModeIsEnabled("offline"), "put the model's folder on the worker"),
        (OSError("disk full"), "disk full"),
    ],
)
def test_what_the_hub_refuses_says_what_to_do(monkeypatch, error, said):
    def download(name, **_):
        raise error

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    with pytest.raises(ValueError, match=said):
        source.folder("owner/model")


def test_only_data_is_fetched_from_the_hub(monkeypatch, llama):
    asked = {}
    monkeypatch.setattr(
        "huggingface_hub.snapshot_download", lambda name, **more: asked.update(more, name=name) or llama
    )
    assert str(source.folder("owner/another")) == llama
    assert asked["name"] == "owner/another"
    assert not [one for one in asked["allow_patterns"] if one.endswith((".py", ".bin", ".pt", ".pkl"))]


def test_one_file_has_its_own_hash_and_several_have_a_common_one(tmp_path):
    one, other = tmp_path / "a", tmp_path / "b"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    digests = [sha256(text).hexdigest() for text in (b"1", b"2")]
    assert source.sha256_of([one]) == digests[0]
    assert source.sha256_of([one, other]) == sha256(f"{digests[0]}  a\n{digests[1]}  b\n".encode()).hexdigest()
