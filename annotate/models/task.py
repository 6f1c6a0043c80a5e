from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotate.models.checks import known, share
from annotate.models.item import Item, Response
from annotate.models.project import Project
from annotate.prepared import no_index


class TaskKind(models.TextChoices):
    NORMAL = "normal"
    GOLD = "gold"  # its answer is known, and it is hidden among the others
    QUALIFICATION = "qualification"  # its answer is known, and a new rater begins with it
    EXAMPLE = "example"  # its answer is shown beside the guidelines


class TaskQuerySet(models.QuerySet):
    def open(self) -> "TaskQuerySet":
        """Tasks that still want a judgement nobody is working on."""
        return self.filter(open_slots__gt=0)

    def left_for(self, user) -> "TaskQuerySet":
        """Open tasks that the user may be served yet; not what is on their desk."""
        return self.open().meant_for(user)

    def meant_for(self, user) -> "TaskQuerySet":
        """Tasks that the user may be served once they have a free slot."""
        kept = Reservation.objects.filter(task=OuterRef("pk"), user=user)
        return self.not_had_by(user).filter(Q(reserved=False) | Exists(kept))

    def not_had_by(self, user) -> "TaskQuerySet":
        """Tasks the user was never served, or lost again when the time ran out."""
        had = Assignment.objects.filter(task=OuterRef("pk")).exclude(state=AssignmentState.EXPIRED)
        had = had.alias(whose=no_index("rater_id")).filter(whose=getattr(user, "pk", user))
        # Not Exists: that becomes a join, and PostgreSQL may walk all that the user ever had for each task.
        return self.alias(had=Subquery(had.values("pk")[:1])).filter(had=None)

    def for_review(self) -> "TaskQuerySet":
        """Tasks that a rater flagged, on which people disagree, or that were reviewed; what was flagged stands first.

        Adds `state` (of the case, open where there is none yet), `flagged` and `apart`: the share of pairs of people
        who disagree about the preference, as it was counted last.
        """
        disputed = Q(tally__disagreement__gt=0, kind=TaskKind.NORMAL)
        found = self.filter(Q(case__isnull=False) | disputed).annotate(
            state=Coalesce("case__state", Value("open")),
            flagged=Case(When(case__flagged_by__isnull=False, then=True), default=False),
            apart=F("tally__disagreement"),
        )
        return found.order_by("-flagged", F("apart").desc(nulls_last=True), "pk")

    def served_first(self) -> "TaskQuerySet":
        return self.order_by("-priority", "pk")


class Task(models.Model):
    """The thing to judge: an item and some of its responses, with K slots."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="tasks")
    item = models.ForeignKey(Item, models.CASCADE, related_name="tasks")
    responses = models.ManyToManyField(Response, related_name="tasks")
    key = models.CharField(max_length=64, help_text="sha256 of kind and response ids: a task exists once.")
    kind = models.CharField(max_length=13, choices=TaskKind, default=TaskKind.NORMAL)
    slots = models.PositiveSmallIntegerField(help_text="K: how many judgements are wanted. 0 unless normal.")
    open_slots = models.PositiveSmallIntegerField(help_text="slots − leased − submitted.")
    priority = models.IntegerField(default=0)
    reserved = models.BooleanField(default=False, help_text="Served to the people of its reservations alone.")
    reason = models.CharField(max_length=60, default="import", help_text="Why it is served.")
    probability = models.FloatField(default=1.0, help_text="With what probability it was chosen.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            known("kind", TaskKind, "task"),
            share("probability", "task"),
            models.CheckConstraint(condition=Q(kind="normal") | Q(slots=0), name="task_known_asks_nobody"),
            models.UniqueConstraint(fields=["project", "key"], name="task_once"),
            models.CheckConstraint(condition=Q(open_slots__lte=F("slots")), name="task_slots_not_exceeded"),
        ]
        indexes = [
            models.Index(F("project"), F("priority").desc(), F("id"), name="task_queue", condition=Q(open_slots__gt=0)),
            models.Index(fields=["project", "kind"], name="task_of_kind", condition=~Q(kind="normal")),
        ]

    def __str__(self) -> str:
        return f"task {self.pk}"


class Reservation(models.Model):
    """A task that one named person, or several, shall judge."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="reservations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reservations")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "user"], name="reservation_once")]

    def __str__(self) -> str:
        return f"{self.task} for {self.user}"


class KnownAnswer(models.Model):
    """What a gold, qualification or example task should be answered, and why."""

    task = models.OneToOneField(Task, models.CASCADE, related_name="known")
    answer = models.JSONField(help_text="As a rater would send it; only what it says is graded.")
    explanation = models.TextField(blank=True, help_text="Markdown, shown with the feedback or the example.")
    title = models.CharField(max_length=120, blank=True, help_text="Of an example.")
    active = models.BooleanField(default=True, help_text="Retired ones are served no more.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"known answer of {self.task}"


class AssignmentKind(models.TextChoices):
    NORMAL = "normal"
    GOLD = "gold"
    QUALIFICATION = "qualification"
    REPEAT = "repeat"  # the same pair again, in another order
    ADJUDICATION = "adjudication"


class AssignmentState(models.TextChoices):
    LEASED = "leased"
    SUBMITTED = "submitted"
    EXPIRED = "expired"
    SKIPPED = "skipped"


class AssignmentQuerySet(models.QuerySet):
    def being_judged(self) -> "AssignmentQuerySet":
        """Served and not answered yet; a reviewer's decision, made with the answers of others beside it, is not one."""
        leased = self.filter(state=AssignmentState.LEASED, expires_at__gt=timezone.now())
        return leased.exclude(kind=AssignmentKind.ADJUDICATION)


class Assignment(models.Model):
    """A task leased to a rater; the shown order never changes. A normal one of a person holds a slot while leased or
    submitted; gold, qualification, repeats, adjudications and machines hold none."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="assignments")
    rater = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="assignments", db_index=False)
    kind = models.CharField(max_length=13, choices=AssignmentKind, default=AssignmentKind.NORMAL)
    holds_slot = models.BooleanField(default=True)
    reason = models.CharField(max_length=60, blank=True, help_text="Why it was served. Never shown to the rater.")
    probability = models.FloatField(default=1.0, help_text="With what probability this rater was served it.")
    shown_order = models.JSONField(help_text="Response ids, left to right, decided by the server once.")
    state = models.CharField(max_length=9, choices=AssignmentState, default=AssignmentState.LEASED)
    skip_reason = models.CharField(max_length=200, blank=True)
    leased_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    draft = models.JSONField(default=dict)
    draft_revision = models.PositiveIntegerField(default=0)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "rater", "kind"], name="assignment_once"),
            known("kind", AssignmentKind, "assignment"),
            known("state", AssignmentState, "assignment"),
            share("probability", "assignment"),
            models.CheckConstraint(condition=Q(holds_slot=False) | Q(kind="normal"), name="only_normal_holds_slot"),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="lease_expiry", condition=Q(state="leased")),
            models.Index(fields=["rater", "state"], name="assignment_by_rater"),
            models.Index(fields=["rater", "id"], name="assignment_in_turn"),
            models.Index(fields=["rater", "task"], name="assignment_of_rater"),
        ]

    def __str__(self) -> str:
        return f"assignment {self.pk}"
