"""Counts that are kept, against the same counts made from scratch."""

import random
from collections import Counter

import pytest

from annotate.models import Agreement, Dispute, Item, Judgement, MarkTally, Pattern, RaterTally, Side, TaskTally
from annotate.models.judgement import Source
from annotate.schema import Criterion
from annotate.services.judgement import revise, store_judgements, submit_judgement
from annotate.services.queue import lease_next
from annotate.services.tally import count_some, recount, said_by
from annotate.services.task import make_tasks
from annotate.tally import (
    Asked,
    Said,
    answers,
    bucket,
    compared,
    disagreeing,
    disputes,
    gathered,
    pattern,
    places,
    sums,
    times,
)
from tests.annotate.making import make_item

ASKED = Asked(("wrong", "padding"), ("violence",))


def said(*ranking, outcome="ranking", shown=(5, 3), **more):
    return Said(shown, outcome, ranking, **more)


@pytest.mark.parametrize(
    ("judgement", "value", "strength"),
    [
        (said([5], [3], strength=2), "second", -2),
        (said([3], [5], strength=3), "first", 3),
        (said([3], [5]), "first", 1),
        (said([5, 3], outcome="tie"), "tie", 0),
        (said([5, 3], outcome="both_bad"), "both bad", 0),
    ],
)
def test_a_verdict_is_about_the_responses_and_not_about_their_sides(judgement, value, strength):
    found = dict(answers(judgement, Asked()))
    assert found == {("preference", (3, 5)): value, ("strength", (3, 5)): strength}


def test_what_cannot_be_judged_and_what_was_left_out_of_a_ranking_says_nothing():
    assert compared(said(outcome="cannot_judge")) == []
    assert compared(said([9], [7, 5], shown=(3, 5, 7, 9))) == [(5, 7, 0), (5, 9, -1), (7, 9, -1)]


def test_everything_that_was_answered_is_a_unit_of_its_own():
    rated = {"ratings": {"3": {"help": 4}}, "marked": {3: {"wrong": [(0, 4)]}, 5: {}}}
    found = dict(answers(said([5], [3], **rated, safety={"5": {}}, steps={"3": [1, None, -1]}), ASKED))
    assert {unit: value for unit, value in found.items() if unit[0] not in ("preference", "strength")} == {
        ("criterion:help", (3,)): 4,
        ("category:wrong", (3,)): 1,
        ("category:padding", (3,)): 0,
        ("category:wrong", (5,)): 0,
        ("category:padding", (5,)): 0,
        ("safety:violence", (5,)): 0,
        ("steps", (3, 0)): 1,
        ("steps", (3, 2)): -1,
    }


def test_ratings_are_counted_as_one_number_by_their_weights_too():
    criteria = (Criterion(key="help", label="Help", weight=3), Criterion(key="true", label="True", kind="yes_no"))
    judged = said([5], [3], ratings={"3": {"help": 4, "true": 0}, "5": {"true": 1}})
    found = dict(answers(judged, Asked(criteria=criteria)))
    assert (found["rubric", (3,)], found["rubric", (5,)]) == (0.562, 1.0)  # (3 · ¾ + 1 · 0) / 4
    assert not any(question == "rubric" for question, _ in dict(answers(judged, Asked())))


def test_who_marked_otherwise_disagrees_about_where():
    marked = [{3: {"wrong": [(0, 4)]}, 5: {}}, {3: {"wrong": [[0, 4]]}, 5: {}}, {3: {"wrong": [(0, 5)]}}]
    units = places([said([5], [3], marked=one) for one in marked], ASKED)
    assert units["spans:wrong", (3,)] == {((0, 4),): 2, ((0, 5),): 1}
    # Two of the three pairs of people on one response, and none of the one pair on the other.
    assert disputes(units) == {"spans:wrong": 2 / 4, "spans:padding": 0.0}


def test_disagreement_is_the_share_of_pairs_of_raters():
    assert disagreeing({"first": 2, "second": 1}) == (2, 3)
    assert disagreeing({"first": 1}) == (0, 0)
    units = gathered([said([5], [3]), said([5], [3]), said([3], [5])], Asked())
    assert disputes(units) == {"preference": 2 / 3, "strength": 2 / 3}
    assert pattern(units["preference", (3, 5)]) == '[["first",1],["second",2]]'


def test_a_raters_sums_say_what_won_and_how_fast():
    found = sums(said([3], [5], active_ms=1000), {3: 10, 5: 80}, characters=90)
    assert found == {"judged": 1, "decided": 1, "left": 0, "unequal": 1, "longer": 0, "timed": 1, "fast": 1, "ms:80": 1}
    assert sums(said([5, 3], outcome="tie"), {}, 90) == {"judged": 1}


def test_a_bucket_of_time_is_within_five_percent():
    for ms in (1, 37, 1000, 65_432, 3_600_000):
        [(middle, n)] = times({bucket(ms): 1})
        assert n == 1
        assert middle == pytest.approx(ms, rel=0.045)


# ---- Kept in the database


@pytest.fixture
def judged(project):
    """Twelve pairs, each judged by several people and a machine, some of them silent about marks."""
    rng = random.Random(5)
    items = [make_item(project, f"question {n}", f"answer {n}", f"another answer {n}") for n in range(12)]
    make_tasks(project=project, items=Item.objects.filter(pk__in=[item.pk for item in items]))
    rows = []
    for task in project.tasks.all():
        shown = [response.pk for response in task.responses.all()]
        for rater in ("ann", "ben", "cem", "gpt")[: rng.randint(1, 4)]:
            order = rng.sample(shown, 2)
            row = {"task": task.pk, "shown_order": order, "outcome": "ranking", "ranking": [[order[0]], [order[1]]]}
            row |= {"ratings": {order[0]: {"helpful": rng.randint(1, 5)}}, "checked": order[: rng.randint(0, 2)]}
            if rng.random() < 0.5:  # some mark the first word of what they saw last, and then it is not "checked"
                mark = {"response": order[1], "start": 0, "end": rng.randint(3, 6), "category": "wrong"}
                text = task.responses.get(pk=order[1]).text
                row |= {"spans": [mark | {"quote": text[: mark["end"]]}], "checked": order[:1]}
            row |= {"idempotency_key": f"{task.pk} {rater}", "rater_name": rater, "active_ms": rng.randint(1, 90_000)}
            rows.append(row | {"source": Source.MACHINE if rater == "gpt" else Source.IMPORTED})
    store_judgements(project=project, rows=rows, source=Source.IMPORTED)
    return project


def kept(project):
    """Everything that is kept about the project, in a form that can be compared."""
    patterns = Pattern.objects.filter(project=project, units__gt=0)
    return (
        {(row.side, row.question, row.pattern): row.units for row in patterns},
        {row.task_id: (row.raters, row.disagreement) for row in TaskTally.objects.filter(project=project)},
        {(row.task_id, row.question): row.share for row in Dispute.objects.filter(project=project)},
        {(row.category, row.bucket): row.sums for row in MarkTally.objects.filter(project=project) if row.sums[1]},
        {(row.who, row.source): row.sums for row in RaterTally.objects.filter(project=project)},
    )


def marks(row):
    return list(row.spans.values_list("response_id", "category", "start", "end"))


def count(project, most=400):
    while count_some(project=project, most=most):
        pass


def test_counting_in_small_steps_is_counting_at_once(judged):
    count(judged, most=3)
    in_steps = kept(judged)
    recount(project=judged)
    assert kept(judged) == ({}, {}, {}, {}, {})
    count(judged)
    assert kept(judged) == in_steps
    assert not judged.judgements.filter(tallied=False).exists()


def test_the_counts_are_those_of_the_judgements(judged):
    count(judged, most=7)
    people = Judgement.objects.filter(project=judged).exclude(source=Source.MACHINE)
    asked = Asked([category.key for category in judged.schema.categories], criteria=judged.schema.criteria)
    wanted = Counter(
        (q, pattern(counts)) for (q, _), counts in gathered([said_by(row, marks(row)) for row in people], asked).items()
    )
    assert {key[1:]: n for key, n in kept(judged)[0].items() if key[0] == Side.PEOPLE} == wanted
    assert sum(row["judged"] for (_, source), row in kept(judged)[-1].items() if source != Source.MACHINE) == len(
        people
    )


def test_machines_are_counted_apart_and_beside_people(judged):
    count(judged)
    machines = Judgement.objects.filter(project=judged, source=Source.MACHINE).count()
    by_side = Counter()
    for (side, question, _), units in kept(judged)[0].items():
        by_side[side] += units if question == "preference" else 0
    assert 0 < machines == by_side[Side.MACHINES] == by_side[Side.ACROSS]
    assert {source for who, source in kept(judged)[-1] if who == "name:gpt"} == {Source.MACHINE}


def test_a_revision_takes_back_what_was_said_before(judged, bob):
    first = lease_next(project=judged, user=bob)
    answer = {"outcome": "tie", "schema_version": 1}
    answer["texts_sha256"] = texts(first)
    old = submit_judgement(assignment=first, user=bob, answer=answer, idempotency_key="a", active_ms=5000)
    count(judged)
    left, right = first.shown_order
    newer = answer | {"outcome": "ranking", "ranking": [[left], [right]], "strength": 2}
    revise(judgement=old, user=bob, answer=newer, idempotency_key="b", active_ms=9000)
    count(judged)
    in_steps = kept(judged)
    recount(project=judged)
    count(judged)
    assert kept(judged) == in_steps
    assert in_steps[-1][f"user:{bob.pk}", "human"]["decided"] == 1
    assert in_steps[-1][f"user:{bob.pk}", "human"]["judged"] == 1


def texts(assignment):
    from annotate.services.judgement import shown_in

    return dict(shown_in(assignment).sha256)


def test_a_question_nobody_disagrees_about_is_no_dispute(judged):
    count(judged)
    shares = kept(judged)[2]
    assert shares
    assert all(0 < share <= 1 for share in shares.values())
    for task, (raters, disagreement) in kept(judged)[1].items():
        assert (disagreement is None) == (raters < 2)
        assert shares.get((task, "preference"), 0) == (disagreement or 0)


def test_who_marked_elsewhere_is_found_by_the_question_where(judged):
    count(judged)
    mine = {task: share for (task, question), share in kept(judged)[2].items() if question == "spans:wrong"}
    apart = set()
    for task in judged.tasks.all():
        people = task.judgements.exclude(source=Source.MACHINE)
        for pk in task.responses.values_list("pk", flat=True):
            looked = [said_by(row, marks(row)).marked for row in people]
            stretches = {tuple(one[pk].get("wrong", ())) for one in looked if pk in one}
            apart |= {task.pk} if len(stretches) > 1 else set()
    assert mine.keys() == apart != set()


def test_what_waits_in_every_project_is_counted_in_the_background(judged):
    from worker.tasks import count as task

    task()
    assert not judged.judgements.filter(tallied=False).exists()
    assert RaterTally.objects.filter(project=judged).exists()
    assert Agreement.objects.get(project=judged, side=Side.PEOPLE, question="preference").figures["alpha"]["n"] > 0


def test_marks_are_kept_for_the_unitised_agreement(judged):
    count(judged, most=5)
    sums = kept(judged)[3]
    assert sum(n for (category, _), found in sums.items() for _, n in found[2] if category == "wrong") > 0
    assert all(found[0] >= 0 and all(n > 0 for _, n in found[2] + found[3]) for found in sums.values())
    assert set(Agreement.objects.filter(question__startswith="spans:", stale=True).values_list("side", flat=True)) == {
        Side.PEOPLE
    }
