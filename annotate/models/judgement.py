from django.conf import settings
from django.db import models
from django.db.models import F, Q

from annotate.models.checks import finite, known, positive, share
from annotate.models.item import Item, Response
from annotate.models.project import Project
from annotate.models.task import Assignment, AssignmentKind, Task


class Outcome(models.TextChoices):
    RANKING = "ranking"
    TIE = "tie"
    BOTH_BAD = "both_bad"
    CANNOT_JUDGE = "cannot_judge"


class Source(models.TextChoices):
    HUMAN = "human"
    MACHINE = "machine"
    IMPORTED = "imported"
    SIMULATED = "simulated"
    ADJUDICATED = "adjudicated"  # a reviewer's decision on a task that others have judged


class JudgementQuerySet(models.QuerySet):
    def current(self) -> "JudgementQuerySet":
        """The newest revision of each judgement, withdrawn ones left out."""
        return self.filter(superseded=False, withdrawn_at=None)

    def counted(self) -> "JudgementQuerySet":
        """Current first looks at tasks whose answer was not known: no gold, no repeats, no adjudications."""
        return self.current().filter(kind=AssignmentKind.NORMAL)

    def of_people(self) -> "JudgementQuerySet":
        """What people said, and reviewers decided, of tasks whose answer was not known: what a reward model learns."""
        kinds = (AssignmentKind.NORMAL, AssignmentKind.ADJUDICATION)
        return self.current().filter(kind__in=kinds).exclude(source=Source.MACHINE)

    def looked_at(self) -> set[int]:
        """Ids of the responses that were looked at for errors: marked, checked, or said to lack something."""
        marked = Span.objects.order_by().filter(judgement__in=self.order_by())
        found = set(marked.values_list("response", flat=True).distinct())
        said = self.exclude(checked=[], omissions=[])  # of most judgements both are empty
        for checked, omissions in said.values_list("checked", "omissions").iterator(5000):
            found.update(checked, (gap["response"] for gap in omissions))
        return found


class Judgement(models.Model):
    """ONE atomic answer to one task. A correction is a new revision; nothing is overwritten."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="judgements")
    item = models.ForeignKey(Item, models.CASCADE, related_name="judgements")
    task = models.ForeignKey(Task, models.CASCADE, related_name="judgements")
    assignment = models.ForeignKey(Assignment, models.CASCADE, null=True, related_name="judgements")
    rater = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="judgements", db_index=False
    )
    rater_name = models.CharField(max_length=120, blank=True, help_text="Of a rater without an account.")
    source = models.CharField(max_length=11, choices=Source, default=Source.HUMAN)
    kind = models.CharField(max_length=13, choices=AssignmentKind, default=AssignmentKind.NORMAL)
    right = models.BooleanField(null=True, help_text="Where the answer is known: did they give it?")
    served = models.CharField(max_length=130, blank=True, help_text="Why the task was made, and why served to them.")
    probability = models.FloatField(default=1.0, help_text="With what probability it was made and served.")
    weight = models.FloatField(default=1.0)

    revision = models.PositiveIntegerField(default=1)
    supersedes = models.OneToOneField("self", models.SET_NULL, null=True, related_name="superseded_by")
    superseded = models.BooleanField(default=False)
    withdrawn_at = models.DateTimeField(null=True)

    shown_order = models.JSONField(help_text="Response ids, left to right.")
    outcome = models.CharField(max_length=12, choices=Outcome)
    ranking = models.JSONField(default=list, help_text="Tie-groups of response ids, best first.")
    strength = models.PositiveSmallIntegerField(null=True, help_text="1 slightly, 2 better, 3 much better.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it could not be judged.")
    omissions = models.JSONField(default=list, help_text='[{"response", "at", "note", "severity"}]')
    ratings = models.JSONField(default=dict, help_text="{response id: {criterion: value}}")
    rationales = models.JSONField(default=dict, help_text="{response id: {criterion: why}}")
    principles = models.JSONField(default=list, help_text="Keys of the principles that decided.")
    steps = models.JSONField(default=dict, help_text="{response id: [-1, 0, 1 or null for each step]}")
    turns = models.JSONField(default=dict, help_text='{turn index: {"label": -1, 0, 1 or null, "note"}}')
    safety = models.JSONField(default=dict, help_text="{response id: {category: severity}}; {} is: looked at, safe.")
    checked = models.JSONField(default=list, help_text="Responses checked with nothing to mark.")
    rationale = models.TextField(blank=True)
    corrections = models.JSONField(default=dict, help_text="{response id: corrected text}")
    demonstration = models.TextField(blank=True, help_text="The answer that the rater would have given.")

    schema_version = models.PositiveIntegerField()
    guidelines_number = models.PositiveIntegerField(default=0)
    texts_sha256 = models.JSONField(help_text='{"prompt": sha256, response id: sha256} of what was shown.')
    active_ms = models.PositiveIntegerField(default=0)
    idempotency_key = models.CharField(max_length=80)
    tallied = models.BooleanField(default=False, help_text="Is it in the counts of annotate.models.tally?")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = JudgementQuerySet.as_manager()

    class Meta:
        constraints = [
            known("outcome", Outcome, "judgement"),
            known("source", Source, "judgement"),
            known("kind", AssignmentKind, "judgement"),
            share("probability", "judgement"),
            finite("judgement", "weight"),
            positive("revision", "judgement"),
            models.CheckConstraint(
                condition=Q(supersedes=None) | Q(revision__gte=2), name="judgement_revision_follows"
            ),
            models.CheckConstraint(condition=Q(supersedes=None) | ~Q(supersedes=F("pk")), name="judgement_not_its_own"),
            models.UniqueConstraint(fields=["idempotency_key", "project"], name="judgement_stored_once"),
            models.UniqueConstraint(
                fields=["assignment"], condition=Q(superseded=False), name="one_current_per_assignment"
            ),
            models.CheckConstraint(condition=Q(strength=None) | Q(strength__range=(1, 3)), name="strength_1_to_3"),
            models.CheckConstraint(condition=Q(weight__gte=0), name="weight_not_negative"),
        ]
        indexes = [
            models.Index(fields=["project", "superseded", "id"], name="judgement_current"),
            models.Index(
                fields=["project", "kind", "source"],
                name="judgement_counts",
                condition=Q(superseded=False, withdrawn_at=None),
            ),
            models.Index(fields=["rater", "created_at"], name="judgement_in_turn"),
            models.Index(fields=["project", "id"], name="judgement_to_tally", condition=Q(tallied=False)),
            models.Index(fields=["project", "kind"], name="judgement_of_kind", condition=~Q(kind="normal")),
        ]

    def __str__(self) -> str:
        return f"judgement {self.pk}"


class Span(models.Model):
    """A marked stretch of a response: code points into the raw text, with the quote as a check."""

    judgement = models.ForeignKey(Judgement, models.CASCADE, related_name="spans")
    response = models.ForeignKey(Response, models.CASCADE, related_name="spans")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField(help_text="One past the last code point.")
    quote = models.TextField()
    category = models.CharField(max_length=40)
    severity = models.PositiveSmallIntegerField(null=True)
    note = models.TextField(blank=True)
    correction = models.TextField(blank=True)

    class Meta:
        ordering = ["start", "end"]
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="span_not_empty"),
            models.CheckConstraint(condition=Q(severity=None) | Q(severity__range=(1, 3)), name="span_severity_1_to_3"),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.start}–{self.end}"
