"""A few versions beside one another on the same question about marks."""

from collections.abc import Mapping

from django.db.models import Count, Max

from inspector.kept import known
from inspector.marks.look import Look
from inspector.stats.marks import difference
from worker.models import Attribution

MOST = 5  # other versions


def beside(look: Look, found: Mapping) -> list[dict]:
    """The newest others that have such explanations, with this version among them by its number; [] without others.

    One whose page was not looked at since something changed has no numbers yet.
    """
    own = look.version
    rows = Attribution.objects.filter(version__project=own.project_id, head=look.head, method=look.method).order_by()
    counts = rows.exclude(version=own).values("version", "version__number").annotate(n=Count("pk"), last=Max("pk"))
    newest = counts.order_by("-version__number")[:MOST]
    numbers = {row["version"]: row["version__number"] for row in newest}
    made_of = {row["version"]: f"{row['n']}:{row['last']},{look.said}" for row in newest}
    told = known(look.name, made_of) if made_of else {}
    others = [{"number": number, "report": told.get(pk)} for pk, number in numbers.items()]
    mine = {"number": own.number, "report": found, "own": True}
    return [_row(one, found) for one in sorted([mine, *others], key=lambda one: -one["number"])] if others else []


def _row(one: dict, mine: Mapping) -> dict:
    """`change`: its AUROC inside responses less this version's, on the responses that both have."""
    row, theirs = {"number": one["number"], "own": one.get("own", False)}, one["report"]
    if theirs is None:
        return row
    main = next(part for part in theirs["rows"] if part["kind"] == theirs["main"])
    row |= {"responses": theirs["drawn"], **{name: main[name] for name in ("within_auroc", "auroc", "within_auprc")}}
    if not row["own"]:
        before, after = ({response: value for response, _, value in told["each"]} for told in (mine, theirs))
        both = [
            (before[response], after[response], prompt) for response, prompt, _ in theirs["each"] if response in before
        ]
        row["change"] = difference(*zip(*both, strict=True)) if both else difference([], [], [])
    return row
