"""The page of drift: of a version, of a metric alone, of a policy's training; and the form that adds files to it."""

import io
import json
import re

import numpy as np
import pytest
from django.urls import reverse

from annotate.models import Item
from annotate.services.project import create_project
from annotate.world import SCHEMA, make_world
from annotate.world.answers import PADDING
from tests.inspector.drift.test_page import rollouts
from tests.inspector.making import judge, make_item, make_pool, make_version
from worker.models import PolicyRun, Pool
from worker.services.columns import keep_columns
from worker.services.demo import write_world
from worker.services.policy_run import import_run
from worker.services.pool import import_table

ADD = "/p/answers/pools/import/"
PAGE = "/p/answers/drift/"


@pytest.fixture
def url(project, version):
    return reverse("inspector:drift", args=[project.slug, version.number])


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def pool(project, version):
    values = [(float(i), float(10 - abs(i - 10))) for i in range(16)]
    return make_pool(project, version, {"p": values, "q": values[::-1]})


def table(project, text="story,gold,BLEU\na,1,.5\na,2,.25\nb,3,.5\nb,4,.75\n"):
    return import_table(project=project, name="table", file=io.BytesIO(text.encode()), prompt="story", gold=["gold"])


def figure_of(answer):
    """The figure in the page, with the id that the chart names."""
    page = answer.content.decode()
    name = re.search(r'data-figure="([^"]+)"', page)[1]
    return json.loads(re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page)[1])


def test_the_page_shows_figure_fits_residuals_words_and_table(browser, url, pool):
    answer = browser.get(url)
    names = [trace.get("name") for trace in figure_of(answer)["data"]]
    assert {"proxy", "gold", "gold by noise alone", "fit d(α − βd)", "fit d(α − β ln d)"} <= set(names)
    page, report = answer.content.decode(), answer.context["report"]
    assert all(words in page for words in (report.sentence, report.alarm, report.kind))
    assert 'data-figure="residuals"' in page
    assert [point.point for point in answer.context["points"]] == [1, 2, 3, 4, 6, 8, 12, 16]


def test_the_axis_is_chosen_and_steps_are_of_runs_alone(browser, url, pool):
    assert "KL" in figure_of(browser.get(url, {"x": "kl"}))["layout"]["xaxis"]["title"]["text"]
    assert "√KL" in figure_of(browser.get(url, {"x": "step"}))["layout"]["xaxis"]["title"]["text"]
    assert browser.get(url).content.count(b'<option value="step"') == 0


def test_a_pool_that_the_version_has_not_scored_says_so(browser, url, project, pool):
    other = make_pool(project, make_version(project, 2), {"p": [(1.0, 2.0)]})
    answer = browser.get(url, {"pool": other.pk})
    assert answer.context["asked"].pool == other
    assert b"has not scored the pool" in answer.content


def test_proxy_and_gold_are_chosen_and_the_link_keeps_them(browser, url, project, version, pool):
    keep_columns(pool=pool, columns={"gold": np.arange(32.0), "chrF": np.arange(32.0)[::-1]})
    page = browser.get(url, {"proxy": "metric:chrF", "gold": "metric:gold"}).content.decode()
    assert '<option value="metric:chrF" selected>chrF</option>' in page
    assert "against the gold from the start" in page
    assert "proxy=metric%3AchrF" in page


def test_without_a_pool_the_page_leads_to_the_form(client_of, alice, browser, url):
    assert b"An admin of this project can add a file" in browser.get(url).content
    assert f'href="{ADD}"' in client_of(alice).get(url).content.decode()


def test_a_table_is_shown_without_a_version(browser, project):
    pool = table(project)
    answer = browser.get(PAGE, {"pool": pool.pk})
    assert answer.context["asked"].proxy == "metric:BLEU"
    assert figure_of(answer)["data"]
    assert b"hx-trigger" not in answer.content


def test_a_pool_of_gold_alone_says_what_is_missing(browser, project, version, pool):
    assert b"has no metric beside its gold" in browser.get(PAGE).content


def test_a_flat_pool_says_why_there_is_no_curve(browser, url, project, version):
    make_pool(project, version, {"p": [(1.0, 1.0), (1.0, 2.0)]})
    assert b"same score" in browser.get(url).content


def test_a_policys_training_is_shown_over_its_steps(browser, project):
    run = import_run(project=project, name="ppo", file=rollouts())
    answer = browser.get(PAGE, {"pool": f"run-{run.pk}", "x": "step"})
    assert answer.context["report"].sentence in answer.content.decode()
    assert "before it turns at step 200" in answer.content.decode()
    assert "108.0" in answer.content.decode()  # mean length of the last step


def test_versions_and_rules_come_side_by_side(browser, url, project, version, pool):
    members = {f"member:{n}": np.random.default_rng(n).normal(size=32) for n in range(2)}
    keep_columns(pool=pool, version=version, columns={"preference": np.arange(32.0), **members})
    keep_columns(pool=pool, version=make_version(project, 2), columns={"preference": np.arange(32.0)[::-1]})
    page = browser.get(url, {"part": "others"}, headers={"HX-Request": "true"}).content.decode()
    assert all(name in page for name in ("worst member (WCO)", "UWO", "version 2: preference", 'data-figure="side"'))
    assert 'id="side-says">At the largest n gold gains most by ' in page
    assert "<html" not in page


def test_scores_that_moved_are_told_with_p(browser, url, project, version, pool):
    second = make_version(project, 2)
    keep_columns(pool=pool, version=second, columns={"preference": np.arange(32.0) ** 3})
    later = url.replace("versions/1", "versions/2")
    page = browser.get(later, {"part": "moved"}).content.decode()
    assert "of 1 compared" in page or "of 1 heads" in page
    assert "Version 1 against this one on the same 32 candidates" in page
    assert "No earlier version" in browser.get(url, {"part": "moved"}).content.decode()


@pytest.mark.parametrize(
    "wrong", ["pool=999", "pool=x", "pool=run-1", "x=n", "proxy=rule:wco", "gold=metric:x", "part=all"]
)
def test_what_does_not_exist(browser, url, pool, wrong):
    assert browser.get(f"{url}?{wrong}").status_code == 404


def test_a_pool_of_another_project_is_not_found(browser, url, alice, pool):
    project = create_project(slug="else", name="Else", actor=alice)
    foreign = make_pool(project, make_version(project), {"p": [(1.0, 1.0)]})
    assert browser.get(url, {"pool": foreign.pk}).status_code == 404


def test_who_may(client_of, bob, charlie, alice, project):
    for url, right in ((PAGE, alice), (ADD, alice)):
        assert client_of(charlie).get(url).status_code == 404
        assert client_of(bob).get(url).status_code == 403
        assert client_of(right).get(url).status_code == 200
    assert client_of(alice).post(PAGE).status_code == 405
    assert client_of(alice).delete(ADD).status_code == 405


def add(browser, text, **values):
    file = io.BytesIO(text.encode())
    file.name = "a.csv"
    return browser.post(ADD, {"kind": "table", "name": "t", "prompt": "story", "gold": "gold", "file": file} | values)


def test_a_table_comes_by_form_and_leads_to_its_page(client_of, alice, project):
    answer = add(client_of(alice), "story,gold,BLEU\na,1,.5\na,2,.25\n")
    assert answer["Location"] == f"{PAGE}?pool={Pool.objects.get().pk}"


def test_rollouts_and_a_pool_come_by_form(client_of, alice, project):
    browser = client_of(alice)
    answer = add(browser, rollouts().getvalue().decode(), kind="run")
    assert answer["Location"] == f"{PAGE}?pool=run-{PolicyRun.objects.get().pk}"
    row = {"prompt": "Why?", "responses": [{"text": "So.", "metadata": {"gold": 1}}]}
    assert add(browser, json.dumps(row), kind="pool").status_code == 302
    assert Pool.objects.get().texts


def test_a_pool_of_what_was_judged_here_needs_no_file(client_of, alice, project):
    asked = {"kind": "judged", "name": "ours"}
    refused = client_of(alice).post(ADD, asked)
    assert refused.status_code == 422
    assert "no held-out prompt has 2 responses" in refused.content.decode()
    item = make_item(project, "Why?", "a", "b")
    Item.objects.filter(pk=item.pk).update(split="test")
    judge(item, [[one] for one in item.responses.all()])
    assert client_of(alice).post(ADD, asked)["Location"] == f"{PAGE}?pool={Pool.objects.get().pk}"
    assert "Choose a file." in client_of(alice).post(ADD, asked | {"kind": "run"}).content.decode()


def test_what_people_said_here_is_the_gold_from_the_form_to_the_page(client_of, alice, browser, project, version):
    """Of each prompt four answers, of which people prefer the third; the version prefers the fourth."""
    for n in range(6):
        item = make_item(project, f"question {n}", *(f"answer {k} to {n}" for k in range(4)))
        Item.objects.filter(pk=item.pk).update(split="test")
        a, b, c, d = item.responses.all()
        judge(item, [[c], [b], [a], [d]])
    address = client_of(alice).post(ADD, {"kind": "judged", "name": "ours"})["Location"]
    pool = Pool.objects.get()
    assert browser.get(address).status_code == 200  # nothing to hold against the gold yet
    proxy = [float(text.split()[1]) for text in pool.candidates.order_by("pk").values_list("text", flat=True)]
    keep_columns(pool=pool, columns={"preference": proxy}, version=version)
    answer = browser.get(reverse("inspector:drift", args=[project.slug, version.number]), {"pool": pool.pk})
    drift = answer.context["report"].drift
    assert (drift.prompts, drift.candidates, drift.points.tolist()) == (6, 4, [1, 2, 3, 4])
    assert drift.gold.raw == pytest.approx([1 / 2, 4 / 9, 1 / 4, 0])  # of n drawn, the last: by hand
    assert drift.turned
    assert answer.context["report"].sentence in answer.content.decode()


def test_only_who_manages_makes_a_pool_of_what_was_judged(client_of, bob, charlie, researcher, project):
    for user, status in ((charlie, 404), (bob, 403), (researcher, 403)):
        assert client_of(user).post(ADD, {"kind": "judged", "name": "ours"}).status_code == status
    assert not Pool.objects.exists()


@pytest.mark.parametrize(
    ("sent", "why"),
    [({"name": ""}, "This field is required"), ({"name": "x" * 121}, "at most 120"), ({"name": "taken"}, "already")],
)
def test_a_pool_of_what_was_judged_wants_a_name_of_its_own(client_of, alice, project, version, sent, why):
    make_pool(project, version, {"p": [(0.0, 0.0), (1.0, 1.0)]})
    Pool.objects.update(name="taken")
    answer = client_of(alice).post(ADD, {"kind": "judged"} | sent)
    assert (answer.status_code, Pool.objects.count()) == (422, 1)
    assert why in answer.content.decode()


def test_the_turn_of_the_known_world_is_recovered_on_the_page(client_of, alice):
    """The version knows of no cost of padding, and likes length as its raters do: .7 for 20 words."""
    project = create_project(slug="known", name="Known", schema=SCHEMA, actor=alice)
    world = make_world(questions=1, open_pairs=0)
    write_world(project=project, world=world)
    version, pool = make_version(project), project.pools.get()
    rng, rows = np.random.default_rng(4), pool.candidates.order_by("pk").values_list("text", "gold")
    cost = {one.text: PADDING * sum(f[2] == "padding" for f in one.flaws) ** 3 for q in world.pool for one in q.answers}
    said = [1.4 * (g + cost[text]) + 0.7 * len(text.split()) / 20 + rng.normal(0, 0.3) for text, g in rows]
    keep_columns(pool=pool, columns={"preference": said}, version=version)
    address = reverse("inspector:drift", args=[project.slug, version.number])
    answer = client_of(alice).get(address, {"pool": pool.pk})
    found = answer.context["report"]
    assert found.drift.kind == "extremal"
    assert found.drift.peak.high < 64
    assert found.drift.alarm is not None
    assert "Gold turns over" in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "values", "why"),
    [
        ("story,gold\na,x\n", {}, "line 2 has no number gold"),
        ("story,gold\na,1\n", {"prompt": ""}, "A table wants the column"),
        ("story,gold\na,1\n", {"without": "x"}, "is not COLUMN=VALUE"),
        ("story,gold\na,1\n", {"gold": " , "}, "at least one column"),
        ("story,gold\na,1\n", {"kind": "x"}, "not one of the available choices"),
        ("step,kl,reward,gold\n0,0,1,\n", {"kind": "run"}, "line 2 has no number gold"),
    ],
)
def test_a_bad_file_is_named_in_the_form_and_nothing_is_kept(client_of, alice, project, text, values, why):
    answer = add(client_of(alice), text, **values)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not Pool.objects.exists()


def test_a_file_that_is_too_large_goes_by_command(client_of, alice, project, monkeypatch):
    monkeypatch.setattr("worker.pool_form.LARGEST", 5)
    assert "use manage.py import_pool" in add(client_of(alice), "story,gold\na,1\n").content.decode()
