"""The heat-map: what it shows, whom it refuses, and how it gets an explanation that is not there yet."""

import html
import re

import pytest
from django.urls import reverse

from tests.inspector.making import explain, judge, make_item, make_version, mark, score
from worker.models import Job
from worker.models.job import JobState

HTMX = {"HX-Request": "true"}


@pytest.fixture
def url(project, version):
    return reverse("inspector:heatmap", args=[project.slug, version.number])


@pytest.fixture
def ask(project, version):
    return reverse("inspector:explain", args=[project.slug, version.number])


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


def explained(version, item):
    for response in item.responses.all():
        explain(version, response, North=-0.4, Baltic=0.3)
        explain(version, response, method="ig", North=-0.7, Baltic=0.2)


def test_both_responses_stand_side_by_side_with_their_sums(browser, url, version, oder):
    explained(version, oder)
    page = browser.get(url).content.decode()
    assert page.count('class="heat"') == 2
    assert 'data-v="-0.4">North</span>' in page
    for part in ("+0.1250</strong> baseline", "−0.2500</strong> features", "+0.0020</strong> residual"):
        assert part in page


def test_baseline_features_tokens_and_residual_add_up_to_the_score(browser, url, version, oder):
    explained(version, oder)
    for side in (browser.get(url).context["map"].left, browser.get(url).context["map"].right):
        sums = side.sums
        assert sums.baseline + sums.features + sums.parts + sums.residual == pytest.approx(sums.score)


def test_the_margin_is_told_by_both_methods(browser, url, version, oder):
    explained(version, oder)
    (exact, ig) = [row.sums for row in browser.get(url, {"mode": "methods"}).context["table"]]
    a, b = oder.responses.all()
    first, second = (version.attributions.get(response=r, method="exact").score for r in (a, b))
    assert exact.score == pytest.approx(first - second)
    assert ig.score != pytest.approx(exact.score)


def test_the_text_on_the_page_is_the_raw_text_escaped(browser, url, version, oder):
    explained(version, oder)
    mark(judge(oder, [[oder.responses.first()], [oder.responses.last()]]), oder.responses.last(), "ds</b> in th")
    page = browser.get(url).content.decode()
    assert "<b>ends" not in page
    boxes = re.findall(r'<div class="heat"[^>]*>(.*?)</div>', page, re.DOTALL)
    shown = [html.unescape(re.sub(r"<[^>]*>", "", box)) for box in boxes]
    assert shown == [response.text for response in oder.responses.all()]


def test_people_s_marks_and_planted_truth_are_told_apart(browser, url, version, oder):
    explained(version, oder)
    a, b = oder.responses.all()
    mark(judge(oder, [[a], [b]]), b, "North Sea")
    b.metadata = {"flaws": [{"start": 17, "end": 26, "category": "wrong"}]}
    b.save()
    answer = browser.get(url)
    assert b"people: Wrong fact" in answer.content
    assert b"planted truth: Wrong fact" in answer.content
    side = answer.context["map"].right
    assert side.auroc.value == pytest.approx(1 - 0.5 * 3 / 8)  # "Sea" ties with the rest, "North" is below all
    assert answer.context["map"].left.auroc.why == "nothing is marked"


def test_surprising_pairs_come_first(browser, url, project, version, oder, other):
    a, b = oder.responses.all()
    c, d, _ = other.responses.all()
    score(version, {a: 0.0, b: 1.0, c: 3.0, d: 0.0})
    judge(oder, [[a], [b]])
    judge(other, [[c], [d]])
    answer = browser.get(url)
    assert [one.surprise for one, _, _ in answer.context["pairs"]] == [-1.0, 3.0]
    assert answer.context["choice"].item == oder
    assert answer.context["against"] == 1
    assert f"item={other.pk}" in answer.context["next"]
    assert answer.context["previous"] == ""


def test_search_keeps_what_matches_and_lists_items_without_a_pair(browser, url, oder, other):
    a, b = oder.responses.all()
    judge(oder, [[a], [b]])
    assert [item for _, item, _ in browser.get(url, {"q": "baltic"}).context["pairs"]] == [oder]
    answer = browser.get(url, {"q": "kilometres"})
    assert (answer.context["pairs"], [item for item, _ in answer.context["others"]]) == ([], [other])


def test_any_two_responses_of_an_item_can_be_chosen(browser, url, other):
    a, _, c = other.responses.all()
    answer = browser.get(url, {"item": other.pk, "a": c.pk, "b": a.pk, "head": "segment:wrong", "method": "ig"})
    choice = answer.context["choice"]
    assert (choice.a, choice.b, choice.head, choice.method) == (c, a, "segment:wrong", "ig")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"item": "x"}, {"item": "999999"}, {"item": "1" * 30}, {"item": "²"}),
        *({"head": "none"}, {"method": "magic"}, {"mode": "odd"}, {"group": "verse"}, {"cut": "all"}),
        *({"level": "101"}, {"level": "-1"}, {"edit": "1"}, {"edit": "x"}),
    ],
)
def test_what_does_not_exist_is_not_found(browser, url, oder, wrong):
    assert browser.get(url, wrong).status_code == 404


def test_a_response_of_another_item_or_project_is_not_found(browser, url, client_of, alice, oder, other):
    assert browser.get(url, {"item": oder.pk, "a": other.responses.first().pk}).status_code == 404
    from annotate.services.project import create_project

    foreign = make_item(create_project(slug="else", name="Else", actor=alice), "Q", "one", "two")
    assert browser.get(url, {"item": foreign.pk}).status_code == 404


def test_without_items_the_page_says_what_to_do(browser, url):
    assert b"Import items" in browser.get(url).content


def test_an_explanation_is_asked_for_once_and_then_waited_for(browser, url, ask, version, oder):
    a, b = oder.responses.all()
    page = browser.get(url).content.decode()
    assert 'hx-trigger="load"' in page
    asked = {"item": oder.pk, "a": a.pk, "b": b.pk, "head": "preference", "method": "exact"}
    fragment = browser.post(ask, asked, headers=HTMX).content.decode()
    assert fragment.strip().startswith('<div id="map">')
    assert "every 700ms" in fragment
    browser.post(ask, asked, headers=HTMX)
    job = Job.objects.get()
    assert job.params == {
        "version": version.pk,
        "responses": [a.pk, b.pk],
        "methods": ["exact"],
        "heads": ["preference"],
    }
    assert b"every 700ms" in browser.get(url, asked, headers=HTMX).content
    explained(version, oder)
    done = browser.get(url, asked, headers=HTMX).content.decode()
    assert "every 700ms" not in done
    assert done.count('class="heat"') == 2
    assert "<html" not in done


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.DONE])
def test_a_failure_is_told_and_tried_again_only_when_asked(browser, url, ask, oder, state):
    a, b = oder.responses.all()
    asked = {"item": oder.pk, "a": a.pk, "b": b.pk}
    browser.post(ask, asked)
    Job.objects.update(state=state, error="the <model> is gone")
    page = browser.get(url, asked).content.decode()
    assert "the &lt;model&gt; is gone" in page
    assert "Try again" in page
    assert 'hx-trigger="load"' not in page
    assert Job.objects.count() == 1
    browser.post(ask, asked, headers=HTMX)
    assert Job.objects.count() == 2


def test_without_javascript_asking_leads_back_to_the_pair(browser, url, ask, oder):
    a, b = oder.responses.all()
    answer = browser.post(ask, {"item": oder.pk, "a": a.pk, "b": b.pk, "head": "segment:wrong"})
    assert answer.status_code == 302
    assert answer.url == f"{url}?item={oder.pk}&a={a.pk}&b={b.pk}&head=segment:wrong&method=exact"


def test_asking_for_nothing_or_for_what_is_known_starts_no_job(browser, ask, version, oder):
    assert browser.post(ask).status_code == 404
    explained(version, oder)
    assert browser.post(ask, {"item": oder.pk}).status_code == 302
    assert not Job.objects.exists()


def test_roles_and_strangers(client_of, bob, charlie, alice, url, ask, oder):
    edit, stop = (reverse(f"inspector:{name}", args=["answers", 1]) for name in ("whatif", "explain_stop"))
    for path, verb in ((url, "get"), (ask, "post"), (edit, "post"), (stop, "post")):
        assert getattr(client_of(charlie), verb)(path).status_code == 404
        assert getattr(client_of(bob), verb)(path).status_code == 403
    assert client_of(alice).get(url).status_code == 200
    assert client_of(alice).post(url).status_code == 405
    assert [client_of(alice).get(path).status_code for path in (ask, edit, stop)] == [405] * 3


def test_a_version_of_another_project_is_not_found(client_of, alice, project):
    from annotate.services.project import create_project

    make_version(create_project(slug="else", name="Else", actor=alice), number=7)
    assert client_of(alice).get(reverse("inspector:heatmap", args=[project.slug, 7])).status_code == 404


def test_missing_scores_are_asked_for_by_an_admin_alone(client_of, alice, researcher, project, url, oder):
    button = reverse("worker:score", args=[project.slug, 1])
    assert button in client_of(alice).get(url).content.decode()
    assert button not in client_of(researcher).get(url).content.decode()


@pytest.mark.parametrize(
    "flaws", ["all", 7, {"start": 0}, [1, None, [], {}], [{"start": "0", "end": [], "category": {}}]]
)
def test_planted_flaws_that_are_none_are_passed_by(browser, url, version, oder, flaws):
    explained(version, oder)
    oder.responses.update(metadata={"flaws": flaws})
    assert browser.get(url).context["map"].left.planted is False
