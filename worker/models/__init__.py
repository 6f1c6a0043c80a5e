"""The records of reward models: what jobs read and write, one file per noun."""

from worker.models.attribution import Attribution, Edit, EditAttribution
from worker.models.backbone import Backbone
from worker.models.job import Job, JobEvent
from worker.models.node import Node
from worker.models.policy_run import PolicyRun
from worker.models.pool import Candidate, CandidateScore, Pool, PoolColumn
from worker.models.probe import Probe
from worker.models.reference import Reference
from worker.models.round import Round, RoundPolicy
from worker.models.selection import SelectionPolicy
from worker.models.serve_token import ServeToken
from worker.models.snapshot import Snapshot, SnapshotRow
from worker.models.suite import QuestionKind, Suite, SuiteAnswer, SuiteAnswerScore, SuitePair, SuiteQuestion, SuiteScore
from worker.models.summary import Summary
from worker.models.surface import Surface
from worker.models.sweep import Sweep
from worker.models.version import Score, Version
from worker.models.webhook import Delivery, Outbox, Webhook

__all__ = [
    "Attribution",
    "Backbone",
    "Candidate",
    "CandidateScore",
    "Delivery",
    "Edit",
    "EditAttribution",
    "Job",
    "JobEvent",
    "Node",
    "Outbox",
    "PolicyRun",
    "Pool",
    "PoolColumn",
    "Probe",
    "QuestionKind",
    "Reference",
    "Round",
    "RoundPolicy",
    "Score",
    "SelectionPolicy",
    "ServeToken",
    "Snapshot",
    "SnapshotRow",
    "Suite",
    "SuiteAnswer",
    "SuiteAnswerScore",
    "SuitePair",
    "SuiteQuestion",
    "SuiteScore",
    "Summary",
    "Surface",
    "Sweep",
    "Version",
    "Webhook",
]
