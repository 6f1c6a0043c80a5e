"""From a label to a new version: one more judgement on 10,000, and a heads version that has learned from it.

    python -m tests.benchmarks.retrain [--quick]

On SQLite, in one process, as the embedded worker does it: the judgements are surveyed and frozen, the data set is read
from the rows, the cached embeddings from the disk, the heads are fitted and measured, the file is written, and the
version is stored. The first training, which embeds every text, is not counted. --quick has a tenth of the judgements.
"""

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.__main__ import machine

QUICK = "--quick" in sys.argv
QUESTIONS, TIMES, TARGET = (18, 2, 3.0) if QUICK else (180, 5, 3.0)


def main() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from annotate.models import User
    from annotate.services.project import create_project
    from annotate.world import SCHEMA, make_world
    from worker.services.demo import write_world

    alice = User.objects.create_user("alice")
    project = create_project(slug="bench", name="Bench", schema=SCHEMA, overlap=2, actor=alice)
    write_world(project=project, world=make_world(questions=QUESTIONS, answers=8, pool=1, open_pairs=6))
    seconds(project)
    taken = [seconds(project, n) for n in range(TIMES)]
    judgements = project.judgements.filter(superseded=False).count()
    value = statistics.median(taken)
    line = {
        "name": f"label to new version at {judgements:,} judgements",
        "ours": round(value, 2),
        "peer": None,
        "unit": "s",
        "ratio": None,
        "target": f"< {TARGET}",
        "holds": None if QUICK else value < TARGET,
        "machine": machine(),
        "all": [round(one, 2) for one in taken],
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10),
    }
    print(json.dumps(line), flush=True)


def seconds(project, withdrawn: int | None = None) -> float:
    """Of one retrain; `withdrawn` is which judgement is taken away first, so that the snapshot is another one."""
    from django.utils import timezone

    from worker.models.job import JobState
    from worker.services.job import run_now
    from worker.services.nudge import HERE
    from worker.services.training import start_training

    if withdrawn is not None:
        row = project.judgements.order_by("pk")[withdrawn]
        project.judgements.filter(pk=row.pk).update(withdrawn_at=timezone.now())
    start = time.perf_counter()
    job = run_now(start_training(project=project, queue=HERE))
    taken = time.perf_counter() - start
    assert job.state == JobState.DONE, (job.error, job.advice)
    return taken


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"VAR_DIR": folder, "LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "config.settings"}
        os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'db.sqlite3'}"
        main()
