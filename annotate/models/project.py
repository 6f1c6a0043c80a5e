import hashlib
from functools import cached_property

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotate.models.checks import hashed, known, positive, share
from annotate.prepared import Prepared
from annotate.schema import Schema

SHARE = [MinValueValidator(0.0), MaxValueValidator(0.5)]


class Role(models.TextChoices):
    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"
    RESEARCHER = "researcher"
    ADMIN = "admin"


class ProjectQuerySet(models.QuerySet):
    def visible_to(self, user) -> "ProjectQuerySet":
        """Projects the user is a member of; all of them for a superuser."""
        return self if user.is_superuser else self.filter(memberships__user=user)

    def with_progress(self) -> "ProjectQuerySet":
        """Adds items_total, judged (current judgements), wanted (slots) and still_open (slots nobody holds)."""
        tasks = self.model.tasks.rel.related_model.objects.all()
        return self.annotate(
            items_total=count_of(self.model.items.rel.related_model.objects.all(), "project"),
            judged=count_of(self.model.judgements.rel.related_model.objects.of_people(), "project"),
            wanted=sum_of(tasks, "project", Sum("slots")),
            still_open=sum_of(tasks, "project", Sum("open_slots")),
        )


def count_of(rows: models.QuerySet, owner: str) -> Coalesce:
    """How many of the rows belong to each outer row by their foreign key `owner`."""
    return sum_of(rows, owner, Count("pk"))


def sum_of(rows: models.QuerySet, owner: str, what: models.Aggregate) -> Coalesce:
    """The aggregate over those rows, by a query of its own: joins would multiply each other, and be walked per row."""
    own = rows.filter(**{owner: OuterRef("pk")}).order_by().values(owner)
    return Coalesce(Subquery(own.annotate(n=what).values("n")), 0)


class Project(models.Model):
    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    guidelines = models.TextField(blank=True, help_text="Markdown, shown to annotators beside the task.")
    overlap = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(100)], help_text="Judgements wanted per task."
    )
    lease_minutes = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(7 * 24 * 60)],
        help_text="An open task comes back after this long.",
    )
    guidelines_number = models.PositiveIntegerField(default=0, help_text="Version of the guidelines; 0: none yet.")
    gold_share = models.FloatField(
        default=0.0, validators=SHARE, help_text="Share of tasks, hidden among the others, whose answer is known."
    )
    swap_share = models.FloatField(
        default=0.0, validators=SHARE, help_text="Share of tasks that come back to the same rater in another order."
    )
    gold_feedback = models.BooleanField(default=False, help_text="Tell raters how they did after a gold task.")
    show_outcomes = models.BooleanField(default=False, help_text="Raters see what reviewers decided on their tasks.")
    pass_share = models.FloatField(
        default=0.8,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="Share of the qualification set that a new rater must get right.",
    )
    quota = models.PositiveIntegerField(null=True, blank=True, help_text="Judgements wanted of a rater at most.")
    daily_quota = models.PositiveIntegerField(null=True, blank=True, help_text="The same, for one day.")
    paused = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            share("gold_share", "project", most=0.5),
            share("swap_share", "project", most=0.5),
            share("pass_share", "project"),
            models.CheckConstraint(condition=Q(overlap__gte=1), name="project_overlap_at_least_1"),
            models.CheckConstraint(condition=Q(lease_minutes__gte=1), name="project_lease_at_least_1"),
        ]

    def __str__(self) -> str:
        return self.slug

    newest: "SchemaVersion | None" = None  # the newest schema, where a query has brought it along

    @property
    def schema_version(self) -> "SchemaVersion":
        """The newest schema; every project has at least version 1."""
        return self.newest or NEWEST_SCHEMA(project=self.pk)[0]

    def schema_numbered(self, number: int) -> "SchemaVersion | None":
        """That version of the schema, if there is one."""
        if self.newest and self.newest.number == number:
            return self.newest
        return SCHEMA_NUMBERED.first(project=self.pk, number=number)

    @property
    def schema(self) -> Schema:
        return self.schema_version.schema


class SchemaVersion(models.Model):
    project = models.ForeignKey(Project, models.CASCADE, related_name="schema_versions")
    number = models.PositiveIntegerField()
    body = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="schema_number_once"),
            positive("number", "schema"),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} schema {self.number}"

    @cached_property
    def schema(self) -> Schema:
        return Schema.model_validate(self.body)


SCHEMA_NUMBERED = Prepared(
    lambda project, number: SchemaVersion.objects.filter(project=project, number=number), project=int, number=int
)
NEWEST_SCHEMA = Prepared(
    lambda project: SchemaVersion.objects.filter(project=project).order_by("-number")[:1], project=int
)


class GuidelineVersion(models.Model):
    """The guidelines as they were; Project.guidelines holds the newest."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="guideline_versions")
    number = models.PositiveIntegerField()
    body = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="guidelines_number_once"),
            positive("number", "guidelines"),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} guidelines {self.number}"


class Membership(models.Model):
    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role)
    quota = models.PositiveIntegerField(null=True, blank=True, help_text="Instead of the project's.")
    qualified = models.BooleanField(null=True, help_text="Of the qualification set; null: not finished yet.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="member_once"),
            known("role", Role, "member"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


def token_hash(token: str) -> str:
    """What is kept of an invite's token."""
    return hashlib.sha256(token.encode()).hexdigest()


class InviteQuerySet(models.QuerySet):
    def usable(self) -> "InviteQuerySet":
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=timezone.now())

    def with_token(self, token: str) -> "InviteQuerySet":
        return self.filter(token_sha256=token_hash(token))


class Invite(models.Model):
    """A link that lets one person in, once. Only the hash of its token is kept."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="invites")
    role = models.CharField(max_length=12, choices=Role)
    note = models.CharField(max_length=120, blank=True, help_text="Whom it is for.")
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    objects = InviteQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            known("role", Role, "invite"),
            hashed("token_sha256", "invite"),
            models.CheckConstraint(
                condition=Q(used_by=None) | Q(used_at__isnull=False), name="invite_used_at_some_time"
            ),
        ]

    def __str__(self) -> str:
        return f"invite to {self.project} as {self.role}"

    @property
    def state(self) -> str:
        """open, used, withdrawn or expired."""
        if self.used_at:
            return "used"
        if self.revoked_at:
            return "withdrawn"
        return "open" if self.expires_at > timezone.now() else "expired"
