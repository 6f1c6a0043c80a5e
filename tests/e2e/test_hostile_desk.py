"""Hostile text in all that raters, reviewers and admins write about a task and its guidelines: it stays text."""

import pytest

from annotate.models import User
from annotate.schema import Category, Criterion, Principle, Schema
from annotate.services.comment import add_comment
from annotate.services.flag import flag_task
from annotate.services.guidelines import change_guidelines
from annotate.services.judgement import shown_in, submit_judgement
from annotate.services.known import add_known
from annotate.services.project import change_schema, change_settings
from annotate.services.queue import lease_next
from annotate.services.review import begin_decision, dismiss
from tests.e2e.test_hostile import FOREIGN, LONG, SHORT, people, project, url, visit  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
ENDS = "\u2028\u2029</script><script>evil()</script><!--<script>"
PART = {"label": (SHORT + ENDS)[:60], "description": LONG + ENDS}
SCHEMA = Schema(
    categories=(Category(key="wrong", **PART),),
    criteria=(Criterion(key="helpful", anchors={1: SHORT, 5: SHORT}, rationale=True, **PART),),
    safety=(Category(key="harm", **PART),),
    principles=(Principle(key="honest", **PART),),
    rewrite=True,
    demonstration=True,
    turns=True,
)


def answer(a, b):
    """Every field that takes words holds hostile ones."""
    span = {"response": a.pk, "start": 0, "end": 30, "quote": a.text[:30], "category": "wrong"}
    said = {"outcome": "cannot_judge", "reason": SHORT + ENDS, "rationale": LONG + ENDS, "demonstration": LONG + ENDS}
    said |= {"spans": [span | {"note": LONG + ENDS, "correction": SHORT + ENDS}], "corrections": {a.pk: LONG + ENDS}}
    said |= {"omissions": [{"response": b.pk, "at": 3, "note": LONG + ENDS}], "safety": {a.pk: {"harm": 2}}}
    return said | {"ratings": {a.pk: {"helpful": 3}}, "rationales": {a.pk: {"helpful": SHORT + ENDS}}}


@pytest.fixture
def lease(project, people):  # noqa: F811
    """A task that the annotator has judged, flagged and talked about; its answer is a worked example, too."""
    annotator, admin = people.values()
    change_schema(project=project, schema=SCHEMA)
    change_settings(project=project, show_outcomes=True)
    for words in (LONG, LONG + ENDS):
        change_guidelines(project=project, body=words, actor=admin)
    lease = lease_next(project=project, user=annotator)
    a, b = lease.task.responses.order_by("pk")
    fixed = {"texts_sha256": dict(shown_in(lease).sha256), "schema_version": project.schema_version.number}
    submit_judgement(assignment=lease, user=annotator, answer=answer(a, b) | fixed, idempotency_key="k")
    flag_task(assignment=lease, user=annotator, note=(SHORT + ENDS)[:200])
    add_comment(task=lease.task, author=annotator, text=LONG + ENDS)
    said, told = answer(a, b) | {"outcome": "tie"}, {"title": (SHORT + ENDS)[:120], "explanation": LONG + ENDS}
    add_known(project=project, task_or_responses=[a, b], kind="example", answer=said, actor=admin, **told)
    return lease


def test_what_raters_wrote_stays_text_before_reviewers(visit, people, project, lease):  # noqa: F811
    admin = list(people.values())[1]
    begun, stored = begin_decision(task=lease.task, user=admin), project.judgements.get()
    for name, *args in (
        ("guidelines",), ("guidelines_edit",), ("guidelines_version", 2), ("schema",), ("review",), ("known",),
        ("case", lease.task_id), ("decision", begun.pk), ("known_add", stored.pk), ("item", stored.item_id),
    ):  # fmt: skip
        visit(admin, url(f"annotate:{name}", *args))
    for name in ("agreement", "raters"):
        visit(admin, url(f"inspector:{name}"))
    page = visit(admin, url("annotate:case", lease.task_id))
    page.locator("#whose input").last.check()
    assert page.evaluate(FOREIGN) == []
    assert visit.seen == []


def test_what_reviewers_and_admins_wrote_stays_text_before_raters(visit, people, project, lease):  # noqa: F811
    annotator, admin = people.values()
    dismiss(task=lease.task, actor=admin, reason=SHORT + ENDS)
    User.objects.filter(pk=annotator.pk).update(keys={"submit": SHORT, "back": ENDS, "guidelines": LONG})
    example = url("annotate:example", project.tasks.get(kind="example").known.pk)
    for path in ("/keys/", url("annotate:outcomes"), url("annotate:mine"), url("annotate:guidelines"), example):
        visit(annotator, path)
    page = visit(annotator, url("annotate:judge", lease.pk))
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("button", name="What changed").first.click()
    assert page.locator(".marks li").count() == 1
    assert page.evaluate(FOREIGN) == []
    assert visit.seen == []
