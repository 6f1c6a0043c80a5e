"""What must be true of the database after a soak, whatever was killed on the way."""

from collections import Counter

import psycopg

from tests.soak.rater import Sent

JUDGEMENTS = """SELECT idempotency_key, rater_id, ranking, rationale, task_id, superseded
                FROM annotate_judgement WHERE project_id = %s"""
TASKS = """SELECT t.id, t.slots, t.open_slots, count(a.id) FILTER (WHERE a.state = 'submitted'),
                  count(a.id) FILTER (WHERE a.state = 'leased')
           FROM annotate_task t LEFT JOIN annotate_assignment a ON a.task_id = t.id AND a.holds_slot
           WHERE t.project_id = %s GROUP BY t.id"""
OPEN = f"SELECT count(*) FROM ({TASKS}) AS task(id, slots, open, submitted, leased) WHERE submitted < slots"


def unfinished(database: psycopg.Connection, project: int) -> int:
    """How many tasks still want a judgement."""
    return database.execute(OPEN, [project]).fetchone()[0]


def faults(database: psycopg.Connection, project: int, sent: list[Sent]) -> list[str]:
    """Every difference between what raters were told and what is stored; [] when the ledger is equal."""
    rows = database.execute(JUDGEMENTS, [project]).fetchall()
    stored = {key: (rater, ranking, note) for key, rater, ranking, note, _, _ in rows}
    told = {one.key: one for one in sent}
    found = [f"{key} is stored {n} times" for key, n in Counter(row[0] for row in rows).items() if n > 1]
    found += [f"{key} was never sent" for key in stored.keys() - told.keys()]
    for key, one in told.items():
        if one.status == 200 and key not in stored:
            found.append(f"{key} was acknowledged and is lost")
        if one.status == 409 and key in stored and not one.unheard:
            found.append(f"{key} was refused and is stored")
        if one.status not in (200, 409):
            found.append(f"{key} was answered {one.status}")
        if key in stored and stored[key] != (one.rater, one.ranking, one.note):
            found.append(f"{key} is stored with another payload")
    return found + _tasks(database, project, rows)


def _tasks(database: psycopg.Connection, project: int, rows: list[tuple]) -> list[str]:
    per_task = Counter(task for _, _, _, _, task, superseded in rows if not superseded)
    people = Counter((task, rater) for _, rater, _, _, task, superseded in rows if not superseded)
    found = [f"rater {rater} judged task {task} {n} times" for (task, rater), n in people.items() if n > 1]
    for task, slots, open_slots, submitted, leased in database.execute(TASKS, [project]).fetchall():
        if per_task[task] > slots:
            found.append(f"task {task} has {per_task[task]} judgements of {slots}")
        if per_task[task] < slots:
            found.append(f"task {task} is starved: {per_task[task]} of {slots}")
        if (submitted, open_slots) != (per_task[task], slots - submitted - leased):
            found.append(f"task {task}: {slots} slots, {open_slots} open, {leased} leased, {submitted} submitted")
    return found
