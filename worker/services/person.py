"""All that is stored about one person: which fields point to them, and a file of it.

A new field that points to a person must be named in PARTS, or a test fails: then it is in the export, and it is said
what becomes of its rows when the person is erased.
"""

import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from django.apps import apps
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import BinaryField, Field, Model, QuerySet

from annotate.models import Judgement, Span, User
from annotate.services.event import record

KEPT, DELETED, WITH_JUDGEMENTS = "kept under the pseudonym", "deleted", "deleted with the judgements, else kept"


CHECKED = ("kind", "right", "served", "probability", "weight")


@dataclass(frozen=True)
class Part:
    """Rows that point to a person. `hidden`: columns that would tell a rater which tasks are gold or come twice; their
    numbers do too, for a gold task was made on another day."""

    erased: str = KEPT
    hidden: tuple[str, ...] = ()


PARTS: dict[str, Part] = {
    "admin.LogEntry.user": Part(DELETED),
    "annotate.AccessToken.created_by": Part(),
    "annotate.AccessToken.user": Part(DELETED),
    "annotate.Assignment.rater": Part(WITH_JUDGEMENTS, ("task", "kind", "holds_slot", "reason", "probability")),
    "annotate.Case.closed_by": Part(hidden=("task",)),
    "annotate.Case.flagged_by": Part(hidden=("task", "judgement", "reason", "state")),
    "annotate.Comment.author": Part(WITH_JUDGEMENTS, ("task",)),
    "annotate.Event.actor": Part(hidden=("subject",)),
    "annotate.GuidelineVersion.created_by": Part(),
    "annotate.IdempotencyKey.user": Part(DELETED),
    "annotate.Invite.created_by": Part(),
    "annotate.Invite.used_by": Part(),
    "annotate.Judgement.rater": Part(WITH_JUDGEMENTS, ("task", *CHECKED)),
    "annotate.KnownAnswer.created_by": Part(),
    "annotate.Membership.user": Part(DELETED),
    "annotate.Reservation.user": Part(DELETED),
    "annotate.SchemaVersion.created_by": Part(),
    "annotate.SecondFactor.user": Part(DELETED),
    "annotate.User_groups.user": Part(DELETED),
    "annotate.User_user_permissions.user": Part(DELETED),
    "worker.Backbone.registered_by": Part(),
    "worker.Edit.created_by": Part(),
    "worker.Job.created_by": Part(),
    "worker.RoundPolicy.updated_by": Part(),
    "worker.SelectionPolicy.updated_by": Part(),
    "worker.ServeToken.created_by": Part(),
    "worker.Snapshot.created_by": Part(),
    "worker.Suite.created_by": Part(),
    "worker.Sweep.created_by": Part(),
    "worker.Webhook.created_by": Part(),
}
SECRET = ("password", "sha256", "token_sha256", "salt", "claim", "sealed")
README = """Everything that is stored about {name} on this Touchstone, as JSON lines: one file for each table and the
field by which its rows point to the person. account.json is the account, Span.jsonl the marks in the judgements.

Left out are secrets (passwords, tokens and keys are kept as hashes alone), who other people are, and the texts that
were judged{hidden}.
"""
HIDDEN = ", and what would tell which tasks were hidden checks"


OWN = ("user", "rater", "author", "actor")  # nothing to add: the row is theirs


def in_words(part: str) -> str:
    """As a page calls these rows: "judgements", "invites, used by"."""
    label, _, field = part.rpartition(".")
    rows = str(apps.get_model(label)._meta.verbose_name_plural)
    return rows if field in OWN else f"{rows}, {field.replace('_', ' ')}"


def rows_of(user: User, part: str) -> QuerySet:
    """The rows that point to the person by this field, "app.Model.field"."""
    label, _, field = part.rpartition(".")
    return apps.get_model(label)._base_manager.filter(**{field: user}).order_by("pk")


def counts_of(user: User) -> dict[str, int]:
    """How many rows there are, part by part, where there are any."""
    found = {part: rows_of(user, part).count() for part in PARTS}
    return {part: count for part, count in found.items() if count}


def sessions_of(user: User) -> list[Session]:
    """Browsers in which the person is signed in. A session says whose it is only inside, so all are looked at."""
    return [one for one in Session.objects.iterator() if one.get_decoded().get(SESSION_KEY) == str(user.pk)]


def named(user: User) -> QuerySet[Judgement]:
    """Judgements that came with a file under the same name: theirs, most likely."""
    return Judgement.objects.filter(rater=None, rater_name=user.username).order_by("pk")


def hand_over(*, user: User, actor: User | None = None) -> IO[bytes]:
    """The ZIP for somebody else, which the ledger tells."""
    file = export_person(user, own=False)
    record(kind="person.exported", subject=user, actor=actor, user=user.pk)
    return file


def export_person(user: User, own: bool) -> IO[bytes]:
    """The ZIP, from its beginning. `own`: for the person themselves, without what blind judging hides from them."""
    file = tempfile.SpooledTemporaryFile(max_size=16 * 2**20)  # noqa: SIM115  the reader closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README.format(name=user.username, hidden=HIDDEN if own else ""))
        archive.writestr("account.json", _line(_values(User.objects.filter(pk=user.pk), ()).get()))
        for name, lines in _files(user, own):
            _write(archive, f"{name}.jsonl", lines)
    file.seek(0)
    return file


def _files(user: User, own: bool) -> Iterator[tuple[str, Iterable[dict]]]:
    for part, how in PARTS.items():
        yield part, _values(rows_of(user, part), how.hidden if own else ()).iterator(1000)
    yield "Span", _values(Span.objects.filter(judgement__rater=user).order_by("pk"), ()).iterator(1000)
    yield "Session", [{"expires_at": one.expire_date} for one in sessions_of(user)]
    if not own:  # nobody has proved that this name is theirs
        yield "annotate.Judgement.rater_name", _values(named(user), ()).iterator(1000)


def _values(rows: QuerySet, hidden: tuple[str, ...]) -> QuerySet:
    return rows.values(*(field.attname for field in _told(rows.model) if field.name not in hidden))


def _told(model: type[Model]) -> Iterator[Field]:
    """The columns that are no secret and name nobody else."""
    for field in model._meta.concrete_fields:
        if field.name not in SECRET and field.related_model is not User and not isinstance(field, BinaryField):
            yield field


def _write(archive: zipfile.ZipFile, name: str, lines: Iterable[dict]) -> None:
    lines = iter(lines)
    if (first := next(lines, None)) is None:
        return
    with archive.open(name, "w") as target:
        target.write(_line(first).encode())
        for line in lines:
            target.write(_line(line).encode())


def _line(row: dict) -> str:
    return json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n"
