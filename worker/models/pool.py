from django.db import models

from annotate.models import Project
from worker.models.version import Version


class Pool(models.Model):
    """Many candidates per prompt with a gold score: best-of-n curves are read off it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="pools")
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="pool_once")]

    def __str__(self) -> str:
        return self.name


class Candidate(models.Model):
    pool = models.ForeignKey(Pool, models.CASCADE, related_name="candidates")
    prompt_sha256 = models.CharField(max_length=64)
    turns = models.JSONField()
    context = models.JSONField(default=list)
    index = models.PositiveIntegerField(help_text="Place among the candidates of its prompt.")
    text = models.TextField()
    gold = models.FloatField()

    class Meta:
        ordering = ["prompt_sha256", "index"]
        constraints = [models.UniqueConstraint(fields=["pool", "prompt_sha256", "index"], name="candidate_once")]

    def __str__(self) -> str:
        return f"candidate {self.index}"


class CandidateScore(models.Model):
    version = models.ForeignKey(Version, models.CASCADE, related_name="candidate_scores")
    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="scores")
    head = models.CharField(max_length=60)
    value = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "candidate", "head"], name="candidate_score_once")]

    def __str__(self) -> str:
        return f"{self.head} {self.value:.3f}"
