"""What people made of a response, and what each text is worth under every head of the version."""

from dataclasses import dataclass

from inspector.heatmap.choice import Choice
from worker.models import Attribution, Edit, Score, Version
from worker.models.version import PREFERENCE

LISTED = 20


@dataclass(frozen=True)
class Change:
    """One head before and after; None where nobody scored it."""

    head: str
    before: float | None
    after: float | None

    @property
    def by(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True)
class Made:
    """One edit of the response in the list of them."""

    edit: Edit
    query: str
    score: float | None
    by: float | None  # against the response as it was


def changes(version: Version, choice: Choice) -> list[Change]:
    """Every head of the version, of the response and of its edit; nothing until a worker has read the edit."""
    if not choice.edit.scores:
        return []
    before, after = _before(version, choice), choice.edit.scores
    return [Change(head, before.get(head), after.get(head)) for head in version.heads]


def _before(version: Version, choice: Choice) -> dict[str, float]:
    """By stored scores; where the version has scored nothing, by what was explained."""
    told = Attribution.objects.filter(version=version, response=choice.a).values_list("head", "score")
    stored = Score.objects.filter(version=version, response=choice.a).values_list("head", "value")
    return dict(told) | dict(stored)


def edits(version: Version, choice: Choice) -> list[Made]:
    """The newest edits of the response(s) shown, with their preference."""
    shown = {choice.a.pk: choice.b.pk, **({} if choice.edit else {choice.b.pk: choice.a.pk})}
    found = version.edits.filter(response__in=shown).select_related("response").order_by("-pk")[:LISTED]
    before = _scores(version, list(shown))
    return [_made(choice, edit, shown[edit.response_id], before.get(edit.response_id)) for edit in found]


def _scores(version: Version, responses: list[int]) -> dict[int, float]:
    rows = Score.objects.filter(version=version, response__in=responses, head=PREFERENCE)
    return dict(rows.values_list("response_id", "value"))


def _made(choice: Choice, edit: Edit, other: int, before: float | None) -> Made:
    score = edit.scores.get(PREFERENCE)
    by = None if score is None or before is None else score - before
    return Made(edit, choice.query_of(choice.item.pk, edit.response_id, other, edit.pk), score, by)


def undo(choice: Choice, made: list[Made]) -> str:
    """The view of the edit before this one; the original has none."""
    older = [one for one in made if one.edit.pk < choice.edit.pk]
    return older[0].query if older else ""
