"""What code assumes of a row, the database refuses to break: raw SQL on SQLite and on PostgreSQL."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connections, models, transaction
from django.utils import timezone

from annotate.models import (
    AccessToken,
    Agreement,
    Case,
    Comment,
    Dispute,
    IdempotencyKey,
    Invite,
    MarkTally,
    Pattern,
    RecoveryCode,
    Reservation,
    Response,
    SecondFactor,
    Task,
    Throttle,
    User,
)
from tests.postgres import own_database
from worker import models as worker
from worker.upkeep.move import move_database
from worker.upkeep.target import reached

H = "0" * 64
INFINITE = "9e999"  # as SQLite writes it; PostgreSQL is given its own word
SHARES = [("gold_share", 0.6), ("swap_share", -0.1), ("pass_share", 1.1)]

# Model, what is set, the constraint that refuses it.
BREAKS = [
    *(("annotate.project", f"{field} = {value}", f"project_{field}_is_share") for field, value in SHARES),
    ("annotate.project", "overlap = 0", "project_overlap_at_least_1"),
    ("annotate.project", "lease_minutes = 0", "project_lease_at_least_1"),
    ("annotate.schemaversion", "number = 0", "schema_number_from_1"),
    ("annotate.guidelineversion", "number = 0", "guidelines_number_from_1"),
    ("annotate.membership", "role = 'owner'", "member_role_known"),
    ("annotate.invite", "role = 'owner'", "invite_role_known"),
    ("annotate.invite", "token_sha256 = 'short'", "invite_token_sha256_whole"),
    ("annotate.invite", "used_by_id = 1, used_at = NULL", "invite_used_at_some_time"),
    ("annotate.accesstoken", "sha256 = 'short'", "access_token_sha256_whole"),
    ("annotate.item", "split = 'both'", "item_split_known"),
    ("annotate.item", "prompt_sha256 = ''", "item_prompt_sha256_whole"),
    ("annotate.response", "sha256 = ''", "response_sha256_whole"),
    ("annotate.task", "kind = 'odd'", "task_kind_known"),
    ("annotate.task", "probability = 1.5", "task_probability_is_share"),
    ("annotate.task", "open_slots = slots + 1", "task_slots_not_exceeded"),
    ("annotate.task", "open_slots = -1", "open_slots"),
    ("annotate.task", "kind = 'gold', slots = 1", "task_known_asks_nobody"),
    ("annotate.assignment", "kind = 'odd'", "assignment_kind_known"),
    ("annotate.assignment", "state = 'odd'", "assignment_state_known"),
    ("annotate.assignment", "probability = -1", "assignment_probability_is_share"),
    ("annotate.assignment", "kind = 'repeat', holds_slot = true", "only_normal_holds_slot"),
    ("annotate.judgement", "outcome = 'odd'", "judgement_outcome_known"),
    ("annotate.judgement", "source = 'odd'", "judgement_source_known"),
    ("annotate.judgement", "kind = 'odd'", "judgement_kind_known"),
    ("annotate.judgement", "probability = 2", "judgement_probability_is_share"),
    ("annotate.judgement", f"weight = {INFINITE}", "judgement_finite"),
    ("annotate.judgement", "weight = -1", "weight_not_negative"),
    ("annotate.judgement", "strength = 4", "strength_1_to_3"),
    ("annotate.judgement", "revision = 0", "judgement_revision_from_1"),
    ("annotate.judgement", "supersedes_id = id + 1, revision = 1", "judgement_revision_follows"),
    ("annotate.judgement", "supersedes_id = id, revision = 2", "judgement_not_its_own"),
    ("annotate.judgement", "active_ms = -1", "active_ms"),
    ("annotate.span", 'start = 5, "end" = 5', "span_not_empty"),
    ("annotate.span", "start = -1", "start"),
    ("annotate.span", "severity = 4", "span_severity_1_to_3"),
    ("annotate.case", "state = 'odd', closed_at = created_at", "case_state_known"),
    ("annotate.case", "state = 'decided', closed_at = NULL", "case_closed_at_some_time"),
    ("annotate.tasktally", "disagreement = 1.5", "task_tally_disagreement_is_share"),
    ("annotate.tasktally", "bucket = 64", "task_tally_in_buckets"),
    ("annotate.pattern", "side = 'odd'", "pattern_side_known"),
    ("annotate.pattern", "digest = ''", "pattern_digest_whole"),
    ("annotate.pattern", "units = -1", "units"),
    ("annotate.agreement", "side = 'odd'", "agreement_side_known"),
    ("annotate.marktally", "bucket = 64", "mark_tally_in_buckets"),
    ("annotate.dispute", "share = 2", "dispute_share_is_share"),
    ("worker.attribution", f"score = {INFINITE}", "attribution_finite"),
    ("worker.editattribution", f"residual = -{INFINITE}", "edit_attribution_finite"),
    ("worker.edit", "sha256 = ''", "edit_sha256_whole"),
    ("worker.backbone", "sha256 = ''", "backbone_sha256_whole"),
    ("worker.backbone", "width = 0", "backbone_width_from_1"),
    ("worker.backbone", "context_length = 0", "backbone_context_length_from_1"),
    ("worker.job", "kind = 'odd'", "job_kind_known"),
    ("worker.job", "state = 'odd'", "job_state_known"),
    ("worker.jobevent", "number = 0", "job_event_number_from_1"),
    ("worker.candidate", f"gold = {INFINITE}", "candidate_finite"),
    ("worker.candidatescore", f"value = {INFINITE}", "candidate_score_finite"),
    ("worker.probe", f"before = {INFINITE}", "probe_finite"),
    ("worker.roundpolicy", "rule = 'odd'", "round_policy_rule_known"),
    ("worker.roundpolicy", "tolerance = 2", "round_policy_tolerance_is_share"),
    ("worker.roundpolicy", "after_judgements = 0", "round_policy_after_judgements_from_1"),
    ("worker.roundpolicy", "every_hours = 0", "round_policy_every_hours_from_1"),
    ("worker.round", "state = 'odd'", "round_state_known"),
    ("worker.round", "number = 0", "round_number_from_1"),
    ("worker.selectionpolicy", "strategy = 'odd'", "selection_strategy_known"),
    ("worker.selectionpolicy", "random_share = 1.5", "selection_random_share_is_share"),
    ("worker.selectionpolicy", "random_share = 0", "selection_never_without_lot"),
    ("worker.selectionpolicy", "batch = 0", "selection_batch_from_1"),
    ("worker.servetoken", "sha256 = ''", "serve_token_sha256_whole"),
    ("worker.snapshot", "sha256 = ''", "snapshot_sha256_whole"),
    ("worker.snapshotrow", "split = 'both'", "snapshot_row_split_known"),
    ("worker.suite", "sha256 = 'short'", "suite_sha256_whole"),
    ("worker.suitescore", f"chosen = {INFINITE}", "suite_score_finite"),
    ("worker.suitequestion", "kind = 'odd'", "suite_question_kind_known"),
    ("worker.suiteanswerscore", f"value = {INFINITE}", "suite_answer_score_finite"),
    ("worker.surface", "opener = 2", "surface_opens_once"),
    ("worker.version", "state = 'odd'", "version_state_known"),
    ("worker.version", "number = 0", "version_number_from_1"),
    ("worker.version", "encode_hash = ''", "version_encode_hash_whole"),
    ("worker.version", "file_sha256 = ''", "version_file_sha256_whole"),
    ("worker.version", f"mean = {INFINITE}", "version_finite"),
    ("worker.version", "temperature = 0", "version_scale_positive"),
    ("worker.version", "parent_id = id", "version_not_its_own"),
    ("worker.score", f"value = {INFINITE}", "score_finite"),
    ("worker.delivery", "state = 'odd'", "delivery_state_known"),
]
OURS = [model for label in ("annotate", "worker") for model in apps.get_app_config(label).get_models()]
LINKS = [(model, field.column) for model in OURS for field in model._meta.local_concrete_fields if field.remote_field]
WITH_IT = {"used_by_id": ", used_at = created_at", "supersedes_id": ", revision = 2"}  # else a check refuses it first
ONCE = [
    model
    for model in OURS
    if any(isinstance(one, models.UniqueConstraint) for one in model._meta.constraints)
    or any(field.unique and not field.primary_key for field in model._meta.local_concrete_fields)
]


def rest(project) -> None:
    """A row of each model that the small store lacks."""
    user, now, task = User.objects.first(), timezone.now(), Task.objects.filter(tally=None).first()
    version, suite = worker.Version.objects.get(), worker.Suite.objects.get()
    response, about = Response.objects.first(), {"head": "h", "method": "m", "tokens": [], "score": 1.0}
    about |= {"baseline": 0.0, "residual": 0.0}
    mine = {"project": project}
    Invite.objects.create(**mine, role="admin", token_sha256=H, expires_at=now)
    AccessToken.objects.create(user=user, name="t", sha256=H)
    Case.objects.create(**mine, task=task)
    Comment.objects.create(**mine, task=task, author=user, text="?")
    Reservation.objects.create(task=task, user=user)
    IdempotencyKey.objects.create(user=user, key="k", sha256=H)
    factor = SecondFactor.objects.create(user=user, sealed="s")
    RecoveryCode.objects.create(factor=factor, sha256=H)
    Throttle.objects.create(key=H, last_at=now, until=now)
    for model, fields in ((Pattern, {"digest": H, "units": 1}), (Agreement, {})):
        model.objects.get_or_create(**mine, side="people", question="q", defaults=fields)
    MarkTally.objects.get_or_create(**mine, category="c", bucket=1, defaults={"sums": []})
    Dispute.objects.get_or_create(**mine, task=task, question="q", defaults={"share": 1.0})
    worker.Attribution.objects.create(version=version, response=response, **about)
    edit = worker.Edit.objects.create(version=version, response=response, text="t", sha256=H)
    worker.EditAttribution.objects.create(edit=edit, **about)
    sizes = {"parameters": 1, "width": 1, "layers": 1, "context_length": 1, "causal": False, "architecture": "a"}
    worker.Backbone.objects.create(name="b", source="b", sha256=H, **sizes)
    worker.Probe.objects.create(version=version, response=response, swap="same", before=1, after=1)
    worker.RoundPolicy.objects.create(**mine)
    worker.Round.objects.create(**mine, number=1, reason="asked")
    worker.SelectionPolicy.objects.create(**mine)
    worker.ServeToken.objects.create(**mine, name="s", sha256=H)
    worker.PolicyRun.objects.create(**mine, name="r", values=b"")
    worker.Reference.objects.create(version=version, prompt_sha256=H, scores=[])
    worker.Sweep.objects.create(**mine, snapshot=version.snapshot, backbone="b", recipe={}, grid={})
    question = worker.SuiteQuestion.objects.create(suite=suite, turns=[])
    answer = worker.SuiteAnswer.objects.create(question=question, text="a", correct=True)
    worker.SuiteAnswerScore.objects.create(version=version, answer=answer, value=1)
    counts = dict.fromkeys(("lists", "headings", "bold", "code", "hedges", "opener", "emoji"), 0)
    worker.Surface.objects.create(response=response, **counts)
    worker.Node.objects.create(name="n", device="cpu", started_at=now, seen_at=now.replace(year=2020))
    hook = worker.Webhook.objects.create(**mine, url="u", kinds=[], salt="s")
    worker.Delivery.objects.create(webhook=hook, source="s", kind="ping", payload={}, asked_at=now)
    worker.Outbox.objects.get_or_create(ledger="event")


@pytest.fixture(scope="module")
def both(store, django_db_blocker):
    """The store on SQLite, and moved to PostgreSQL."""
    with django_db_blocker.unblock():
        rest(store)
        with own_database() as url:
            move_database(url=url, report=lambda *_: None)
            with reached(url) as target:
                yield {"sqlite": "default", "postgresql": target}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def alias(request, db, both):
    with transaction.atomic(using=both[request.param]):
        yield both[request.param]
        transaction.set_rollback(True, using=both[request.param])


def execute(alias, sql):
    with connections[alias].cursor() as cursor, transaction.atomic(using=alias):
        cursor.execute(sql)
        return cursor.rowcount


def first_of(model):
    key, table = model._meta.pk.column, model._meta.db_table
    return f"{key} = (SELECT min({key}) FROM {table})"


@pytest.mark.parametrize(("label", "change", "name"), BREAKS, ids=lambda value: value)
def test_a_wrong_value_is_refused(alias, label, change, name):
    model = apps.get_model(label)
    if connections[alias].vendor == "postgresql":
        change = change.replace(f"-{INFINITE}", "'-Infinity'").replace(INFINITE, "'NaN'")
    with pytest.raises(IntegrityError, match=name):
        execute(alias, f"UPDATE {model._meta.db_table} SET {change} WHERE {first_of(model)}")


@pytest.mark.parametrize("model", ONCE, ids=lambda model: model.__name__)
def test_nothing_is_there_twice(alias, model):
    columns = [field.column for field in model._meta.local_concrete_fields if not field.primary_key]
    names = ", ".join(connections[alias].ops.quote_name(name) for name in columns)
    table = model._meta.db_table
    with pytest.raises(IntegrityError, match=r"UNIQUE|unique"):
        execute(alias, f"INSERT INTO {table} ({names}) SELECT {names} FROM {table}")


@pytest.mark.parametrize(("model", "column"), LINKS, ids=lambda value: getattr(value, "__name__", value))
def test_nothing_names_what_is_not_there(alias, model, column):
    table = model._meta.db_table
    if model._meta.label == "annotate.Event":
        execute(alias, f"DROP TRIGGER event_stays{f' ON {table}' if connections[alias].vendor != 'sqlite' else ''}")
    set_too = WITH_IT.get(column, "")
    assert execute(alias, f"UPDATE {table} SET {column} = 987654321{set_too} WHERE {first_of(model)}") == 1
    with pytest.raises(IntegrityError, match=r"foreign key"):
        connections[alias].check_constraints()


def test_every_check_has_its_break():
    named = {one.name for model in OURS for one in model._meta.constraints if isinstance(one, models.CheckConstraint)}
    assert named <= {name for _, _, name in BREAKS}
