import io
import json

import pytest
from django.core.management import CommandError, call_command

from worker.models import Candidate, Pool

TWO = {
    "prompt": "Where?",
    "responses": [{"text": "Here.", "metadata": {"gold": 1}}, {"text": "Là.", "metadata": {"gold": -0.5}}],
}
OTHER = {"turns": [{"role": "user", "content": "Why?"}], "responses": [{"text": "So.", "metadata": {"gold": 0}}]}


@pytest.fixture
def run(project, tmp_path):
    def command(*rows, name="best"):
        path = tmp_path / "pool.jsonl"
        path.write_text("\n".join(json.dumps(row) for row in rows))
        out = io.StringIO()
        call_command("import_pool", project.slug, str(path), name=name, json=True, stdout=out)
        return json.loads(out.getvalue())

    return command


def test_a_pool_holds_each_candidate_with_its_gold(run, project):
    told = run(TWO, OTHER)
    assert (told["prompts"], told["candidates"]) == (2, 3)
    pool = project.pools.get()
    assert pool.name == "best"
    assert sorted(pool.candidates.values_list("text", "gold", "index")) == [
        ("Here.", 1.0, 0),
        ("Là.", -0.5, 1),
        ("So.", 0.0, 0),
    ]
    assert project.events.filter(kind="pool.imported").exists()


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([TWO, {"prompt": "Why?", "responses": ["So."]}], "line 2: response 0 has no number metadata.gold"),
        ([TWO, {"prompt": "Why?", "responses": [{"text": "So.", "metadata": {"gold": True}}]}], "no number"),
        ([TWO, TWO], "line 2: its prompt stood"),
        ([], "no prompt"),
    ],
)
def test_a_bad_file_writes_nothing(run, rows, why):
    with pytest.raises(CommandError, match=why):
        run(*rows)
    assert not Pool.objects.exists()
    assert not Candidate.objects.exists()


def test_a_name_is_taken_once(run):
    run(TWO)
    with pytest.raises(CommandError, match="has a pool 'best' already"):
        run(OTHER)
    assert Candidate.objects.count() == 2
