import io
import json

import pytest
from django.core.management import CommandError, call_command

from worker.models import Candidate, Pool
from worker.services.columns import column, column_names
from worker.services.pool import import_table

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


METRICS = {"prompt": "Why?", "responses": [{"text": t, "metadata": {"gold": g, "chrF": c, "by": "x"}} for t, g, c in
           (("So.", 1, 0.5), ("No.", 0, 0.25))]}  # fmt: skip


def test_other_numbers_of_all_responses_are_metrics(run, project):
    run(METRICS)
    pool = project.pools.get()
    assert pool.sizes == [2]
    assert {name: column(pool, name).tolist() for name in column_names(pool)} == {"gold": [1, 0], "chrF": [0.5, 0.25]}


def test_a_metric_that_some_responses_lack_is_none(run, project):
    run(METRICS, TWO)
    assert column_names(project.pools.get()) == ["gold"]


TABLE = "story,system,Relevance,Empathy,BLEU\na,s1,1,2,.5\nb,s1,3,4,.25\na,s2,5,6,.75\na,Human,9,9,9\n"
ABOUT = {"name": "stories", "prompt": "story", "gold": ["Relevance", "Empathy"], "without": ("system", "Human")}


def table(project, text, **changed):
    return import_table(project=project, file=io.BytesIO(text.encode()), **(ABOUT | changed))


def test_a_table_is_a_pool_of_columns_prompt_after_prompt(project):
    pool = table(project, TABLE)
    assert (pool.sizes, pool.texts, pool.size) == ([2, 1], False, 3)
    assert column(pool, "gold").tolist() == [1.5, 5.5, 3.5]
    assert column(pool, "BLEU").tolist() == [0.5, 0.75, 0.25]
    assert column_names(pool) == ["gold", "Relevance", "Empathy", "BLEU"]


@pytest.mark.parametrize(
    ("text", "changed", "why"),
    [
        (TABLE.replace(".25", "x"), {}, "line 3 has no number BLEU"),
        (TABLE.replace(".25", "nan"), {}, "line 3 has no number BLEU"),
        (TABLE, {"gold": ["Beauty"]}, "line 2 has no number Beauty"),
        (TABLE, {"prompt": "title"}, "line 2 has no title"),
        (TABLE.replace("Human", "s3") + "a\n", {}, "line 6: 1 cells"),
        ("story,system\na,Human\n", {}, "no line to keep"),
    ],
)
def test_a_bad_table_names_the_line_and_writes_nothing(project, text, changed, why):
    with pytest.raises(ValueError, match=why):
        table(project, text, **changed)
    assert not Pool.objects.exists()


def test_a_table_comes_by_command(project, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    out, about = io.StringIO(), {"prompt": "story", "gold": "Relevance,Empathy", "without": "system=Human"}
    call_command("import_pool", project.slug, str(tmp_path / "t.csv"), name="t", json=True, stdout=out, **about)
    told = json.loads(out.getvalue())
    assert (told["prompts"], told["candidates"]) == (2, 3)
    with pytest.raises(CommandError, match="COLUMN=VALUE"):
        call_command("import_pool", project.slug, str(tmp_path / "t.csv"), name="u", **about | {"without": "x"})
