"""What the heat-map is asked to show: which texts, which head, by which method, how."""

from dataclasses import dataclass
from urllib.parse import urlencode

from annotate.models import Item, Response
from worker.models import Edit

MODES = {"pair": "both texts", "one": "one text alone", "margin": "the margin", "methods": "methods side by side"}
GROUPS = {"token": "tokens", "word": "words", "sentence": "sentences"}  # nosec B105  # words
CUTS = {"hide": "hide below a share of the peak", "keep": "keep the strongest, a share of all"}
USUAL = {"mode": "pair", "group": "token", "cut": "hide", "level": 0}


@dataclass(frozen=True)
class Side:
    """One text of the page; `sign` is its part in the margin."""

    name: str
    source: Response | Edit
    sign: int

    @property
    def text(self) -> str:
        return self.source.text

    @property
    def response(self) -> Response:
        return self.source.response if isinstance(self.source, Edit) else self.source

    @property
    def edited(self) -> bool:
        return isinstance(self.source, Edit)


@dataclass(frozen=True)
class Choice:
    """What is looked at; a and b are responses of the item, an edit is one of a."""

    item: Item
    a: Response
    b: Response
    head: str
    method: str
    mode: str = USUAL["mode"]
    edit: Edit | None = None
    group: str = USUAL["group"]
    cut: str = USUAL["cut"]
    level: int = USUAL["level"]

    @property
    def sides(self) -> tuple[Side, ...]:
        """The texts shown: both responses, one of them, or a response beside what somebody made of it."""
        alone = self.mode == "one"
        if self.edit:
            edited = Side("Edited", self.edit, 1)
            return (edited,) if alone else (Side("Original", self.a, -1), edited)
        first = Side("A", self.a, 1)
        return (first,) if alone or self.a == self.b else (first, Side("B", self.b, -1))

    @property
    def responses(self) -> list[int]:
        """Ids of the stored responses among the sides."""
        return sorted(side.response.pk for side in self.sides if not side.edited)

    @property
    def margin(self) -> str:
        return "Edited − Original" if self.edit else "A − B"

    @property
    def query(self) -> str:
        """The stable address of this view: nothing in it that is as usual."""
        return self.query_of(self.item.pk, self.a.pk, self.b.pk, self.edit and self.edit.pk)

    @property
    def unedited(self) -> str:
        return self.query_of(self.item.pk, self.a.pk, self.b.pk)

    def query_of(self, item: int, a: int | None = None, b: int | None = None, edit: int | None = None) -> str:
        """The same view of other texts."""
        where = {"item": item, "a": a, "b": b, "edit": edit, "head": self.head, "method": self.method}
        return urlencode({k: v for k, v in (where | self.how).items() if v is not None}, safe=":")

    @property
    def how(self) -> dict[str, str | int]:
        """What is not as usual in the way of showing."""
        return {name: getattr(self, name) for name, usual in USUAL.items() if getattr(self, name) != usual}
