"""Raters of known habits, and a page that tells them."""

import numpy as np
import pytest

from annotate.agreement import cohen
from annotate.models import Item, Judgement
from annotate.models.judgement import Source
from annotate.services.judgement import store_judgements
from annotate.services.project import change_schema
from annotate.services.reliability import due, fit
from annotate.services.tally import count_waiting
from annotate.services.task import make_tasks
from inspector.people import (
    agreement_figure,
    agreement_sentence,
    cohen_of,
    questions,
    raters_figure,
    raters_of,
    raters_sentence,
)
from inspector.rows import judged_pairs
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db
PAIRS = 40


@pytest.fixture
def judged(project):
    """Ann and Ben know the truth (the first of the file), Cem always takes the left, a machine the longer."""
    items = [
        make_item(project, f"q{n}", *sorted([f"right {n}", f"wrong, and longer {n}"], reverse=n % 3 == 0))
        for n in range(PAIRS)
    ]
    make_tasks(project=project, items=Item.objects.filter(pk__in=[item.pk for item in items]))
    rows = []
    for n, task in enumerate(project.tasks.order_by("pk")):
        right, wrong = (response.pk for response in task.responses.order_by("text"))
        shown = [right, wrong] if n % 2 else [wrong, right]
        says = {"ann": right, "ben": right, "cem": shown[0], "gpt": wrong}
        for rater, best in says.items():
            ranking = [[best], [wrong if best == right else right]]
            row = {"task": task.pk, "shown_order": shown, "outcome": "ranking", "ranking": ranking}
            row |= {
                "rater_name": rater,
                "idempotency_key": f"{rater} {n}",
                "active_ms": 40 if rater == "cem" else 30_000,
            }
            rows.append(row | {"source": Source.MACHINE if rater == "gpt" else Source.IMPORTED})
    store_judgements(project=project, rows=rows, source=Source.IMPORTED)
    count_waiting(seconds=60)
    return project


def by_name(project):
    return {row.name: row for row in raters_of(project)}


def test_habits_are_seen_with_their_intervals(judged):
    found = by_name(judged)
    assert (found["cem"].left.value, found["ann"].left.value) == (1.0, 0.5)
    assert [row.sided for row in (found["cem"], found["ann"])] == [True, False]
    assert (found["ann"].longer.value, found["gpt"].longer.value, found["cem"].longer.value) == (0.0, 1.0, 0.5)
    assert [row.hasty for row in (found["cem"], found["ben"])] == [True, False]
    assert found["ann"].seconds.value == pytest.approx(30, rel=0.05)
    assert found["ann"].judged == PAIRS


def test_the_reliable_are_told_from_one_who_looks_at_the_side_only(judged):
    assert due(judged)
    assert fit(project=judged) == 3
    assert not due(judged)
    found = by_name(judged)
    assert found["ann"].truth.value > 0.95
    assert found["cem"].truth.value == pytest.approx(0.5, abs=0.05)
    assert "circle" in found["ann"].follows.why


def test_two_raters_beyond_chance(judged):
    assert cohen_of(judged, "name:ann", "name:ben").value == 1.0
    assert cohen_of(judged, "name:ann", "name:cem").value == pytest.approx(0.0)
    assert cohen_of(judged, "name:ann", "name:nobody").why


def test_machines_stand_beside_people_and_are_never_among_them(judged):
    preference = questions(judged)[0]
    assert preference.key == "preference"
    # Of three people two always agree, and the third with both in half of the pairs: (1 + ½ + ½) / 3.
    assert preference.people["percent"].value == pytest.approx(2 / 3)
    assert preference.across["percent"].value == pytest.approx(1 / 6)
    assert preference.machines["alpha"].value is None
    assert preference.people["alpha"].n == PAIRS
    assert "67 % of 40 pairs" in agreement_sentence([preference])


def test_charts_draw_what_the_tables_hold(judged):
    rows, by_question = raters_of(judged), questions(judged)
    left, longer = raters_figure(rows)["data"]
    assert left["y"] == longer["y"] == [row.name for row in rows]
    assert (left["x"], longer["x"]) == ([row.left.value for row in rows], [row.longer.value for row in rows])
    people, machines = agreement_figure(by_question)["data"]
    assert people["x"] == [row.people["alpha"].value for row in by_question]
    assert (len(people["x"]), machines["x"]) == (2, [])


def test_the_raters_are_told_in_a_sentence(judged):
    rows = raters_of(judged)
    assert raters_sentence(rows) == (
        "4 raters gave 160 judgements. Surely favouring a side: cem (left wins 100 %). "
        "Surely too fast more than one time in twenty: cem."
    )
    fair = [row for row in rows if row.name == "ann"]
    assert raters_sentence(fair) == "1 rater gave 40 judgements. Nobody surely favours a side."


def test_without_a_second_judgement_it_says_so(project):
    assert agreement_sentence(questions(project)) == (
        "How far people agree on the better response cannot be said: not worked out yet."
    )
    assert raters_of(project) == []


# ---- The pages


@pytest.fixture
def see(judged, client_of, alice):
    def get(page, **how):
        return client_of(alice).get(f"/p/{judged.slug}/agreement/{page}", **how)

    return get


def test_the_agreement_page_shows_each_question_and_leads_to_the_disputes(see):
    html = see("").content.decode()
    assert "α = " in html
    assert "?question=preference" in html
    assert "People and machines" in html
    assert "16.7 %" in html  # how often a person says what the machine says
    fragment = see("", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "Which is better" in fragment


def test_disputes_are_listed_with_the_share_that_disagrees(see, judged):
    html = see("disputes/").content.decode()
    assert "20 tasks" in html
    assert "67 %" in html
    assert see("disputes/?question=clarity__password").status_code == 404
    assert "No disagreement" in see("disputes/?question=criterion:helpful").content.decode()
    assert "page 1 of 1" not in see("disputes/?page=junk").content.decode()


def test_the_raters_page_compares_two(see):
    html = see("raters/").content.decode()
    assert html.count("too fast</span>") == 1
    both = see("raters/?first=name:ann&second=name:ben", headers={"HX-Request": "true"}).content.decode()
    assert "on 40 pairs" in both
    assert "1.00" in both
    assert "Choose two raters" in see("raters/?first=name:ann&second=name:ann").content.decode()
    assert "Choose two raters" in see("raters/?first=user:1__x&second=name:ann").content.decode()


@pytest.fixture
def rated(project):
    """Ann and Ben rate both responses of two tasks, and mark different words of one response."""
    items = [make_item(project, f"q{n}", f"good {n}", f"bad {n}") for n in range(2)]
    make_tasks(project=project, items=items)
    rows = []
    for n, task in enumerate(project.tasks.order_by("pk")):
        for rater, level in (("ann", 1 + n), ("ben", 2 + 3 * n)):
            ids = [response.pk for response in task.responses.order_by("-text")]
            ratings = {pk: {"helpful": level, "clarity": level} for pk in ids}
            mark = {"response": ids[0], "category": "wrong", "start": 0, "end": 4, "quote": "good"}
            if rater == "ben" and n:
                mark |= {"end": 3, "quote": "goo"}
            row = {"task": task.pk, "shown_order": ids, "outcome": "tie", "ratings": ratings, "spans": [mark]}
            rows.append(row | {"rater_name": rater, "idempotency_key": f"{rater} {n}"})
    store_judgements(project=project, rows=rows, source=Source.IMPORTED)
    count_waiting(seconds=60)
    return project


def test_ratings_show_their_intraclass_correlation(rated, client_of, alice):
    html = client_of(alice).get(f"/p/{rated.slug}/agreement/").content.decode()
    assert "ICC(1)" in html
    helpful = next(row for row in questions(rated) if row.key == "criterion:helpful")
    # Means 1.5, 1.5, 3.5, 3.5 of two ratings each: BMS = 2 · 4 / 3 and WMS = (½ + ½ + 4½ + 4½) / 4.
    between, within = 8 / 3, 2.5
    assert helpful.people["icc"].value == pytest.approx((between - within) / (between + within))
    assert helpful.people["icc_mean"].value == pytest.approx((between - within) / between)
    assert f"{helpful.people['icc'].value:.2f} (" in html.replace("−", "-")
    assert [row.label for row in questions(rated) if row.key == "rubric"] == ["Rubric, weighted mean"]


def test_a_project_without_ratings_has_no_column_for_them(see):
    assert "ICC" not in see("").content.decode()


def test_where_people_mark_leads_to_the_tasks_on_which_they_differ(rated, client_of, alice):
    browser = client_of(alice)
    assert "?question=spans%3Awrong" in browser.get(f"/p/{rated.slug}/agreement/").content.decode()
    page = browser.get(f"/p/{rated.slug}/agreement/disputes/?question=spans:wrong")
    assert [row.task.item.prompt for row in page.context["page"]] == ["q1"]
    assert '<option value="spans:wrong" selected>' in page.content.decode()


def test_two_raters_of_rankings_are_sure_by_the_task(project):
    item_rows = [make_item(project, f"q{n}", "a", "b", "c") for n in range(24)]
    change_schema(project=project, schema=project.schema.model_copy(update={"arrangement": "all"}))
    make_tasks(project=project, items=item_rows)
    rows = []
    for n, task in enumerate(project.tasks.order_by("pk")):
        ids = list(task.responses.order_by("text").values_list("pk", flat=True))
        for rater in ("ann", "ben"):
            order = ids if (rater == "ann" and n % 2) or (rater == "ben" and n % 4 == 1) else ids[::-1]
            row = {"task": task.pk, "shown_order": ids, "outcome": "ranking", "ranking": [[pk] for pk in order]}
            rows.append(row | {"rater_name": rater, "idempotency_key": f"{rater} {n}"})
    store_judgements(project=project, rows=rows, source=Source.IMPORTED)
    kappa, alone = cohen_of(project, "name:ann", "name:ben"), cohen(np.array([[12, 0], [6, 6]]))
    assert (kappa.n, kappa.value) == (72, pytest.approx(alone.value))  # all three pairs of a task say the same
    assert (kappa.low, kappa.high) == pytest.approx((alone.low, alone.high), abs=0.05)


@pytest.mark.parametrize("page", ["", "disputes/", "raters/"])
def test_an_empty_project_says_what_to_do(project, client_of, alice, page):
    html = client_of(alice).get(f"/p/{project.slug}/agreement/{page}").content.decode()
    assert 'class="empty"' in html


@pytest.mark.parametrize("page", ["", "disputes/", "raters/"])
def test_who_may_see_it(judged, client_of, bob, charlie, page):
    url = f"/p/{judged.slug}/agreement/{page}"
    assert client_of(bob).get(url).status_code == 403
    assert client_of(charlie).get(url).status_code == 404
    assert client_of(bob).post(url).status_code == 405


def test_pages_do_not_scan_the_judgements(judged, client_of, alice, django_assert_max_num_queries):
    browser = client_of(alice)
    for page, most in (("", 13), ("disputes/", 10), ("raters/", 13)):
        with django_assert_max_num_queries(most):
            browser.get(f"/p/{judged.slug}/agreement/{page}")
    assert not Judgement.objects.filter(tallied=False).exists()


def test_gold_repeats_and_machines_are_not_what_people_said(judged):
    assert judged.judgements.of_people().count() == 3 * PAIRS
    judged.judgements.filter(rater_name="ann").update(kind="gold")
    judged.judgements.filter(rater_name="ben").update(kind="adjudication")
    assert set(judged.judgements.of_people().values_list("rater_name", flat=True)) == {"ben", "cem"}
    assert {pair.judgements for pair in judged_pairs(judged)} == {2}
