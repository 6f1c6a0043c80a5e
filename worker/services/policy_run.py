"""Rollouts of a policy in training: step, KL, reward, gold and length, a line each."""

from typing import BinaryIO

import numpy as np
from django.db import transaction

from annotate.formats import rows
from annotate.models import Project, User
from annotate.services.event import record
from worker.models import PolicyRun
from worker.numbers import number

COLUMNS = ("step", "kl", "reward", "gold", "length")
MOST_ROWS, MOST_CELLS = 200_000, 5_000_000


@transaction.atomic
def import_run(*, project: Project, name: str, file: BinaryIO, actor: User | None = None) -> PolicyRun:
    """A run from CSV or JSON lines with step, kl (nats from the reference policy), reward, gold, and perhaps length
    and prompt; the first step is the reference policy. All of the file or nothing; ValueError names the line."""
    if project.policy_runs.filter(name=name).exists():
        raise ValueError(f"the project has a run {name!r} already")
    values = _values(file)
    run = PolicyRun.objects.create(project=project, name=name, values=values.astype("<f8").tobytes())
    record(kind="policy_run.imported", subject=run, project=project, actor=actor, rollouts=len(values))
    return run


def _values(file: BinaryIO) -> np.ndarray:
    """(rollouts, 6): prompt, then COLUMNS; a rollout without a prompt counts as of its place within its step."""
    found, prompts, places = [], {}, {}
    for where, row in rows(file):
        row = {key.lower(): value for key, value in row.items()}
        step, kl, reward, gold = (number(row, column, where) for column in COLUMNS[:4])
        length = number(row, "length", where) if row.get("length") not in (None, "") else np.nan
        if kl < 0:
            raise ValueError(f"{where}: a KL below 0; give the mean of the step, or the sum over its tokens")
        place = places[step] = places.get(step, -1) + 1
        prompt = prompts.setdefault(str(row.get("prompt") or f"place {place}"), len(prompts))
        found.append((prompt, step, kl, reward, gold, length))
        if len(found) > MOST_ROWS or len(prompts) * len(places) > MOST_CELLS:
            raise ValueError(f"{where}: a run holds at most {MOST_ROWS:,} lines and {MOST_CELLS:,} prompts × steps")
    if len(places) < 2:
        raise ValueError("a run needs at least two steps")
    return np.array(found)


def values_of(run: PolicyRun) -> dict[str, np.ndarray]:
    """prompt and each of COLUMNS, (rollouts,); a length that was not given is NaN."""
    table = np.frombuffer(run.values, "<f8").reshape(-1, 1 + len(COLUMNS))
    return dict(zip(("prompt", *COLUMNS), table.T, strict=True))
