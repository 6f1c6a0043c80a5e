"""Which heads of a version are taken apart and how, and the job that does it: stored as it goes, and to be stopped."""

import io
import json
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from annotate.models import Response
from annotate.services.item import import_items
from tests.worker.conftest import jsonl
from tests.worker.model import HEADS, model, scoring_version
from worker.explain import METHODS
from worker.jobs import attribute as body
from worker.jobs.attribute import _store as store
from worker.jobs.explained import explained, wanted
from worker.models import Attribution, Job
from worker.progress import Progress
from worker.rm.recipe import Extras
from worker.services.explain import explain_marked
from worker.services.job import cancel, launch, run_now

BENT = replace(model(), rows=HEADS[2:], extras=Extras(combine="uwo"))  # two members, and one segment head


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"methods": ["exact"]}, {"exact": ["segment:wrong"], "ig": ["preference"]}),
        ({"methods": ["exact", "ig"]}, {"exact": ["segment:wrong"], "ig": ["preference"]}),
        ({"methods": ["ig"], "heads": ["segment:wrong"]}, {"ig": ["segment:wrong"]}),
        ({"methods": ["loo", "ig"], "heads": ["disagreement"]}, {"loo": ["disagreement"]}),
    ],
)
def test_where_no_exact_split_exists_gradients_stand_in_for_the_preference(asked, expected):
    found, _ = wanted(BENT, asked)
    assert {method: [h for h in heads if not h.startswith("member")] for method, heads in found.items()} == expected


def test_every_linear_head_is_split_exactly():
    assert wanted(model(), {"methods": ["exact"]}) == ({"exact": list(HEADS)}, [])


def test_what_cannot_be_is_left_out_and_said():
    _, left_out = wanted(BENT, {"methods": ["exact", "prefix", "guess"], "heads": ["preference", "x"]})
    assert [(one["head"], one["method"]) for one in left_out] == [
        (head, method) for method in ("exact", "prefix", "guess") for head in ("preference", "x")
    ]
    why = [one["why"] for one in left_out]
    assert why[0].startswith("preference has no exact decomposition: it bends near a text")
    assert why[2].startswith("preference has no prefix reward: an encoder reads backwards")
    assert why[1].startswith("The version has no head 'x'; it has preference, ")
    assert why[4].startswith("There is no method 'guess'; there are exact, ")


# ---- The job


def item(n):
    """One response is looked at: half of these are marked, half checked."""
    texts = [f"The museum of town {n} is old. It stands by the river.", "Nobody knows."]
    span = {"response": 0, "start": 0, "end": 3, "quote": "The", "category": "wrong"}
    said = {"shown": [0, 1], "outcome": "tie", "rater": "Dana"} | ({"spans": [span]} if n % 2 else {"checked": [0]})
    return {"prompt": f"Where is {n}?", "responses": texts, "judgements": [said]}


@pytest.fixture
def version(project):
    import_items(project=project, file=jsonl(*map(item, range(4))), format="jsonl")
    return scoring_version(project)


def start(version, **params):
    return launch(project=version.project, kind="attribute", params={"version": version.pk, **params})


def some(version, count=2, **params):
    return start(version, responses=list(Response.objects.values_list("pk", flat=True)[:count]), **params)


def test_any_methods_and_heads_are_stored_whole(version):
    job = run_now(some(version, methods=["exact", "loo", "shapley", "abc"], heads=["preference", "segment:wrong"]))
    assert (job.state, job.error) == ("done", "")
    assert job.result == {"attributions": 16, "known": 0, "left_out": []}
    for row in Attribution.objects.all():
        parts = row.units if METHODS[row.method].per == "unit" else row.tokens
        total = row.baseline + sum(row.features.values()) + sum(one["value"] for one in parts)
        assert total + row.residual == pytest.approx(row.score, abs=1e-4)
        assert {"tokens", "seconds"} <= row.cost.keys()
        assert (
            row.response.text == "".join(row.response.text[u["start"] : u["end"]] for u in row.units) or not row.units
        )


def test_a_second_look_replaces_the_first(version):
    run_now(some(version, methods=["exact"]))
    Attribution.objects.update(score=99.0, cost={})
    run_now(some(version, methods=["exact"]))
    assert Attribution.objects.count() == 2 * len(HEADS)
    assert not Attribution.objects.filter(score=99.0).exists()


def test_what_cannot_be_made_is_in_the_result(version):
    job = run_now(some(version, methods=["prefix"]))
    assert (job.state, job.result["attributions"]) == ("done", 0)
    assert job.result["left_out"][0]["why"].startswith("preference has no prefix reward")


def test_progress_names_the_method(version):
    heard = []
    run_now(some(version, methods=["exact", "loo"], heads=["preference"]), lambda *told: heard.append(told[:3]))
    assert heard[:2] == [("explaining by exact decomposition", n, 2) for n in (0, 1)]
    assert {told[0] for told in heard} == {"explaining by exact decomposition", "explaining by leave one out"}
    assert ("explaining by leave one out", 1, 2) in heard


@pytest.mark.parametrize(("at", "made"), [(1, 0), (4, 1)])  # the second report of each response comes from inside it
def test_a_cancel_is_heard_between_responses_and_inside_one(version, monkeypatch, at, made):
    monkeypatch.setattr(body, "MOST", 1)
    job, heard = some(version, methods=["shapley"]), []

    def stop(*told):
        heard.append(told)
        if len(heard) == at:
            cancel(job=job)

    monkeypatch.setattr("worker.progress.WRITE_SECONDS", 0.0)
    assert run_now(job, stop).state == "cancelled"
    assert Attribution.objects.count() == made


def marked(version, methods=("exact",)):
    return explain_marked(version=version, methods=methods, heads=["preference"])


def test_the_marked_form_explains_what_people_looked_at(version):
    job = run_now(marked(version))
    assert job.result == {"attributions": 4, "known": 0, "left_out": []}
    assert set(Attribution.objects.values_list("response__index", flat=True)) == {0}


def test_the_marked_form_goes_on_where_it_was(version, monkeypatch):
    monkeypatch.setattr(body, "MOST", 1)
    monkeypatch.setattr("worker.progress.WRITE_SECONDS", 0.0)
    job, report = marked(version, ("exact", "loo")), Progress.report

    def dying(self, stage, done, *rest):
        if stage == "explaining by leave one out" and done == 2:
            raise KeyboardInterrupt
        report(self, stage, done, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "report", dying)
        assert run_now(job).state == "cancelled"
    assert Attribution.objects.count() == 6
    assert run_now(marked(version, ("exact", "loo"))).result == {"attributions": 2, "known": 6, "left_out": []}
    assert Attribution.objects.count() == 8


def test_of_many_responses_few_are_in_hand_and_progress_counts_them_all(version, monkeypatch):
    monkeypatch.setattr(body, "SLICE", 3)
    monkeypatch.setattr(body, "MOST", 2)
    in_hand, stored, heard = [], [], []
    monkeypatch.setattr(
        body, "explained", lambda _, all_, *more: (in_hand.append(len(all_)), explained(_, all_, *more))[1]
    )
    monkeypatch.setattr(body, "_store", lambda rows: (stored.append(len(rows)), store(rows))[1])
    run_now(
        some(version, 8, methods=["exact"], heads=["preference", "segment:wrong"]), lambda *told: heard.append(told)
    )
    assert (in_hand, max(stored), sum(stored)) == ([3, 3, 2], 2, 16)
    done = [done for stage, done, *_ in heard if stage.startswith("explaining")]
    assert done == sorted(done)
    assert (done[0], done[-1], {total for stage, _, total, _ in heard if stage.startswith("explaining")}) == (
        0,
        16,
        {16},
    )


def test_a_version_of_another_project_is_not_found(version):
    job = some(version, methods=["exact"])
    Job.objects.filter(pk=job.pk).update(params=job.params | {"version": version.pk + 1})
    assert run_now(job).state == "failed"


# ---- The command


def told(version, tmp_path, *options):
    path, out = tmp_path / "answers.jsonl", io.StringIO()
    path.write_text(
        '{"prompt": "Where?", "response": "Here it is. Or over there."}\n{"prompt": "Why?", "response": "So."}'
    )
    call_command("attribute", str(version), str(path), *options, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_file_is_told_by_several_methods_and_heads(version, tmp_path):
    options = ("--method", "exact", "shapley", "prefix", "--head", "preference", "segment:wrong")
    found = told(version, tmp_path, *options)
    pairs = [(head, method) for head in ("preference", "segment:wrong") for method in ("exact", "shapley")]
    assert [(r["line"], r["head"], r["method"]) for r in found["rows"]] == [(n, *one) for n in (1, 2) for one in pairs]
    assert [one["method"] for one in found["left_out"]] == ["prefix", "prefix"]
    assert all(r["sum"] + r["residual"] == pytest.approx(r["score"], abs=1e-4) for r in found["rows"])
    assert [len(r["units"]) for r in found["rows"][1::4]] == [2, 1]


def test_nothing_to_be_done_is_one_clear_line(version, tmp_path):
    with pytest.raises(CommandError, match="preference has no prefix reward"):
        told(version, tmp_path, "--method", "prefix")
