"""How good, where? From rows, kept; the known world's weakness recovered; suites and other versions beside."""

import numpy as np
import pytest

from annotate.models import Response
from annotate.services.project import create_project
from annotate.world import SCHEMA, make_world
from inspector.slices.page import Look, against, failed, report
from tests.inspector.making import judge, make_item, make_version, mark, score
from tests.worker.conftest import jsonl
from tests.worker.test_suite import REWARD_BENCH, SECOND, scored, values
from worker.models import SuitePair, SuiteScore
from worker.services.demo import write_world
from worker.services.suite import import_suite

pytestmark = pytest.mark.django_db


def held_out(project, n, category="sums", turns=()):
    """A held-out item; its first response is shorter."""
    item = make_item(project, f"question {n}", f"short {n}", f"a longer answer {n}")
    item.split, item.metadata = "test", {"category": category}
    item.turns = [*turns, *item.turns]
    item.save()
    return item, *item.responses.all()


@pytest.fixture
def forty(project, version):
    """The version is right on sums, and wrong on every second of maths; people prefer the first."""
    made = []
    for n in range(40):
        item, a, b = held_out(project, n, "sums" if n < 20 else "maths")
        score(version, {a: 1.0, b: 2.0 + n if n >= 20 and n % 2 else 0.0})
        judge(item, [[a], [b]], rater_name="Bob" if n % 2 else "Charlie", strength=1 + n % 3)
        made.append((item, a, b))
    return made


def of(found, key):
    return next(row for row in found["slices"] if row["key"] == key)


def test_accuracy_stands_by_slice_beside_its_guesses(version, forty):
    found = report(Look(version))
    whole, maths = found["whole"], of(found, "Category: maths")
    assert (whole["accuracy"].value, whole["accuracy"].n, whole["prompts"]) == (0.75, 40, 40)
    assert (maths["accuracy"].value, maths["else"]) == (0.5, 1.0)
    assert {name: one.value for name, one in whole["guesses"].items()} == {"first": 1, "longer": 0, "majority": 1}
    assert (found["slices"][0]["key"], maths["weak"]) == ("Category: maths", True)
    assert of(found, "Rater: Charlie")["accuracy"].value == 1
    assert of(found, "Rater: Bob")["unit"] == "verdicts"
    assert "surely weaker on category “maths”: 50 % (30–70) of 20, against 100 % elsewhere, and on" in found["sentence"]


def test_corrected_p_is_never_below_the_p(version, forty):
    rows = report(Look(version))["slices"]
    assert all(row["q"] >= row["p"] for row in rows if row["p"] is not None)


def test_the_most_confidently_wrong_comes_first(version, forty):
    found = failed(Look(version))
    assert found.margin.tolist() == [-(1.0 + n) for n in range(39, 20, -2)]
    item, a, b = forty[39]
    assert found.keys[0].tolist() == [item.pk, a.pk, b.pk]
    assert len(failed(Look(version), "Category: maths").margin) == 10
    assert len(failed(Look(version), "Category: sums").margin) == 0


def test_prompts_that_are_trained_on_are_left_out(project, version, forty):
    item = make_item(project, "trained", "one", "two words")
    a, b = item.responses.all()
    score(version, {a: 0.0, b: 1.0})
    judge(item, [[a], [b]])
    assert report(Look(version))["whole"]["accuracy"].n == 40


def test_two_raters_leave_a_ceiling_and_the_majority_decides(project, version):
    for n in range(12):
        item, a, b = held_out(project, n)
        score(version, {a: 1.0, b: 0.0})
        judge(item, [[a], [b]] if n % 2 else [[b], [a]], rater_name="Alice")
        judge(item, [[a], [b]], rater_name="Bob")
        judge(item, [[a], [b]], rater_name="Charlie")
    whole = report(Look(version))["whole"]
    assert (whole["accuracy"].value, whole["accuracy"].n) == (1.0, 12)
    assert whole["agreement"].value == pytest.approx((6 * 1 + 6 / 3) / 12)
    assert whole["agreement"].value < whole["ceiling"].value < 1


def test_pairs_are_told_apart_by_what_they_are(project, version):
    first = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    for n, turns in enumerate(((), first)):
        item, a, b = held_out(project, n, f"kind {n}", turns)
        score(version, {a: 1.0, b: 0.0})
        mark(judge(item, [[a], [b]]), b, "longer")
    found = report(Look(version))
    keys = {row["key"] for row in found["slices"]}
    assert {"Turns: one turn", "Turns: 2 turns", "Category: kind 0"} <= keys
    alike = "language (Latin script)", "source of the chosen (source-0)", "source of the rejected (source-1)"
    assert set(alike) <= set(found["alike"])
    assert any(one.startswith("marked in the rejected (") for one in found["alike"])


def test_what_is_kept_is_what_was_made_and_new_verdicts_make_it_anew(version, forty, django_assert_max_num_queries):
    first = report(Look(version))
    with django_assert_max_num_queries(3):
        assert report(Look(version)) == first
    item, a, b = forty[0]
    judge(item, [[b], [a]], rater_name="Dana", weight=9)
    assert report(Look(version))["whole"]["accuracy"].value == 29 / 40


def test_another_version_stands_beside_it_on_the_same_pairs(project, version, forty):
    other = make_version(project, 2)
    assert against(Look(version), other) == {}
    score(other, {a: 1.0 for _, a, _ in forty[:30]} | {b: 0.0 for *_, b in forty[:30]})
    told = against(Look(version), other)
    assert (told["whole"]["won"], told["whole"]["lost"], told["whole"]["difference"].n) == (0, 5, 30)
    assert told["whole"]["p"] == pytest.approx(2 / 2**5)
    assert told["slices"]["Category: maths"]["lost"] == 5
    assert "Against version 2: −16.7 points" in told["sentence"]


def test_without_scores_or_verdicts_there_is_nothing(project, version):
    assert report(Look(version)) == {}
    _, a, b = held_out(project, 1)
    score(version, {a: 1.0, b: 0.0})
    assert report(Look(version)) == {}


def test_a_suite_is_sliced_by_its_own_rows(project, version):
    suite = import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")
    assert report(Look(version, suite)) == {}
    scored(version, suite, 1, 1, 1, 0, 0.5, 0)
    found = report(Look(version, suite))
    assert found["whole"]["accuracy"].value == pytest.approx(3.5 / 6)
    assert found["whole"]["guesses"]["chance"].value == 0.5
    assert of(found, "Category: math")["accuracy"].value == pytest.approx(1 / 3)
    pair = SuitePair.objects.get(pk=failed(Look(version, suite)).keys[0][1])
    assert SuiteScore.objects.get(pair=pair).chosen == 0


def test_questions_are_sliced_with_the_chance_of_a_guess(project, version):
    suite = import_suite(project=project, name="second", file=jsonl(*SECOND), format="reward-bench")
    values(version, suite, **{"2": 1.0, "3": 2.0, "red": 2.0, "blue": 1.0})
    found = report(Look(version, suite))
    assert of(found, "Category: Math")["guesses"]["chance"].value == 0.25
    assert of(found, "Category: Ties")["guesses"]["chance"].value == pytest.approx((1 / 2 + 1 / 6) / 2)
    keys, margin = vars(failed(Look(version, suite))).values()
    assert (keys[:, 0].tolist(), margin.tolist()) == ([1], [-1.0])
    other = make_version(project, 2)
    values(other, suite, **{"2": 9.0})
    assert against(Look(version, suite), other)["slices"]["Category: Math"]["lost"] == 1


def test_the_planted_weakness_of_the_known_world_is_recovered(alice):
    """The version scores by the gold, but does not mind what is padded: pairs lost by padding are where it fails."""
    project = create_project(slug="known", name="Known", schema=SCHEMA, actor=alice)
    write_world(project=project, world=make_world(questions=150, pool=1, candidates=2, open_pairs=0))
    version, rng, said = make_version(project), np.random.default_rng(0), {}
    for r in Response.objects.filter(item__project=project):
        padded = sum(flaw["category"] == "padding" for flaw in r.metadata["flaws"])
        said[r] = r.metadata["gold"] + 2.0 * padded + rng.normal(0, 0.1)
    score(version, said)
    found = report(Look(version))
    weak = [row["key"] for row in found["slices"] if row["weak"]]
    assert "Marked in the rejected: Padding" in weak
    assert not [key for key in weak if key.startswith(("Language", "Turns", "Source"))]
