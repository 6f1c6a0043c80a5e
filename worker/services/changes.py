"""What lies between two versions beside their scores: judgements that came and went, and settings that differ."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import Count, Q, QuerySet

from worker.models import SnapshotRow, Version
from worker.recipes import in_groups
from worker.templatetags.numbers import plain, spoken

GROUPS = {
    "rater": ("judgement__rater__username", "judgement__rater_name"),
    "source": ("judgement__source",),
    "kind": ("judgement__kind",),
    "outcome": ("judgement__outcome",),
}
COUNTED = ("judgements", "used", "tied", "conflicting", "spans", "rated")


def data_changes(old: Version, new: Version) -> dict:
    """Judgements in the snapshot of the one and not of the other, by GROUPS: {"came", "went", "gone", "counts"}.

    gone: of those that went, how many are withdrawn, revised, or neither; counts: what each snapshot counted when it
    was frozen, dropped ones by reason.
    """
    ours, theirs = (SnapshotRow.objects.filter(snapshot=one.snapshot_id).order_by() for one in (new, old))
    came = ours.exclude(judgement__in=theirs.values("judgement"))
    went = theirs.exclude(judgement__in=ours.values("judgement"))
    both = {"came": came, "went": went}
    sides = {side: {name: _grouped(rows, fields) for name, fields in GROUPS.items()} for side, rows in both.items()}
    gone = went.aggregate(
        withdrawn=Count("pk", filter=Q(judgement__withdrawn_at__isnull=False)),
        revised=Count("pk", filter=Q(judgement__superseded=True, judgement__withdrawn_at=None)),
        neither=Count("pk", filter=Q(judgement__superseded=False, judgement__withdrawn_at=None)),
    )
    totals = {side: _total(rows) for side, rows in both.items()}
    return sides | {"totals": totals, "gone": gone, "counts": list(_counts(old.snapshot.counts, new.snapshot.counts))}


def _total(rows: QuerySet) -> dict:
    """Judgements, those that train and are held out, and prompts."""
    found = rows.aggregate(
        judgements=Count("pk"),
        train=Count("pk", filter=Q(split="train")),
        test=Count("pk", filter=Q(split="test")),
        prompts=Count("judgement__item__prompt_sha256", distinct=True),
    )
    return found


def _grouped(rows: QuerySet, fields: tuple[str, ...]) -> list[dict]:
    """{"name", "n"}, most first."""
    found = Counter()
    for *names, n in rows.values_list(*fields).annotate(n=Count("pk")):
        found[spoken(next(filter(None, names), "")) or "a nameless rater"] += n
    return [{"name": name, "n": n} for name, n in found.most_common()]


def _counts(old: dict, new: dict) -> Iterator[dict]:
    """{"name", "old", "new"} of what the snapshots counted."""
    for name in COUNTED:
        yield {"name": name, "old": old.get(name, 0), "new": new.get(name, 0)}
    dropped = [counts.get("dropped", {}) for counts in (old, new)]
    for reason in sorted({*dropped[0], *dropped[1]}):
        yield {"name": f"dropped: {spoken(reason)}", "old": dropped[0].get(reason, 0), "new": dropped[1].get(reason, 0)}


def recipe_changes(old: Version, new: Version) -> list[dict]:
    """{"name", "old", "new"} of each setting, and of how texts are read, that differs; a dash where it does nothing."""
    before, after = _settings(old), _settings(new)
    names = dict.fromkeys([*before, *after])
    found = [{"name": name, "old": before.get(name, "–"), "new": after.get(name, "–")} for name in names]
    return [row for row in found if row["old"] != row["new"]]


def _settings(version: Version) -> dict[str, str]:
    about = {"Trainer": version.recipe.get("name", "–"), "Backbone": version.backbone}
    lines = {line.label: plain(line.value) for _, group in in_groups(version.recipe) for line in group}
    steps = ", ".join(step["name"] for step in version.transforms) or "none"
    made = {"Heads": ", ".join(version.heads), "Transforms": steps, "Temperature": f"{version.temperature:.3g}"}
    return about | lines | made
