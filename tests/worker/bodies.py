"""A job body that does what its parameters say, for tests of everything around it."""

import time

from django.conf import settings
from django.db import OperationalError

from annotate.models import Event


def run(job, progress):
    bodies = {"count": count, "fail": fail, "write": write, "die": die, "busy": busy, "spin": spin}
    return bodies[job.params["do"]](job, progress)


def count(job, progress):
    """steps × seconds of work; `also` are further metrics of every step. Before step `hold` it waits for the test."""
    steps, also = job.params.get("steps", 3), job.params.get("also", {})
    for step in range(steps):
        while step == job.params.get("hold") and not (settings.VAR_DIR / f"go-{job.pk}").exists():
            time.sleep(0.05)
        progress.report("count", step, steps, {"loss": 1 / (step + 1), "step": step} | also)
        time.sleep(job.params.get("seconds", 0))
    return {"counted": steps}


def fail(job, progress):
    raise {"ValueError": ValueError, "OSError": OSError}[job.params["error"]](
        job.params.get("text", "line 3: no prompt\nand more")
    )


def write(job, progress):
    """A row and the end, in one transaction."""
    return progress.finish(lambda: {"row": Event.objects.create(kind="test.wrote", subject=f"job:{job.pk}").pk})


def die(job, progress):
    """Never ends on its first attempt: the test kills it; the next attempt writes."""
    while job.attempt == 1:
        progress.report("waiting to be killed", 0, 1)
        time.sleep(0.05)
    return write(job, progress)


def busy(job, progress):
    raise OperationalError("the connection is lost")


def spin(job, progress):
    """Deep in work without a word, until the test has seen enough."""
    while not (settings.VAR_DIR / "enough").exists():
        sum(range(10_000))
    return {}
