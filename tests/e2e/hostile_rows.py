"""Rows of every model, whose every text is whatever a test wants it to be: hostile, or harmless to compare with."""

from datetime import timedelta
from itertools import cycle

from django.apps import apps
from django.db import models
from django.utils import timezone

from annotate.models import Item
from annotate.schema import Category, Criterion, Principle, Schema
from annotate.services.event import record
from tests.inspector.making import explain, judge, mark, score
from worker.models import (
    Backbone,
    Edit,
    EditAttribution,
    Job,
    JobEvent,
    Node,
    PolicyRun,
    Reference,
    Round,
    RoundPolicy,
    Suite,
    SuiteAnswer,
    SuitePair,
    SuiteQuestion,
    Version,
)

OURS = "made by us: a hash, a random name, or one of a fixed list in the code"
KEYS = "a key of the schema, which is letters, digits and underscores"
NUMBERS = "numbers and keys alone, which is checked when they are stored"
NOT_TEXT = {
    **dict.fromkeys(
        (
            "Event.kind", "Event.subject", "Item.key", "Task.key", "Judgement.idempotency_key", "Judgement.served",
            "Pattern.digest", "Job.queue", "Job.claim", "JobEvent.kind", "Version.encode_hash", "Version.file",
            "Attribution.method", "EditAttribution.method", "Probe.swap", "RaterTally.source", "RaterTally.who",
            "Round.reason", "RoundPolicy.queue", "Summary.made_of", "Summary.name", "User.password",
            "AccessToken.scopes", "Delivery.kind", "Delivery.source", "Outbox.ledger", "Throttle.key", "Webhook.kinds",
            "Webhook.salt", "SecondFactor.sealed",
        ), OURS,
    ),
    **dict.fromkeys(
        (
            "Span.category", "Pattern.question", "Pattern.pattern", "Agreement.question", "MarkTally.category",
            "Dispute.question", "Score.head", "CandidateScore.head", "Attribution.head", "EditAttribution.head",
            "PoolColumn.name",
        ), KEYS,
    ),
    **dict.fromkeys(
        (
            "Judgement.shown_order", "Judgement.ranking", "Judgement.ratings", "Judgement.principles",
            "Judgement.steps", "Judgement.turns", "Judgement.safety", "Judgement.checked",
            "Assignment.shown_order", "Response.steps", "TaskTally.patterns", "TaskTally.marks", "Agreement.figures",
            "MarkTally.sums", "RaterTally.sums", "RaterTally.reliability", "Attribution.cost", "EditAttribution.cost",
            "Edit.scores", "Pool.sizes", "Reference.scores", "Summary.values", "Version.transforms", "Sweep.grid",
            "RoundPolicy.recipe", "Sweep.recipe", "Attribution.units", "EditAttribution.units",
        ), NUMBERS,
    ),
    **dict.fromkeys(("IdempotencyKey.key", "IdempotencyKey.body"), "a program's own, told back to it as JSON"),
    "Delivery.payload": "ids and kinds alone",
    "Project.slug": "letters, digits and hyphens, by its type",
}  # fmt: skip


def fields():
    """{"Model.field": field} of every text and JSON column of ours that is not one of a list of choices."""
    kinds = (models.CharField, models.TextField, models.JSONField)
    ours = [model for model in apps.get_models() if model._meta.app_label in ("annotate", "worker")]
    every = [(model, field) for model in ours for field in model._meta.concrete_fields]
    found = [(model, field) for model, field in every if isinstance(field, kinds) and not field.choices]
    return {f"{model.__name__}.{field.name}": field for model, field in found if "sha256" not in field.name}


def turns(word, long, row):
    return [{"role": "system", "content": long}, {"role": "user", "content": long}]


def passages(word, long, row):
    return [{"title": word, "text": long}]


def tokens(word, long, row):
    text = getattr(row, "edit", None) or row.response
    end = len(text.text)
    parts = ((word, "special", 0, 0), (long, "prompt", 0, 5), (text.text, "response", 0, end))
    return [{"text": t, "start": start, "end": stop, "part": p, "value": 0.1} for t, p, start, stop in parts]


def schema(word, long, row):
    part = {"label": word[:60], "description": long}
    criterion = Criterion(key="helpful", anchors={1: word, 5: word}, rationale=True, **part)
    principle = Principle(key="honest", **part)
    categories, safety = (Category(key="wrong", **part),), (Category(key="harm", **part),)
    made = Schema(
        categories=categories, criteria=(criterion,), safety=safety, principles=(principle,), rewrite=True,
        demonstration=True,
    )  # fmt: skip
    return made.model_dump(mode="json")


def corrections(word, long, row):
    return {str(pk): long for pk in row.shown_order}


def omissions(word, long, row):
    return [{"response": pk, "at": 0, "note": long} for pk in row.shown_order]


def rationales(word, long, row):
    return {str(pk): {"helpful": long} for pk in row.shown_order}


def metrics(word, long, row):
    return {name: {word: {}} for name in ("segments", "attributes", "baselines")}


JSON = {
    "Assignment.draft": lambda word, long, row: {"answer": {"rationale": long, "outcome": "tie"}, "active_ms": 1},
    "Attribution.features": lambda word, long, row: {word: 0.5},
    "Attribution.layers": lambda word, long, row: [{"name": word, "value": 0.1}],
    "Attribution.tokens": tokens,
    "Candidate.context": passages,
    "Candidate.turns": turns,
    "EditAttribution.features": lambda word, long, row: {word: 0.5},
    "EditAttribution.layers": lambda word, long, row: [{"name": word, "value": 0.1}],
    "EditAttribution.tokens": tokens,
    "Event.data": lambda word, long, row: row.data | {"why": long, word: [word, {word: long}], "reason": long},
    "Item.context": passages,
    "Item.metadata": lambda word, long, row: {word: [long, {word: word}]},
    "Item.turns": turns,
    "Job.params": lambda word, long, row: {"name": word, "file": word, word: long},
    "Job.result": lambda word, long, row: row.result | {word: long, "format": word},
    "JobEvent.data": lambda word, long, row: {"text": long, "state": "running", "step": 1, "loss": 1.0, word: 2.0},
    "Judgement.corrections": corrections,
    "Judgement.omissions": omissions,
    "Judgement.rationales": rationales,
    "KnownAnswer.answer": lambda word, long, row: {"outcome": "tie", "rationale": long},
    "Node.queues": lambda word, long, row: [word],
    "Response.metadata": lambda word, long, row: {word: long},
    "Round.comparison": lambda word, long, row: {},
    "SchemaVersion.body": schema,
    "Snapshot.counts": lambda word, long, row: {"used": 1, "dropped": {word: 1}},
    "SuitePair.context": passages,
    "SuitePair.turns": turns,
    "SuiteQuestion.context": passages,
    "SuiteQuestion.turns": turns,
    "User.keys": lambda word, long, row: {"submit": word, "back": word},
    "Version.affected": lambda word, long, row: {word: 1},
    "Version.heads": lambda word, long, row: ["preference", "segment:" + word[:40]],
    "Version.metrics": metrics,
    "Version.recipe": lambda word, long, row: {"name": word, word: [word, long]},
}


def furnish_all(place, actor):
    """At least one row of every model that holds text, beside those of test_permissions."""
    project, item = place.project, Item.objects.get(project=place.project)
    a, b = item.responses.all()
    said = judge(item, [[a], [b]], rater_name="somebody")
    mark(said, b, "because")
    mark(said, a, "because")
    version = Version.objects.get(project=project)
    score(version, {a: 1.0, b: 0.25})
    for response in (a, b):
        explain(version, response)
    whatif = Edit.objects.create(
        version=version, response=a, text="what if", sha256="e" * 64, scores={"preference": 1.0}
    )
    kept = {"head": "preference", "baseline": 0.0, "residual": 0.0, "score": 1.0, "tokens": []}
    EditAttribution.objects.create(edit=whatif, method="exact", **kept)
    record(kind="case.dismissed", subject=project, project=project, actor=actor, reason="x")
    furnish_work(project, version, actor)


def furnish_work(project, version, actor):
    """Jobs with logs, a worker, a suite with its texts, rounds, rollouts."""
    job = Job.objects.get(project=project, kind="train")
    running = Job.objects.create(project=project, kind="import", state="running", created_by=actor)
    for one in (job, running):
        for number, kind in enumerate(("log", "metric", "state"), 1):
            JobEvent.objects.create(job=one, number=number, kind=kind, data={})
    later = timezone.now() + timedelta(hours=1)  # it does not fall silent meanwhile
    Node.objects.create(name="host:1", device="cpu", started_at=timezone.now(), seen_at=later)
    about = {"causal": False, "parameters": 1, "width": 1, "layers": 1, "context_length": 1, "sha256": "b" * 64}
    Backbone.objects.create(name="own", source="own/own", architecture="Bert", registered_by=actor, **about)
    suite = Suite.objects.get(project=project)
    SuitePair.objects.create(suite=suite, category="hard", turns=[], chosen="x", rejected="y")
    question = SuiteQuestion.objects.create(suite=suite, category="hard", name="q1", turns=[])
    SuiteAnswer.objects.create(question=question, text="x", correct=True)
    RoundPolicy.objects.create(project=project, backbone="minilm", recipe={"name": "heads"})
    Round.objects.create(project=project, number=1, reason="asked", job=job, version=version, state="kept", words="x")
    Reference.objects.create(version=version, prompt_sha256="p" * 64, source="people", scores=[1.0])
    PolicyRun.objects.create(project=project, name="run", values=b"")


def fill(words, long):
    """Every text column of every row says these words now; long ones all of them, short ones one after the other."""
    turn = cycle(words)
    order = sorted(fields().items(), key=lambda one: one[0] != "Response.text")  # others hold places in it
    for name, field in order:
        if name in NOT_TEXT:
            continue
        for row in field.model._base_manager.all():
            value = JSON[name](next(turn), long, row) if isinstance(field, models.JSONField) else None
            if value is None:
                value = f"{row.pk} {next(turn)}"[: field.max_length] if field.max_length else long
            field.model._base_manager.filter(pk=row.pk).update(**{field.name: value})


def empty():
    """Columns that no row shows: a test that fills them would prove nothing."""
    return [name for name, field in fields().items() if name not in NOT_TEXT and not field.model._base_manager.exists()]
