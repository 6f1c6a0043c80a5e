"""What if a response were another? Asked for from the heat-map, waited for, and shown beside the original."""

import pytest
from django.urls import reverse

from tests.inspector.making import explain, make_version, score
from worker.models import Edit, EditAttribution, Job
from worker.models.job import JobKind, JobState


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def to(project, version):
    return lambda name: reverse(f"inspector:{name}", args=[project.slug, version.number])


@pytest.fixture
def told(version, oder):
    a, b = oder.responses.all()
    score(version, {a: 1.0, b: 0.5})
    return [explain(version, response) for response in (a, b)]


@pytest.fixture
def asked(browser, to, oder, told):
    """Rita asked what b would be worth in the Baltic."""
    a, b = oder.responses.all()
    form = {"item": oder.pk, "a": b.pk, "b": a.pk, "text": "In the Baltic Sea 😀.", "level": "20"}
    return browser.post(to("whatif"), form)


def arrives(edit):
    """What the worker writes of it."""
    start = edit.text.index("Baltic")
    tokens = [{"text": "Baltic", "start": start, "end": start + 6, "part": "response", "value": 1.25}]
    own = {"edit": edit, "head": "preference", "method": "exact", "tokens": tokens}
    EditAttribution.objects.create(**own, baseline=0.0, residual=0.25, score=1.5)
    Edit.objects.filter(pk=edit.pk).update(scores={"preference": 1.5, "segment:wrong": -2.0})
    Job.objects.filter(kind=JobKind.WHATIF).update(state=JobState.DONE)
    return edit


def test_an_edit_is_asked_for_and_leads_to_a_stable_link(asked, to):
    edit = Edit.objects.get()
    assert edit.text == "In the Baltic Sea 😀."
    assert asked.url.startswith(to("heatmap"))
    assert f"edit={edit.pk}&head=preference&method=exact&level=20" in asked.url
    assert Job.objects.get().kind == JobKind.WHATIF


def test_the_page_waits_until_the_worker_has_read_it(browser, asked):
    assert b"every 700ms" in browser.get(asked.url).content
    arrives(Edit.objects.get())
    assert b"every 700ms" not in browser.get(asked.url).content


def test_both_texts_are_shown_with_the_change_and_every_head_s_difference(browser, asked, told):
    edit = arrives(Edit.objects.get())
    explain(edit.version, edit.response, head="segment:wrong")
    answer = browser.get(asked.url)
    original, edited = answer.context["map"].sides
    assert (original.side.text, edited.side.text) == (edit.response.text, edit.text)
    assert answer.context["map"].margin.score == pytest.approx(1.5 - original.sums.score)
    preference, attribute, segment = answer.context["changes"]
    assert (preference.before, preference.after, preference.by) == (0.5, 1.5, 1.0)
    assert (attribute.head, attribute.by) == ("attribute:helpful", None)
    assert segment.by == pytest.approx(-2.0 - segment.before)


def test_edits_are_listed_with_their_scores_and_the_one_before_is_an_undo(browser, to, asked, oder):
    a, b = oder.responses.all()
    first = arrives(Edit.objects.get())
    again = browser.post(to("whatif"), {"item": oder.pk, "a": b.pk, "b": a.pk, "text": "In the Oder."})
    answer = browser.get(again.url)
    assert [(one.score, one.by) for one in answer.context["edits"]] == [(None, None), (1.5, 1.0)]
    assert f"edit={first.pk}" in answer.context["undo"]
    assert browser.get(asked.url).context["undo"] == ""
    assert "Back to the original" in answer.content.decode()
    assert "2 edits of these responses" in browser.get(to("heatmap"), {"item": oder.pk}).content.decode()


def test_another_head_of_an_edit_is_asked_for_too(browser, to, asked, oder):
    edit = arrives(Edit.objects.get())
    form = {"item": oder.pk, "edit": edit.pk, "head": "segment:wrong", "method": "exact"}
    browser.post(to("explain"), form)
    kinds = [(job.kind, job.params["heads"]) for job in Job.objects.order_by("-pk")[:2]]
    assert kinds == [("whatif", ["segment:wrong"]), ("attribute", ["segment:wrong"])]


@pytest.mark.parametrize(("text", "says"), [(" \n", "The text is empty"), ("a\0", "paste it again as plain text")])
def test_what_cannot_be_scored_is_told_beside_what_was_written(browser, to, oder, told, text, says):
    answer = browser.post(to("whatif"), {"item": oder.pk, "text": text})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Edit.objects.exists()


def test_a_failed_reading_is_told_and_can_be_tried_again(browser, to, asked):
    Job.objects.update(state=JobState.FAILED, error="the <worker> fell")
    page = browser.get(asked.url).content.decode()
    assert "the &lt;worker&gt; fell" in page
    assert "Try again" in page
    edit = Edit.objects.get()
    browser.post(to("explain"), {"item": edit.response.item_id, "edit": edit.pk})
    assert Job.objects.filter(kind=JobKind.WHATIF, state=JobState.QUEUED).count() == 1


def test_an_edit_is_found_with_its_own_item_and_version_alone(browser, to, asked, other, project):
    edit = Edit.objects.get()
    assert browser.get(to("heatmap"), {"item": other.pk, "edit": edit.pk}).status_code == 404
    elsewhere = make_version(project, 2)
    url = reverse("inspector:heatmap", args=[project.slug, elsewhere.number])
    assert browser.get(url, {"edit": edit.pk}).status_code == 404
