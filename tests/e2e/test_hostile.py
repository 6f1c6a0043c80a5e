"""Hostile text in every place that the pages print: nothing of it runs, becomes an element, or asks another machine.

And what an annotator's browser receives while judging tells nothing of sources, truth, scores or other answers.
"""

import io
import json

import pytest
from django.urls import reverse

from annotate.models import Assignment, Item, Judgement, Project
from annotate.schema import Category, Criterion, Schema
from annotate.services.invite import create_invite
from annotate.services.item import import_items
from annotate.services.project import add_member, change_schema, change_settings, create_project
from annotate.services.queue import lease_next
from tests.inspector.making import explain, judge, make_pool, make_version, mark, score
from worker.models import Job, JobEvent

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
SHORT = """</title>"'><x-evil onfocus=evil() autofocus>"""
CORPUS = [
    SHORT, "<script>evil()</script>", "</script><script>evil()</script>", "<img src=//evil.example/x onerror=evil()>",
    "<svg/onload=evil()><x-evil>", '<iframe srcdoc="<script>evil()</script>">', "</textarea><x-evil>",
    "</style><x-evil>", "--><x-evil>", "]]><x-evil>", "&lt;x-evil&gt; &#x3c;x-evil&#x3e;", "<template><x-evil>",
    "<base href=//evil.example/>", "<meta http-equiv=refresh content=0;url=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>", "<form action=//evil.example><button>x", "<object data=x>",
    "<details open ontoggle=evil()>", '<div hx-get="/logout/" hx-trigger="load">', "<b style='background:red'>",
    "<math><mtext></mtext><x-evil></math>", "[a](javascript:evil())", "[a](data:text/html,<script>evil()</script>)",
    "[a][b]\n\n[b]: javascript:evil() '\"><x-evil>'", "![a](https://evil.example/x.png)", "<javascript:evil()>",
    r"$\text{<x-evil>}$ $\href{javascript:evil()}{x}$ $\style{background:url(//evil.example)}{x}$",
    r"$$x</math><x-evil>$$", '```"><x-evil>\n</code></pre><x-evil>\n```', "| <x-evil> |\n|-|\n| <x-evil> |",
    "{{ 7|add:7 }} {% debug %}", "\u202e \u2028 \x1b[31m \ufeff \u0085", "` onmouseover=evil() `",
]  # fmt: skip
LONG = "\n\n".join(CORPUS)
FOREIGN = """() => [
  ...document.querySelectorAll("x-evil, iframe, object, embed, base, template, math math, [srcdoc], [hx-get*=logout]"),
  ...[...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on"))),
  ...document.querySelectorAll("[href^='javascript:' i], [href^='data:' i], [src*=evil], [action*=evil]"),
  ...[...document.scripts].filter(s => s.textContent.includes("evil") && s.type !== "application/json"),
].map(e => e.outerHTML.slice(0, 200)).concat(window.evil ? ["evil ran"] : [])"""
SECRETS = ("secret-source", "secret-truth", "secret-item", "secret-rationale", "987.654", "secret-rater")


@pytest.fixture
def people(person):
    return {name: person(name) for name in ("ann", f"res{SHORT}")}


@pytest.fixture
def project(people):
    """Every text that a person, a file, a model or a worker can set is hostile."""
    annotator, researcher = people.values()
    project = create_project(slug="hostile", name=SHORT, actor=researcher, guidelines=LONG)
    add_member(project=project, user=annotator, role="annotator")
    change_schema(project=project, schema=hostile_schema())
    row = {"id": SHORT, "turns": [{"role": "system", "content": LONG}, {"role": "user", "content": LONG}]}
    row |= {"context": [{"title": SHORT, "text": LONG}], "metadata": {"secret-item" + SHORT: [LONG]}}
    texts = [LONG, LONG + "2"]
    row["responses"] = [
        {"text": text, "source": "secret-source" + SHORT, "metadata": {"gold": "secret-truth"}} for text in texts
    ]
    import_items(project=project, file=io.BytesIO(json.dumps(row).encode()), format="jsonl")
    return project


def hostile_schema():
    part = {"label": SHORT, "description": LONG}
    criterion = Criterion(key="helpful", anchors={1: SHORT, 5: SHORT}, **part)
    return Schema(
        categories=(Category(key="wrong", **part),), criteria=(criterion,), safety=(Category(key="harm", **part),)
    )


@pytest.fixture
def version(project):
    """A model of which everything was said and measured, all of it hostile."""
    item = project.items.get()
    a, b = item.responses.all()
    said = judge(item, [[a], [b]], rater_name="secret-rater" + SHORT, rationale="secret-rationale" + LONG, reason=SHORT)
    mark(said, b, LONG)
    said.spans.update(note=LONG, correction=LONG)
    Judgement.objects.update(corrections={str(a.pk): LONG}, omissions=[{"response": a.pk, "at": 0, "note": LONG}])
    version = make_version(project)
    version.recipe, version.backbone = {"name": SHORT, SHORT: [SHORT, LONG]}, SHORT
    version.metrics = {"segments": {SHORT: {}}, "attributes": {SHORT: {}}, "baselines": {SHORT: {}}}
    version.heads = ["preference", "segment:" + SHORT[:40]]
    version.save()
    version.snapshot.counts = {"dropped": {SHORT: 1}}
    version.snapshot.save()
    score(version, {a: 987.654, b: 1.0})
    for response in (a, b):
        found = explain(version, response)
        found.tokens = [{"text": text, "start": 0, "end": len(response.text), "part": part, "value": 0.1}
                        for text, part in ((SHORT, "special"), (LONG, "prompt"), (LONG, "response"))]  # fmt: skip
        found.features = {SHORT: 0.5}
        found.save()
    make_pool(project, version, {SHORT: [(1.0, 2.0), (2.0, 1.0)]}).__class__.objects.update(name=SHORT)
    return version


@pytest.fixture
def job(project):
    about = {"state": "running", "stage": SHORT, "error": LONG, "advice": LONG, "worker": SHORT}
    job = Job.objects.create(project=project, kind="train", params={"name": SHORT, "file": SHORT}, **about)
    JobEvent.objects.create(job=job, number=1, kind="log", data={"text": LONG})
    JobEvent.objects.create(job=job, number=2, kind="metric", data={"step": 1, "loss": 1.0, "note": LONG})
    return job


@pytest.fixture
def visit(page, live_server, client_of):
    """visit(user, path) opens a page; `visit.seen` collects what must not happen, `visit.asked` holds addresses."""
    seen, asked, ours = [], set(), (live_server.url, "blob:", "data:")
    page.on("dialog", lambda dialog: (seen.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda said: "Content Security Policy" in said.text and seen.append(said.text))
    page.on("request", lambda sent: asked.add(sent.url) if sent.url.startswith(ours) else seen.append(sent.url))

    def go(user, path):
        session = client_of(user).cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page.goto(live_server.url + path)
        page.wait_for_load_state("load")
        assert page.evaluate(FOREIGN) == [], path
        return page

    go.seen, go.asked = seen, asked
    return go


def url(name, *args):
    return reverse(name, args=["hostile", *args])


def test_nothing_hostile_runs_on_any_page(visit, people, project, version, job):
    admin, item = people[f"res{SHORT}"], Item.objects.get()
    create_invite(project=project, role="annotator", actor=admin, note=SHORT)
    paths = ["/", url("annotate:project"), url("annotate:settings"), url("annotate:members"), url("annotate:items")]
    paths += [url("annotate:item", item.pk), f"{url('annotate:items')}?q={SHORT}&split={SHORT}", "/password/"]
    paths += [url("worker:import"), url("worker:jobs"), url("worker:train"), url("worker:versions")]
    paths += [url("worker:version", 1), url("inspector:length", 1), url("inspector:drift", 1)]
    for path in paths:
        visit(admin, path)
    page = visit(admin, f"{url('inspector:heatmap', 1)}?q=evil")
    page.locator(".heat").first.press("ArrowRight")
    assert SHORT in page.locator("#told").text_content()
    assert page.evaluate(FOREIGN) == []
    assert visit.seen == []


def test_a_live_job_prints_what_its_worker_says(visit, people, project, version, job):
    page = visit(people[f"res{SHORT}"], url("worker:job", job.pk))
    page.wait_for_selector("#job[data-link=polling]")
    JobEvent.objects.create(job=job, number=3, kind="log", data={"text": "later " + LONG})
    page.wait_for_selector("#log li >> text=later")
    assert SHORT in page.locator("#status").text_content()
    assert page.evaluate(FOREIGN) == []
    assert visit.seen == []


def test_judging_hostile_texts_is_safe_and_blind(visit, people, project, version):
    annotator = people["ann"]
    change_settings(project=project, overlap=2)
    lease = lease_next(project=project, user=annotator)
    work = {"response": lease.shown_order[0], "start": 0, "end": len(SHORT), "quote": SHORT, "category": "wrong"}
    missing = {"response": lease.shown_order[1], "at": 9, "note": LONG[:5000], "severity": None}
    answer = {"spans": [work | {"severity": 1, "note": LONG, "correction": SHORT}], "omissions": [missing]}
    answer |= {"outcome": "tie", "rationale": LONG, "schema_version": 2}
    Assignment.objects.update(draft={"answer": answer, "active_ms": 1})
    visit(annotator, "/")
    visit(annotator, url("annotate:project"))
    page = visit(annotator, url("annotate:next"))
    page.wait_for_selector("html[data-ready]")
    assert page.locator(".marks li").count() == 1
    page.keyboard.press("v")
    raw = page.locator('[data-view="raw"]').first
    raw.wait_for(state="visible")
    assert raw.locator(".r").first.text_content().startswith(SHORT)
    page.keyboard.press("g")
    page.locator("dialog#guidelines[open]").wait_for()
    assert page.evaluate(FOREIGN) == []
    for path in (url("annotate:items"), url("worker:versions"), url("inspector:heatmap", 1), url("annotate:item", 1)):
        page.goto(page.url.split("/p/")[0] + path)
        assert "This is not open to you" in page.content()
    assert visit.seen == []
    told = [page.request.get(address) for address in visit.asked if address.startswith("http")]
    assert len(told) > 20
    for answer in told:
        assert [secret for secret in SECRETS if secret in f"{answer.headers} {answer.text()}"] == [], answer.url


def test_the_link_of_an_invitation_is_safe_to_open(page, live_server, people, project):
    token = create_invite(project=project, role="annotator", actor=Project.objects.get().memberships.first().user)[1]
    page.goto(live_server.url + reverse("annotate:invite", args=[token]))
    assert SHORT in page.locator("h1").text_content()
    assert page.evaluate(FOREIGN) == []
