from django.conf import settings
from django.db import models

from annotate.models import Project
from annotate.models.checks import finite, hashed, known


class Suite(models.Model):
    """Held-out pairs, by category, that every version is measured on."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="suites")
    name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of its pairs: a frozen suite never changes.")
    each_version = models.BooleanField(default=True, help_text="Whether every new version is measured on it by itself.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="suite_once"),
            hashed("sha256", "suite", empty=True),
        ]

    def __str__(self) -> str:
        return self.name


class SuitePair(models.Model):
    suite = models.ForeignKey(Suite, models.CASCADE, related_name="pairs")
    category = models.CharField(max_length=60, blank=True)
    prompt_sha256 = models.CharField(max_length=64, blank=True, help_text="As of items: equal prompts, equal hashes.")
    turns = models.JSONField()
    context = models.JSONField(default=list)
    chosen = models.TextField()
    rejected = models.TextField()

    def __str__(self) -> str:
        return f"{self.suite_id} {self.category}"


class SuiteScore(models.Model):
    """What a version gives the two responses of a pair."""

    version = models.ForeignKey("worker.Version", models.CASCADE, related_name="suite_scores")
    pair = models.ForeignKey(SuitePair, models.CASCADE, related_name="scores")
    chosen = models.FloatField()
    rejected = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "pair"], name="suite_score_once"),
            finite("suite_score", "chosen", "rejected"),
        ]

    def __str__(self) -> str:
        return f"{self.chosen - self.rejected:.3f}"


class QuestionKind(models.TextChoices):
    BEST_OF = "best_of"
    TIES = "ties"


class SuiteQuestion(models.Model):
    """One prompt with correct and wrong answers, as RewardBench 2 asks them: a best of four, or a set with ties."""

    suite = models.ForeignKey(Suite, models.CASCADE, related_name="questions")
    category = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=7, choices=QuestionKind, default=QuestionKind.BEST_OF)
    name = models.CharField(max_length=120, blank=True, help_text="Its id in the file; of ties, ref:N and tied:N.")
    prompt_sha256 = models.CharField(max_length=64, blank=True)
    turns = models.JSONField()
    context = models.JSONField(default=list)

    class Meta:
        constraints = [
            known("kind", QuestionKind, "suite_question"),
        ]

    def __str__(self) -> str:
        return f"{self.suite_id} {self.category}"


class SuiteAnswer(models.Model):
    question = models.ForeignKey(SuiteQuestion, models.CASCADE, related_name="answers")
    text = models.TextField()
    correct = models.BooleanField()

    def __str__(self) -> str:
        return self.text[:60]


class SuiteAnswerScore(models.Model):
    """What a version gives an answer."""

    version = models.ForeignKey("worker.Version", models.CASCADE, related_name="suite_answer_scores")
    answer = models.ForeignKey(SuiteAnswer, models.CASCADE, related_name="scores")
    value = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "answer"], name="suite_answer_score_once"),
            finite("suite_answer_score", "value"),
        ]

    def __str__(self) -> str:
        return f"{self.value:.3f}"
