"""A prepared query gives what its queryset gives, each time anew and for each value."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from annotate.models import Assignment, Event, Item, Membership, Project, Task
from annotate.prepared import Prepared, PreparedUpdate, insert
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db

BY_SLUG = Prepared(lambda slug: Project.objects.filter(slug=slug), slug=str)
LATE = Prepared(
    lambda now: Assignment.objects.filter(expires_at__lte=now).values_list("rater", flat=True), now=type(timezone.now())
)
OF_ITEM = Prepared(
    lambda item, user: (
        Task.objects.filter(item=item)
        .select_related("item__project")
        .annotate(had=Exists(Assignment.objects.filter(task=OuterRef("pk"), rater=user)))
        .select_for_update(of=("self",))
    ),
    item=int,
    user=int,
)


def test_each_value_has_its_own_answer(project, alice):
    other = Project.objects.create(slug="other", name="Other")
    assert [BY_SLUG(slug=slug) for slug in ("answers", "other", "nothing")] == [[project], [other], []]
    assert BY_SLUG.first(slug="other") == other
    assert BY_SLUG.first(slug="nothing") is None


def test_a_change_is_seen(project):
    assert BY_SLUG.first(slug="answers").name == "Answers"
    Project.objects.update(name="Changed")
    assert BY_SLUG.first(slug="answers").name == "Changed"


def test_joined_rows_annotations_and_json_come_with_it(project, bob):
    item = make_item(project, "Q?", "a", "b")
    make_tasks(project=project, items=[item])
    before = OF_ITEM.first(item=item.pk, user=bob.pk)
    lease_next(project=project, user=bob)
    after = OF_ITEM.first(item=item.pk, user=bob.pk)
    assert (before.had, after.had) == (False, True)
    assert after.item.turns == item.turns
    assert after.item.project == project


def test_a_moment_is_a_value(project, bob):
    make_tasks(project=project, items=[make_item(project, "Q?", "a", "b")])
    lease_next(project=project, user=bob)
    assert LATE(now=timezone.now()) == []
    assert LATE(now=timezone.now() + timedelta(days=1)) == [bob.pk]


def test_a_value_that_cannot_be_a_parameter_is_refused_at_once(project):
    limited = Prepared(lambda most: Item.objects.all()[:most], most=int)
    with pytest.raises(AssertionError, match="most"):
        limited(most=3)


def test_the_transaction_is_the_same(project):
    with transaction.atomic():
        Project.objects.filter(pk=project.pk).update(name="Inside")
        assert BY_SLUG.first(slug="answers").name == "Inside"
        transaction.set_rollback(True)
    assert BY_SLUG.first(slug="answers").name == "Answers"


def test_a_number_too_large_for_a_column_finds_nothing(project):
    assert OF_ITEM(item=10**30, user=1) == []


PAIRS = Prepared(lambda project: Membership.objects.filter(project=project).values_list("role", "user"), project=int)


def test_tuples_keep_the_order_asked_for(project, alice, bob):
    assert sorted(PAIRS(project=project.pk)) == [("admin", alice.pk), ("annotator", bob.pk)]


TAKE = PreparedUpdate(
    lambda task, reason: (
        Task.objects.filter(pk=task, open_slots__gt=0),
        {"open_slots": F("open_slots") - 1, "reason": reason},
    ),
    task=int,
    reason=str,
)


def test_an_update_says_how_many_rows_it_changed(project):
    make_tasks(project=project, items=[make_item(project, "Q?", "a", "b"), make_item(project, "R?", "a", "b")])
    first, second = Task.objects.order_by("pk")
    assert [TAKE(task=first.pk, reason=reason) for reason in ("one", "two")] == [1, 0]
    assert list(Task.objects.order_by("pk").values_list("open_slots", "reason")) == [(0, "one"), (1, second.reason)]


def test_an_inserted_row_is_the_row_that_save_would_make(project):
    kept, saved = (Event(project=project, kind="a.b", subject="c:1", data={"é": [1, None]}) for _ in "ab")
    insert(kept)
    saved.save()
    left, right = Event.objects.filter(pk__in=[kept.pk, saved.pk]).values()
    assert {**left, "id": 0, "created_at": 0} == {**right, "id": 0, "created_at": 0}
    assert kept == Event.objects.get(pk=kept.pk)
    kept.kind = "b.c"
    kept.save()
    assert Event.objects.get(pk=kept.pk).kind == "b.c"


def test_a_row_that_breaks_a_rule_is_refused_as_by_save(project):
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Membership(project=project, user_id=project.memberships.first().user_id, role="annotator"))
