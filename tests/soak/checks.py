"""What must be true of jobs, versions, files and pages after a soak, besides the ledger of judgements."""

import hashlib
from pathlib import Path

from tests.soak.house import House
from tests.soak.scene import Scene

ENDED = ("done", "failed", "cancelled")
JOBS = "SELECT id, kind, state, attempt, error, advice, claim FROM worker_job WHERE project_id = %s ORDER BY id"
EVENTS = "SELECT number, kind, data->>'state' FROM worker_jobevent WHERE job_id = %s ORDER BY number"
VERSIONS = "SELECT id, number, trained_by_id, file, file_sha256 FROM worker_version WHERE project_id = %s"
SCORES = """SELECT j.id, (j.result->>'responses')::int, count(DISTINCT s.response_id)
            FROM worker_job j LEFT JOIN worker_score s USING (version_id)
            WHERE j.project_id = %s AND j.kind = 'score' AND j.state = 'done' GROUP BY j.id"""


def unfinished(scene: Scene) -> int:
    return sum(state not in ENDED for _, _, state, *_ in scene.query(JOBS, scene.project))


def faults(scene: Scene, var: Path) -> list[str]:
    return [
        *jobs(scene), *versions(scene, var), *scores(scene), *leftovers(var), *pages(scene), *doctor(scene.house)
    ]  # fmt: skip


def jobs(scene: Scene) -> list[str]:
    """Every job has ended, once, and its events have no gap."""
    found = []
    for pk, kind, state, _, _, _, claim in scene.query(JOBS, scene.project):
        events = scene.query(EVENTS, pk)
        ends = [said for _, what, said in events if what == "state" and said in ENDED]
        if state not in ENDED:
            found.append(f"{kind} job {pk} is stuck: {state}")
        elif ends != [state]:
            found.append(f"{kind} job {pk} is {state} and told the ends {ends}")
        if claim:
            found.append(f"{kind} job {pk} is {state} and claimed")
        if [number for number, _, _ in events] != list(range(1, len(events) + 1)):
            found.append(f"{kind} job {pk} has gaps in its events")
    return found


def versions(scene: Scene, var: Path) -> list[str]:
    """Each training that is done has one version, which is whole; no other has one."""
    found, rows = [], scene.query(VERSIONS, scene.project)
    trained = [pk for pk, kind, state, *_ in scene.query(JOBS, scene.project) if (kind, state) == ("train", "done")]
    if sorted(by for _, _, by, _, _ in rows) != trained:
        found.append(f"trainings {trained} are done, and the versions are of {[by for _, _, by, _, _ in rows]}")
    if sorted(number for _, number, *_ in rows) != list(range(1, len(rows) + 1)):
        found.append(f"versions are numbered {[number for _, number, *_ in rows]}")
    for _, number, _, file, sha256 in rows:
        path = var / "artifacts" / file
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            found.append(f"the file of version {number} is gone or not what was stored")
    return found


def scores(scene: Scene) -> list[str]:
    return [
        f"score job {pk} told of {told} responses, and {stored} have a score"
        for pk, told, stored in scene.query(SCORES, scene.project)
        if told != stored
    ]


def leftovers(var: Path) -> list[str]:
    """Drafts, and model files that no version has (of the whole house, whose projects all are soaks)."""
    drafts = [path for name in ("artifacts", "embeddings", "uploads") for path in (var / name).rglob("*.part")]
    running = list((var / "artifacts" / "running").glob("*"))
    return [f"{path.relative_to(var)} was left" for path in drafts + running]


def pages(scene: Scene) -> list[str]:
    """The page of each job that failed says why and what to do; that of one that was taken up again says that."""
    found = []
    for pk, _, state, attempt, error, advice, _ in scene.query(JOBS, scene.project):
        if state != "failed" and attempt < 2:
            continue
        status, page, _ = scene.admin.send("GET", f"/p/{scene.slug}/jobs/{pk}/")
        words = [error, advice, "Retry"] if state == "failed" else []
        words += ["stopped answering", f"attempt {attempt}"] if attempt > 1 else []
        if status != 200 or not all(words):
            found.append(f"the page of job {pk}: {status}, {words}")
        found += [f"the page of job {pk} does not say {word!r}" for word in words if _escaped(word) not in page]
    return found


def _escaped(text: str) -> str:
    from django.utils.html import escape

    return escape(text)


def doctor(house: House) -> list[str]:
    """What the house finds wrong with its own store."""
    try:
        house.manage("doctor")
    except RuntimeError as error:
        return [f"doctor: {error}"]
    return []
