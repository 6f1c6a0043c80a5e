"""What a judgement must be to be stored, and that it is stored once, whole, and never overwritten."""

import copy
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotate.models import Assignment, Event, Judgement, Span, Task
from annotate.services.judgement import revise, store_judgements, submit_judgement
from annotate.services.lease import Conflict, expire_leases, skip
from annotate.services.project import change_schema
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db
LEFT = "Paris 🗼 is the capital.\r\nCafé 👩‍👩‍👧 é"
RIGHT = "Rome."


@pytest.fixture
def lease(project, bob):
    make_tasks(project=project, items=[make_item(project, "Capital of France?", LEFT, RIGHT)])
    return lease_next(project=project, user=bob)


@pytest.fixture
def answer(lease):
    """Left is the response with the emoji, whatever side it is shown on."""
    by_text = {r.text: r for r in lease.task.responses.all()}
    left, right = by_text[LEFT].pk, by_text[RIGHT].pk
    span = {"response": left, "start": 6, "end": 10, "quote": LEFT[6:10], "category": "wrong"}
    return {
        "outcome": "ranking",
        "ranking": [[left], [right]],
        "strength": 2,
        "spans": [span | {"severity": None, "note": "why", "correction": "is"}],
        "omissions": [{"response": right, "at": None, "note": "A sentence.", "severity": 1}],
        "ratings": {str(left): {"helpful": 5, "clarity": 4}},
        "rationale": " It is right. ",
        "texts_sha256": {
            "prompt": lease.task.item.prompt_sha256,
            **{str(r.pk): r.sha256 for r in by_text.values()},
        },
        "schema_version": 1,
    }


def submit(lease, answer, key="k1", user=None):
    return submit_judgement(assignment=lease, user=user or lease.rater, answer=answer, idempotency_key=key)


def test_one_answer_is_one_row_with_everything_in_it(lease, answer):
    judgement = submit(lease, answer)
    judgement.refresh_from_db()
    lease.refresh_from_db()
    left, right = answer["ranking"][0][0], answer["ranking"][1][0]
    assert (judgement.outcome, judgement.ranking, judgement.strength) == ("ranking", [[left], [right]], 2)
    assert judgement.shown_order == lease.shown_order
    assert judgement.ratings == {str(left): {"helpful": 5, "clarity": 4}}
    assert judgement.rationale == "It is right."
    assert judgement.texts_sha256 == answer["texts_sha256"]
    span = judgement.spans.get()
    assert LEFT[span.start : span.end] == span.quote == answer["spans"][0]["quote"]
    assert (lease.state, lease.draft) == ("submitted", {})
    assert Task.objects.get().open_slots == 0
    assert Event.objects.filter(kind="judgement.submitted", subject=f"judgement:{judgement.pk}").count() == 1


def test_the_same_key_twice_is_the_same_row(lease, answer):
    assert submit(lease, answer).pk == submit(lease, answer).pk
    assert (Judgement.objects.count(), Span.objects.count()) == (1, 1)


def test_another_key_on_an_answered_task_is_a_conflict(lease, answer):
    submit(lease, answer)
    with pytest.raises(Conflict):
        submit(lease, answer, key="k2")
    assert Judgement.objects.count() == 1


def test_a_key_belongs_to_one_assignment(project, lease, answer, alice):
    submit(lease, answer)
    make_tasks(project=project, items=[make_item(project, "Other?", "a", "b")])
    with pytest.raises(ValidationError, match="another answer"):
        submit(lease_next(project=project, user=alice), answer)


def wrong(**changes):
    """A change to the good answer, which may be a function of it."""
    return lambda answer: {name: value(answer) if callable(value) else value for name, value in changes.items()}


def span_with(**changes):
    return lambda answer: [answer["spans"][0] | changes]


WRONG = [
    ("outcome", wrong(outcome="left")),
    ("outcome", wrong(outcome=None)),
    ("outcome", wrong(ranking=[])),
    ("outcome", wrong(ranking=lambda a: [a["ranking"][0]])),
    ("outcome", wrong(ranking=lambda a: [a["ranking"][0], a["ranking"][0]])),
    ("outcome", wrong(ranking=lambda a: [a["ranking"][0], [10**6]])),
    ("outcome", wrong(ranking=lambda a: [*a["ranking"], a["ranking"][0]])),
    ("outcome", wrong(ranking=lambda a: [a["ranking"][0] + a["ranking"][1]])),
    ("strength", wrong(strength=None)),
    ("strength", wrong(strength=4)),
    ("strength", wrong(strength=0)),
    ("reason", wrong(outcome="cannot_judge", reason="  ")),
    ("spans", wrong(spans=span_with(quote="Paris"))),
    ("spans", wrong(spans=span_with(start=7))),
    ("spans", wrong(spans=span_with(start=5, quote=LEFT[6:10]))),
    ("spans", wrong(spans=span_with(start=10))),
    ("spans", wrong(spans=span_with(start=-1))),
    ("spans", wrong(spans=span_with(end=10**6))),
    ("spans", wrong(spans=span_with(category="unknown"))),
    ("spans", wrong(spans=span_with(response=10**6))),
    ("spans", wrong(spans=span_with(severity=9))),
    ("spans", wrong(spans="none")),
    ("omissions", wrong(omissions=lambda a: [a["omissions"][0] | {"note": " "}])),
    ("omissions", wrong(omissions=lambda a: [a["omissions"][0] | {"at": 99}])),
    ("omissions", wrong(omissions=lambda a: [a["omissions"][0] | {"response": 10**6}])),
    ("ratings", wrong(ratings=lambda a: {a["ranking"][0][0]: {"helpful": 6}})),
    ("ratings", wrong(ratings=lambda a: {a["ranking"][0][0]: {"unknown": 1}})),
    ("ratings", wrong(ratings={"1000000": {"helpful": 1}})),
    ("safety", wrong(safety=lambda a: {a["ranking"][0][0]: {"unknown": 1}})),
    ("checked", wrong(checked=lambda a: a["ranking"][0])),
    ("checked", wrong(checked=[10**6])),
    ("texts_sha256", wrong(texts_sha256={})),
    ("schema_version", wrong(schema_version=9)),
    ("gold", wrong(gold=1.0)),
]


@pytest.mark.parametrize(("field", "change"), WRONG)
def test_a_wrong_answer_names_its_field_and_stores_nothing(lease, answer, field, change):
    with pytest.raises(ValidationError) as error:
        submit(lease, answer | change(copy.deepcopy(answer)))
    assert field in error.value.message_dict
    assert not Judgement.objects.exists()
    lease.refresh_from_db()
    assert lease.state == "leased"


@pytest.mark.parametrize("outcome", ["tie", "both_bad", "cannot_judge"])
def test_the_other_outcomes_are_distinct_and_need_no_strength(lease, answer, outcome):
    judgement = submit(lease, answer | {"outcome": outcome, "ranking": [], "reason": "Too hard."})
    assert (judgement.outcome, judgement.strength) == (outcome, None)
    assert judgement.ranking == ([] if outcome == "cannot_judge" else [lease.shown_order])
    assert judgement.reason == ("Too hard." if outcome == "cannot_judge" else "")


def test_a_required_rationale_is_required(project, lease, answer):
    change_schema(project=project, schema=project.schema.model_copy(update={"rationale": "required"}))
    submit_under_2 = answer | {"schema_version": 2, "rationale": " "}
    with pytest.raises(ValidationError, match="in your words"):
        submit(lease, submit_under_2)
    assert submit(lease, submit_under_2 | {"rationale": "Because."}).schema_version == 2


def test_an_answer_is_held_against_the_schema_it_was_made_under(project, lease, answer):
    change_schema(project=project, schema=project.schema.model_copy(update={"categories": ()}))
    assert submit(lease, answer).schema_version == 1


def test_a_text_that_changed_after_it_was_shown_is_not_judged(lease, answer):
    lease.task.responses.filter(text=RIGHT).update(text="Milan.", sha256="0" * 64)
    with pytest.raises(ValidationError, match="changed since"):
        submit(lease, answer)


# ---- When the lease ran out


def expire(lease):
    expire_leases(now=timezone.now() + timedelta(days=1))
    lease.refresh_from_db()
    assert lease.state == "expired"


def test_a_late_submit_succeeds_while_the_slot_is_free(lease, answer):
    expire(lease)
    assert submit(lease, answer).pk
    assert Task.objects.get().open_slots == 0


def test_a_late_submit_conflicts_when_the_slot_is_gone_and_the_draft_stays(project, lease, answer, alice):
    Assignment.objects.update(draft={"rationale": "mine"})
    expire(lease)
    assert lease_next(project=project, user=alice)
    with pytest.raises(Conflict, match="ran out"):
        submit(lease, answer)
    assert not Judgement.objects.exists()
    assert Assignment.objects.get(pk=lease.pk).draft == {"rationale": "mine"}


def test_an_answer_to_a_skipped_task_takes_the_slot_again(lease, answer):
    skip(assignment=lease, user=lease.rater)
    assert Task.objects.get().open_slots == 1
    assert submit(lease, answer).pk
    assert Task.objects.get().open_slots == 0


def test_a_submitted_task_cannot_be_skipped(lease, answer):
    submit(lease, answer)
    with pytest.raises(Conflict):
        skip(assignment=lease, user=lease.rater)
    assert Task.objects.get().open_slots == 0


# ---- Correcting


def test_a_revision_supersedes_and_overwrites_nothing(lease, answer):
    first = submit(lease, answer)
    first.weight = 0.5
    first.save()
    second = revise(
        judgement=first, user=lease.rater, answer=answer | {"strength": 1, "spans": []}, idempotency_key="k2"
    )
    assert Judgement.objects.current().get() == second
    assert (second.revision, second.supersedes_id, second.strength, second.weight) == (2, first.pk, 1, 0.5)
    first.refresh_from_db()
    assert (first.superseded, first.strength, first.spans.count()) == (True, 2, 1)
    assert Task.objects.get().open_slots == 0


def test_a_revision_is_stored_once_and_only_of_the_newest(lease, answer):
    first = submit(lease, answer)
    both = [revise(judgement=first, user=lease.rater, answer=answer, idempotency_key="k2").pk for _ in "ab"]
    assert both[0] == both[1]
    with pytest.raises(Conflict):
        revise(judgement=first, user=lease.rater, answer=answer, idempotency_key="k3")
    assert Judgement.objects.count() == 2


def test_a_wrong_revision_leaves_the_old_one_current(lease, answer):
    first = submit(lease, answer)
    with pytest.raises(ValidationError):
        revise(judgement=first, user=lease.rater, answer=answer | {"strength": 9}, idempotency_key="k2")
    assert Judgement.objects.current().get() == first


# ---- In bulk


@pytest.fixture
def row(lease, answer):
    loose = {k: v for k, v in answer.items() if k not in ("texts_sha256", "schema_version")}
    own = {"task": lease.task, "item": lease.task.item, "shown_order": lease.shown_order[::-1]}
    return loose | own | {"rater_name": "rater-7", "weight": 0.5, "idempotency_key": "file:1"}


def test_judgements_of_a_file_are_stored_once_with_their_spans_and_hashes(project, lease, row):
    rows = [row, row | {"idempotency_key": "file:2", "strength": None}]
    assert store_judgements(project=project, rows=rows, source="imported") == 2
    assert store_judgements(project=project, rows=rows, source="imported") == 0
    stored = Judgement.objects.get(idempotency_key="file:1")
    assert (stored.source, stored.rater_name, stored.weight) == ("imported", "rater-7", 0.5)
    assert (stored.shown_order, stored.spans.count()) == (lease.shown_order[::-1], 1)
    assert stored.texts_sha256["prompt"] == lease.task.item.prompt_sha256
    assert Judgement.objects.filter(strength=None).count() == 1


def test_one_wrong_quote_in_a_file_stores_nothing_and_is_named(project, row):
    bad = row | {"idempotency_key": "file:2", "spans": [row["spans"][0] | {"quote": "nope"}]}
    with pytest.raises(ValidationError, match="the quote is not") as error:
        store_judgements(project=project, rows=[row, bad], source="imported")
    assert list(error.value.message_dict) == ["file:2: spans"]
    assert not Judgement.objects.exists()


def test_stored_judgements_need_no_rationale(project, row):
    change_schema(project=project, schema=project.schema.model_copy(update={"rationale": "required"}))
    assert store_judgements(project=project, rows=[row | {"rationale": ""}], source="imported") == 1


def test_stored_judgements_take_no_slot(project, lease, row):
    before = Task.objects.get().open_slots
    store_judgements(project=project, rows=[row], source="simulated")
    assert Task.objects.get().open_slots == before
