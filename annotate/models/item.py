import json

from django.db import connection, models
from django.db.models import Exists, OuterRef, Q, Subquery

from annotate.models.checks import hashed, known
from annotate.models.project import Project, count_of


class Split(models.TextChoices):
    TRAIN = "train"
    TEST = "test"


class ItemQuerySet(models.QuerySet):
    def holding(self, words: str) -> "ItemQuerySet":
        """Items whose id, conversation or a response holds the words."""
        if "\0" in words:  # nothing stored holds it, and PostgreSQL cannot be asked
            return self.none()
        # SQLite keeps JSON as it was written, other characters than ASCII escaped; PostgreSQL decodes them.
        written = json.dumps(words, ensure_ascii=connection.vendor == "sqlite")[1:-1]
        answer = Response.objects.filter(item=OuterRef("pk"), text__icontains=words)
        return self.filter(Q(external_id__icontains=words) | Q(turns__icontains=written) | Exists(answer))

    def with_counts(self) -> "ItemQuerySet":
        """Adds `responses_total`, and `judged`: current judgements, whoever made them."""
        judgements = self.model.judgements.rel.related_model.objects.of_people()
        return self.annotate(
            responses_total=count_of(Response.objects.all(), "item"),
            judged=count_of(judgements, "item"),
        )

    def with_tasks(self) -> "ItemQuerySet":
        """Adds `kept`: tasks that are kept for named people, and `first`: the highest priority of the item's tasks."""
        tasks = self.model.tasks.rel.related_model.objects.filter(kind="normal")
        top = tasks.filter(item=OuterRef("pk")).order_by("-priority").values("priority")[:1]
        return self.annotate(kept=count_of(tasks.filter(reserved=True), "item"), first=Subquery(top))


class Item(models.Model):
    """A conversation that ends with the user's turn, and what the answerer was given to read."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="items")
    key = models.CharField(max_length=64, help_text="sha256 of turns, context and responses.")
    external_id = models.CharField(max_length=200, blank=True)
    turns = models.JSONField(help_text='[{"role": "user"|"assistant"|"system", "content": str}]')
    context = models.JSONField(default=list, help_text='Passages: [{"title": str, "text": str}]')
    metadata = models.JSONField(default=dict)
    prompt_sha256 = models.CharField(max_length=64, db_index=True, help_text="Splits and folds go by it.")
    split = models.CharField(max_length=5, choices=Split)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="item_once"),
            known("split", Split, "item"),
            hashed("prompt_sha256", "item"),
        ]

    def __str__(self) -> str:
        return self.external_id or f"item {self.pk}"

    @property
    def prompt(self) -> str:
        """The last user turn, which is what the responses answer."""
        return next((t["content"] for t in reversed(self.turns) if t["role"] == "user"), "")


class Response(models.Model):
    item = models.ForeignKey(Item, models.CASCADE, related_name="responses")
    index = models.PositiveSmallIntegerField(help_text="Place in the file it came from, from 0.")
    text = models.TextField()
    sha256 = models.CharField(max_length=64, help_text="Of the text, UTF-8, exactly as shown.")
    source = models.CharField(max_length=120, blank=True, help_text="Who wrote it. Never shown to a rater.")
    metadata = models.JSONField(default=dict, help_text="May hold planted truth. Never shown to a rater.")
    steps = models.JSONField(default=list, help_text='[{"start", "end", "kind"}] in code points; [] if not split.')

    class Meta:
        ordering = ["item_id", "index"]
        constraints = [
            models.UniqueConstraint(fields=["item", "index"], name="response_index_once"),
            hashed("sha256", "response"),
        ]

    def __str__(self) -> str:
        return f"response {self.index} of item {self.item_id}"
