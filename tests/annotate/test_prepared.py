"""A prepared query gives what its queryset gives, each time anew and for each value."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from annotate.models import Assignment, GuidelineVersion, Item, Membership, Project, Task
from annotate.models.item import Split
from annotate.prepared import Prepared, PreparedUpdate, insert, insert_all
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
    with pytest.raises(ValueError, match="most"):
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
    kept, saved = (GuidelineVersion(project=project, number=number, body="é") for number in (7, 8))
    insert(kept)
    saved.save()
    left, right = GuidelineVersion.objects.filter(pk__in=[kept.pk, saved.pk]).order_by("pk").values()
    assert {**left, "id": 0, "number": 0, "created_at": 0} == {**right, "id": 0, "number": 0, "created_at": 0}
    assert kept == GuidelineVersion.objects.get(pk=kept.pk)
    kept.body = "e"
    kept.save()
    assert GuidelineVersion.objects.get(pk=kept.pk).body == "e"


@pytest.mark.parametrize("n", [0, 1, 251])
def test_rows_inserted_at_once_are_those_that_bulk_create_would_make(project, n):
    def made(start):
        return [
            Item(
                project=project,
                key=f"{start + i}",
                turns=[{"role": "user", "content": "é"}],
                prompt_sha256="0" * 64,
                split=Split.TRAIN,
            )
            for i in range(n)
        ]

    kept = insert_all(made(0))
    Item.objects.bulk_create(made(1000))
    left, right = (
        list(Item.objects.filter(key__in=[f"{start + i}" for i in range(n)]).order_by("pk").values())
        for start in (0, 1000)
    )
    own = {"id", "key", "created_at"}
    assert [{k: v for k, v in row.items() if k not in own} for row in left] == [
        {k: v for k, v in row.items() if k not in own} for row in right
    ]
    assert [(row.pk, row.key) for row in kept] == [(row["id"], row["key"]) for row in left]


def test_a_row_that_breaks_a_rule_is_refused_as_by_save(project):
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Membership(project=project, user_id=project.memberships.first().user_id, role="annotator"))
