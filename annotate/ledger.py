"""The ledger in the database: triggers refuse what the code never asks for.

Who, what and when of an act never change, and no act is deleted. Free to be blanked are `data` and `actor`: erasing a
person's data needs it. Made after every migration, since SQLite loses a table's triggers whenever it changes the table.
"""

from django.db import connections

FIXED = ("project_id", "kind", "subject", "created_at")
REFUSAL = "the ledger is append-only"
SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS event_stays BEFORE UPDATE OF {', '.join(FIXED)} ON annotate_event "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    "CREATE TRIGGER IF NOT EXISTS event_not_deleted BEFORE DELETE ON annotate_event "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
]
POSTGRESQL = [
    "CREATE OR REPLACE FUNCTION touchstone_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    f"CREATE OR REPLACE TRIGGER event_stays BEFORE UPDATE OF {', '.join(FIXED)} ON annotate_event "
    "FOR EACH ROW EXECUTE FUNCTION touchstone_append_only()",
    "CREATE OR REPLACE TRIGGER event_not_deleted BEFORE DELETE ON annotate_event "
    "FOR EACH ROW EXECUTE FUNCTION touchstone_append_only()",
]


def guard(using: str, **_: object) -> None:
    """Called after migrations; does nothing where the table is not there yet."""
    connection = connections[using]
    if "annotate_event" not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for statement in SQLITE if connection.vendor == "sqlite" else POSTGRESQL:
            cursor.execute(statement)
