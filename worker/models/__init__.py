"""The records of reward models: what jobs read and write, one file per noun."""

from worker.models.attribution import Attribution
from worker.models.job import Job, JobEvent
from worker.models.pool import Candidate, CandidateScore, Pool
from worker.models.snapshot import Snapshot, SnapshotRow
from worker.models.suite import Suite, SuitePair
from worker.models.version import Score, Version

__all__ = [
    "Attribution",
    "Candidate",
    "CandidateScore",
    "Job",
    "JobEvent",
    "Pool",
    "Score",
    "Snapshot",
    "SnapshotRow",
    "Suite",
    "SuitePair",
    "Version",
]
