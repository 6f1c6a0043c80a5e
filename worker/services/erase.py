"""Erasing a person: the account becomes a pseudonym, and their judgements stay under it or are removed.

Everything in one transaction, and the same again when asked again. Versions that were trained on what is removed are
marked as by a withdrawal; what people typed about the person elsewhere is counted beforehand, and stays.
"""

import secrets
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from annotate.models import Assignment, Case, Comment, Event, Judgement, Membership, Project, Role, Span, User
from annotate.models.task import AssignmentState
from annotate.services.erasure import become_nobody, drop_name, leave_all, remove_judgements, rename_rater
from annotate.services.event import record
from annotate.services.lease import lock_rater
from worker.models import Snapshot, SnapshotRow, Summary
from worker.services.affected import note_withdrawals
from worker.services.lineage import versions_of
from worker.services.person import DELETED, PARTS, counts_of, in_words, named, rows_of, sessions_of


@dataclass(frozen=True)
class Preview:
    """What an erasure would touch."""

    judgements: int
    spans: int
    imported: int  # judgements without an account, under the same name
    texts: dict[str, int]  # what the person typed, by kind
    gone: dict[str, int]  # what goes in any case
    elsewhere: dict[str, int]  # what others typed, and stays as it is
    versions: list[tuple[str, int]] = field(default_factory=list)  # project and number of those trained on theirs
    left: list[str] = field(default_factory=list)  # projects whose only admin they are


def preview(user: User) -> Preview:
    """Counted now; nothing is changed."""
    rows, counts = Judgement.objects.filter(rater=user), counts_of(user)
    projects = Project.objects.filter(pk__in=_projects(user)).order_by("slug")
    trained = [(one.slug, version.number) for one in projects for version, _ in versions_of(one, _said(one, user))]
    gone = {in_words(part): n for part, n in counts.items() if PARTS[part].erased == DELETED}
    held = Assignment.objects.filter(rater=user)
    gone |= {"tasks on the desk": held.filter(state=AssignmentState.LEASED).count()}
    gone |= {"drafts": held.exclude(draft={}).count(), "sessions": len(sessions_of(user))}
    return Preview(
        judgements=rows.count(),
        spans=Span.objects.filter(judgement__rater=user).count(),
        imported=named(user).count(),
        texts=_present(_texts(user)),
        gone=_present(gone),
        elsewhere=_present(_elsewhere(user)),
        versions=trained,
        left=[one.slug for one in projects if _is_last_admin(one, user)],
    )


def _present(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _texts(user: User) -> dict[str, int]:
    rows, noted = Judgement.objects.filter(rater=user), Q(note="", correction="")
    silent = Q(rationale="", rationales={}, reason="", corrections={}, demonstration="", omissions=[], turns={})
    return {
        "judgements with reasons, corrections or answers": rows.exclude(silent).count(),
        "notes and corrections of marks": Span.objects.filter(judgement__rater=user).exclude(noted).count(),
        "comments": Comment.objects.filter(author=user).count(),
        "notes on flagged tasks": Case.objects.filter(flagged_by=user).exclude(note="").count(),
        "reasons for skipping": Assignment.objects.filter(rater=user).exclude(skip_reason="").count(),
    }


def _elsewhere(user: User) -> dict[str, int]:
    """Free texts of others that hold the name: somebody must look at them."""
    name = user.username
    return {
        "comments of others": Comment.objects.exclude(author=user).filter(text__icontains=name).count(),
        "notes on flagged tasks": Case.objects.exclude(flagged_by=user).filter(note__icontains=name).count(),
        "events": Event.objects.exclude(actor=user).filter(data__icontains=name).count(),
        "guidelines": Project.objects.filter(guidelines__icontains=name).count(),
    }


def _is_last_admin(project: Project, user: User) -> bool:
    admins = Membership.objects.filter(project=project, role=Role.ADMIN)
    return list(admins.values_list("user", flat=True)) == [user.pk]


@transaction.atomic
def erase_person(*, user: User, remove: bool, actor: User | None = None) -> int:
    """Make the account a pseudonym; `remove` deletes the judgements, which else stay under it. Returns how many were
    removed. Raises ValidationError for a model, for oneself, and for the last superuser."""
    lock_rater(user.pk)
    user.refresh_from_db()
    _refuse(user, actor)
    if user.erased_at and not (remove and Judgement.objects.filter(rater=user).exists()):
        return 0
    new = user.username if user.erased_at else f"erased-{secrets.token_hex(4)}"
    leave_all(user=user)
    removed = 0
    for project in Project.objects.filter(pk__in=_projects(user)).select_for_update(no_key=True).order_by("pk"):
        if remove:
            removed += _remove(project, f"user:{user.pk}", project.judgements.filter(rater=user))
            Assignment.objects.filter(rater=user, task__project=project).delete()
        removed += _erase_name(project, user.username, new, remove)
    _forget(user, remove)
    drop_name(name=user.username, new=new)
    become_nobody(user=user, name=new)
    record(kind="person.erased", subject=user, actor=actor, judgements="removed" if remove else "kept", removed=removed)
    return removed


@transaction.atomic
def erase_name(*, project: Project, name: str, remove: bool, actor: User | None = None) -> int:
    """The same for a rater who came with a file and has no account; the name is one project's. Returns how many
    judgements were removed. Raises ValidationError where nobody has the name."""
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if not name or not project.judgements.filter(rater=None, rater_name=name).exists():
        raise ValidationError(f"No judgement in {project.slug} came with a file under this name.")
    new = f"erased-{secrets.token_hex(4)}"
    removed = _erase_name(project, name, new, remove)
    drop_name(name=name, new=new, project=project)
    how = "removed" if remove else "kept"
    record(kind="rater.erased", subject=project, project=project, actor=actor, judgements=how, removed=removed)
    return removed


def _erase_name(project: Project, name: str, new: str, remove: bool) -> int:
    """What came with files under the name; then what the project's versions say of it all."""
    rows, removed = project.judgements.filter(rater=None, rater_name=name), 0
    if remove:
        removed = _remove(project, f"name:{name}", rows)
    else:
        _rename(project, name, new)
    # Kept figures name raters, those of suites do not.
    Summary.objects.filter(version__project=project).exclude(name__startswith="suite ").delete()
    note_withdrawals(project=project)
    return removed


def _refuse(user: User, actor: User | None) -> None:
    if user.is_machine:
        raise ValidationError("This is a model and no person: revoke its token, and withdraw what it judged.")
    if actor == user:
        raise ValidationError("Another superuser must do this, so that somebody is left who can.")
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise ValidationError("This is the only superuser: make another one first.")


def _projects(user: User) -> set[int]:
    """Where they are, or left anything."""
    found = set(Judgement.objects.filter(rater=user).order_by().values_list("project", flat=True).distinct())
    found |= set(named(user).order_by().values_list("project", flat=True).distinct())
    found |= set(Assignment.objects.filter(rater=user).values_list("task__project", flat=True).distinct())
    return found | set(Membership.objects.filter(user=user).values_list("project", flat=True))


def _said(project: Project, user: User) -> QuerySet[Judgement]:
    return project.judgements.filter(Q(rater=user) | Q(rater=None, rater_name=user.username))


def _remove(project: Project, who: str, rows: QuerySet[Judgement]) -> int:
    """A snapshot keeps its hash and counts, and says how many of its judgements are no more."""
    held = SnapshotRow.objects.filter(judgement__in=rows.order_by().values("pk"))
    for snapshot, count in list(held.order_by().values_list("snapshot").annotate(n=Count("pk"))):
        Snapshot.objects.filter(pk=snapshot).update(erased=F("erased") + count, erased_at=timezone.now())
    held.delete()
    return remove_judgements(project=project, who=who, rows=rows)


def _rename(project: Project, name: str, new: str) -> None:
    held = SnapshotRow.objects.filter(judgement__project=project, judgement__rater=None, judgement__rater_name=name)
    Snapshot.objects.filter(pk__in=list(held.values_list("snapshot", flat=True).distinct())).update(
        erased_at=timezone.now()  # the name was hashed
    )
    rename_rater(project=project, name=name, new=new)


def _forget(user: User, remove: bool) -> None:
    for part, how in PARTS.items():
        if how.erased == DELETED:
            rows_of(user, part).delete()
    for session in sessions_of(user):
        session.delete()
    Event.objects.filter(actor=user).of_kind("account").blank()  # from where they signed in
    if remove:
        Comment.objects.filter(author=user).delete()
        Case.objects.filter(flagged_by=user).update(note="")
