import json

from django.db import connection, models
from django.db.models import Q

from annotate.models import Project
from annotate.models.checks import finite
from worker.models.version import Version


class Pool(models.Model):
    """Many candidates per prompt with a gold score: best-of-n curves are read off it.

    One made from a table has columns of numbers alone, and no texts that a version could score.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="pools")
    name = models.CharField(max_length=120)
    texts = models.BooleanField(default=True, help_text="Whether it has candidates, and not columns alone.")
    sizes = models.JSONField(default=list, help_text="Candidates of each prompt, prompt after prompt.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="pool_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def prompts(self) -> int:
        return len(self.sizes)

    @property
    def size(self) -> int:
        """The number of candidates."""
        return sum(self.sizes)


class PoolColumn(models.Model):
    """A number for each candidate of a pool, prompt after prompt as in the file: gold, another metric, or a head.

    Statistics of a million candidates read one row here, where the scores one by one would take seconds.
    """

    pool = models.ForeignKey(Pool, models.CASCADE, related_name="columns")
    version = models.ForeignKey(Version, models.CASCADE, null=True, related_name="pool_columns")
    name = models.CharField(max_length=120, help_text="Of the version's head; without a version of the metric.")
    values = models.BinaryField(help_text="Little-endian float64; NaN where there is none.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pool", "version", "name"], name="pool_column_once"),
            models.UniqueConstraint(fields=["pool", "name"], condition=Q(version=None), name="pool_metric_once"),
        ]

    def __str__(self) -> str:
        return self.name


class CandidateQuerySet(models.QuerySet):
    def holding(self, words: str) -> "CandidateQuerySet":
        """Those with these words in their prompt or in their text."""
        if "\0" in words:  # nothing stored holds it, and PostgreSQL cannot be asked
            return self.none()
        # SQLite keeps JSON as it was written, other characters than ASCII escaped; PostgreSQL decodes them.
        written = json.dumps(words, ensure_ascii=connection.vendor == "sqlite")[1:-1]
        return self.filter(Q(text__icontains=words) | Q(turns__icontains=written))


class Candidate(models.Model):
    pool = models.ForeignKey(Pool, models.CASCADE, related_name="candidates")
    prompt_sha256 = models.CharField(max_length=64)
    turns = models.JSONField()
    context = models.JSONField(default=list)
    index = models.PositiveIntegerField(help_text="Place among the candidates of its prompt.")
    text = models.TextField()
    gold = models.FloatField()

    objects = CandidateQuerySet.as_manager()

    class Meta:
        ordering = ["prompt_sha256", "index"]
        constraints = [
            models.UniqueConstraint(fields=["pool", "prompt_sha256", "index"], name="candidate_once"),
            finite("candidate", "gold"),
        ]

    def __str__(self) -> str:
        return f"candidate {self.index}"

    @property
    def prompt(self) -> str:
        """The last user turn, which the candidates answer."""
        return next((turn["content"] for turn in reversed(self.turns) if turn["role"] == "user"), "")


class CandidateScore(models.Model):
    version = models.ForeignKey(Version, models.CASCADE, related_name="candidate_scores")
    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="scores")
    head = models.CharField(max_length=60)
    value = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "candidate", "head"], name="candidate_score_once"),
            finite("candidate_score", "value"),
        ]

    def __str__(self) -> str:
        return f"{self.head} {self.value:.3f}"
