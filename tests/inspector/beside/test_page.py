"""Raters and model together: whose bias it took over, recovered beside what was planted, and what training weighed."""

import numpy as np
import pytest
from django.urls import reverse

from annotate.agreement import Interval, undefined
from annotate.models import Judgement, Response
from annotate.services.project import create_project
from annotate.world import SCHEMA, make_world
from annotate.world.raters import RATERS
from inspector.beside import page as beside
from inspector.beside.words import sentence
from inspector.length import Look
from tests.inspector.making import judge, make_version, score
from worker.models import Snapshot, SnapshotRow
from worker.services.demo import write_world


@pytest.fixture
def url(project, version):
    return reverse("inspector:beside", args=[project.slug, version.number])


@pytest.fixture
def scored(version, oder, other):
    for item in (oder, other):
        first, second = item.responses.all()[:2]
        score(version, {first: 0.5, second: 1.5})
        judge(item, [[first], [second]], rater_name="Bob <b>")
        judge(item, [[second], [first]], rater_name="Charlie", weight=0.5)


@pytest.fixture
def trained(version, scored):
    """Bob judged first: he is the trainer's rater 1."""
    snapshot = Snapshot.objects.create(project=version.project, sha256="1" * 64, counts={})
    rows = Judgement.objects.order_by("pk")
    SnapshotRow.objects.bulk_create(SnapshotRow(snapshot=snapshot, judgement=row, split="train") for row in rows)
    version.snapshot = snapshot
    version.metrics = {"order_gamma": 0.4, "order_by_rater": {"rater 1": 0.3, "rater 2": 0.5}}
    version.metrics["reliability"] = {"rater 1": 0.8}
    version.save()
    return version


def by_name(version):
    return {row["name"]: row for row in beside.report(Look(version))["rows"]}


def test_the_page_shows_model_and_raters_and_says_whose_bias_it_is(client_of, researcher, url, scored):
    page = client_of(researcher).get(url).content.decode()
    assert "Bob &lt;b&gt;" in page
    assert "Bob <b>" not in page
    assert "No rater&#x27;s length bias is sure" in page


def test_without_scores_the_page_says_what_to_do(client_of, researcher, url, version):
    assert "No scores yet" in client_of(researcher).get(url).content.decode()


def test_roles_strangers_and_methods(client_of, person, alice, bob, url, scored):
    assert client_of(person("stranger")).get(url).status_code == 404
    assert client_of(bob).get(url).status_code == 403
    assert client_of(alice).post(url).status_code == 405


def test_a_version_that_is_none_is_not_found(client_of, alice, project):
    assert client_of(alice).get(reverse("inspector:beside", args=[project.slug, 9])).status_code == 404


def test_agreement_and_wins_are_counted(scored, version):
    rows = by_name(version)
    assert rows["Bob <b>"]["others"].value == 0  # Charlie says the other thing of both pairs
    assert rows["Charlie"]["longer"].value == 1
    assert rows["Model"]["longer"].value == 1
    assert rows["Model"]["first"].n == 2  # pairs, however many people judged them


def test_each_raters_gamma_and_weight_are_those_of_the_training(trained):
    rows = by_name(trained)
    assert rows["Model"]["gamma"].value == 0.4
    assert (rows["Bob <b>"]["gamma"].value, rows["Charlie"]["gamma"].value) == (0.3, 0.5)
    assert (rows["Bob <b>"]["used"], rows["Bob <b>"]["trained"]) == (2, 2)
    assert rows["Charlie"]["reliability"] == 0.8  # of whom nothing was known: the mean of the others
    assert rows["Charlie"]["share"] == pytest.approx(1 / 3)  # by the judgements' own weights


def test_gamma_has_an_interval_where_the_version_kept_its_error(client_of, alice, url, trained):
    before = by_name(trained)["Charlie"]["gamma"]
    assert (before.low, before.why) == (None, "learned in training, which keeps no interval")
    trained.metrics |= {"order_error": 0.1, "order_error_by_rater": {"rater 1": 0.2, "rater 2": 0.05}}
    trained.save()
    page = client_of(alice).get(url).content.decode()
    for said in ("+0.204 to +0.596", "−0.092 to +0.692", "+0.402 to +0.598", "γ = +0.40 (+0.20 to +0.60) aside"):
        assert said in page


def test_gamma_is_undefined_where_none_was_learned(scored, version):
    assert by_name(version)["Model"]["gamma"].why == "the recipe learned none"


def test_a_recipe_without_reliability_weighs_all_alike(scored, version):
    assert by_name(version)["Charlie"]["reliability"] is None


def test_held_out_agreement_is_of_held_out_prompts_alone(scored, version, oder):
    type(oder).objects.filter(pk=oder.pk).update(split="test")
    assert by_name(version)["Bob <b>"]["held_out"].n == 1


@pytest.fixture
def known_world(alice):
    """A version that likes length as its raters do on average, .7 for 20 words, and sees no order; tokens are words."""
    project = create_project(slug="known", name="Known", schema=SCHEMA, actor=alice)
    write_world(project=project, world=make_world(questions=160, pool=1, candidates=2, open_pairs=0))
    rng, said = np.random.default_rng(3), {}
    for r in Response.objects.filter(item__project=project):
        said[r] = 1.4 * r.metadata["gold"] + 0.7 * len(r.text.split()) / 20 + rng.normal(0, 0.3)
    version = make_version(project)
    score(version, said)
    return version


def test_the_planted_biases_are_recovered_beside_the_truth(known_world):
    rows = by_name(known_world)
    for rater in RATERS:
        told = rows[rater.name]
        assert told["order"].low <= rater.order <= told["order"].high, rater.name
        assert 0 < told["length"].low <= rater.length <= told["length"].high, rater.name
    model = rows["Model"]
    assert model["length"].low <= 0.7 <= model["length"].high
    assert model["first"].low <= 0.5 <= model["first"].high
    assert rows["Ines Karvo"]["gold"].low > rows["Greta Olund"]["gold"].value  # 1.8 and 1.0 log-odds per point of gold


FAIR, UNKNOWN = Interval(0.5, 0.45, 0.55, 400), undefined("few")


def row(name, length, order=UNKNOWN, first=FAIR, gamma=UNKNOWN):
    return {"name": name, "length": length, "order": order, "first": first, "gamma": gamma}


MODEL, SAME, MORE = Interval(0.4, 0.3, 0.5, 9), Interval(0.45, 0.35, 0.6, 9), Interval(0.9, 0.8, 1.0, 9)
NONE = Interval(0.0, -0.1, 0.1, 9)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row("Model", MODEL), row("Bob", SAME)], "It took over the length bias of Bob: the intervals overlap."),
        ([row("Model", MODEL), row("Bob", SAME), row("Alice", MORE)], "overlap; that of Alice (+0.90) lies apart."),
        ([row("Model", MODEL), row("Alice", MORE)], "It is nobody's length bias: that of Alice (+0.90) lies apart."),
        ([row("Model", NONE), row("Bob", SAME)], "It surely leans neither way: it took over nobody's length bias."),
        ([row("Model", MODEL), row("Bob", NONE)], "No rater's length bias is sure"),
        ([row("Model", undefined("few")), row("Bob", SAME)], "cannot be said: few."),
        ([row("Model", MODEL)], "nobody to hold the model against"),
        ([row("Model", MODEL), row("Bob", SAME, order=MODEL)], "Being shown first counts for Bob (+0.40);"),
        ([row("Model", MODEL, first=Interval(0.7, 0.6, 0.8, 9)), row("Bob", SAME)], "some of it got in."),
        ([row("Model", MODEL, gamma=Interval(0.4, None, None, 0)), row("Bob", SAME)], "put γ = +0.40 aside for it."),
    ],
)
def test_the_sentence_says_whose_bias_it_is(rows, words):
    assert words in sentence(rows)
