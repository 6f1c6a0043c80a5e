"""What the heat-map page shows: which pair, what is known of it, and both responses painted."""

from collections.abc import Iterator
from dataclasses import dataclass

from annotate.agreement import Interval
from annotate.models import Item, Judgement, Response, Span
from inspector import rows
from inspector.paint import Heat, Mark, Piece, heats, marked_auroc, pieces
from worker.models import Attribution, Job, Version
from worker.models.job import JobKind

METHODS = {"exact": "exact decomposition", "ig": "integrated gradients"}
LISTED = 40
COLOURS = 8


@dataclass(frozen=True)
class Choice:
    """What is looked at; a and b are responses of the item."""

    item: Item
    a: Response
    b: Response
    head: str
    method: str

    @property
    def query(self) -> str:
        return f"item={self.item.pk}&a={self.a.pk}&b={self.b.pk}&head={self.head}&method={self.method}"


@dataclass(frozen=True)
class Judged:
    """A judged pair beside the model's margin (None without scores); negative surprise: the model disagrees."""

    pair: rows.Pair
    margin: float | None
    surprise: float

    @property
    def against(self) -> bool:
        return self.surprise < 0


def judged(version: Version) -> list[Judged]:
    """Decided pairs, the most surprising first: where the model is against people by the largest margin."""
    scored = rows.scores(version)
    found = [_judged(pair, scored) for pair in rows.judged_pairs(version.project) if pair.decided]
    return sorted(found, key=lambda one: (one.margin is None, one.surprise, one.pair.first))


def _judged(pair: rows.Pair, scored: dict[int, rows.Scored]) -> Judged:
    if not {pair.first, pair.second} <= scored.keys():
        return Judged(pair, None, 0.0)
    margin = scored[pair.first].value - scored[pair.second].value
    return Judged(pair, margin, margin if pair.p > 0.5 else -margin)


def around(pairs: list[Judged], choice: Choice | None) -> dict:
    """A window of the list about the chosen pair, with the items' names, and the pairs before and after it."""
    places = {(one.pair.first, one.pair.second): i for i, one in enumerate(pairs)}
    here = places.get(tuple(sorted((choice.a.pk, choice.b.pk)))) if choice else None
    start = max(0, min((here or 0) - LISTED // 4, len(pairs) - LISTED))
    shown = pairs[start : start + LISTED]
    items = Item.objects.in_bulk({one.pair.item for one in shown})
    return {
        "pairs": [(one, items[one.pair.item]) for one in shown],
        "first": start + 1,
        "total": len(pairs),
        "against": sum(one.against for one in pairs),
        "current": pairs[here] if here is not None else None,
        "previous": _query(pairs[here - 1], choice) if here else "",
        "next": _query(pairs[here + 1], choice) if here is not None and here + 1 < len(pairs) else "",
    }


def _query(one: Judged, choice: Choice) -> str:
    pair = one.pair
    return f"item={pair.item}&a={pair.first}&b={pair.second}&head={choice.head}&method={choice.method}"


@dataclass(frozen=True)
class Bar:
    name: str
    value: float
    width: float  # percent of the track, which runs to both sides of zero

    @property
    def way(self) -> str:
        return "up" if self.value >= 0 else "down"


@dataclass(frozen=True)
class Sums:
    """baseline + features + tokens + residual = score, of one response or of the margin between two."""

    baseline: float
    features: float
    tokens: float
    residual: float
    score: float

    def minus(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, name) - getattr(other, name) for name in self.__dataclass_fields__))


def sums(found: Attribution) -> Sums:
    tokens = sum(token["value"] for token in found.tokens)
    return Sums(found.baseline, sum(found.features.values()), tokens, found.residual, found.score)


@dataclass(frozen=True)
class Painted:
    """One response with everything the page says about it."""

    name: str
    response: Response
    pieces: list[Piece]
    sums: Sums
    bars: list[Bar]
    prompt: list[Heat]
    special: list[Heat]
    legend: list[Mark]
    auroc: Interval
    beyond: bool  # the end of the text was not read by the model

    @property
    def planted(self) -> bool:
        return any(mark.planted for mark in self.legend)


@dataclass(frozen=True)
class Map:
    left: Painted
    right: Painted
    scale: float
    margins: list[tuple[str, Sums | None]]  # per method
    sentence: str


def explanations(version: Version, choice: Choice) -> dict[tuple[int, str], Attribution]:
    """(response id, method) → attribution under the chosen head."""
    found = Attribution.objects.filter(version=version, response__in=[choice.a, choice.b], head=choice.head)
    return {(one.response_id, one.method): one for one in found}


def wanted(version: Version, choice: Choice) -> dict:
    """Parameters of the job that explains this pair; the same pair gives the same parameters."""
    responses = sorted({choice.a.pk, choice.b.pk})
    return {"version": version.pk, "responses": responses, "methods": list(METHODS), "heads": [choice.head]}


def last_job(version: Version, choice: Choice) -> Job | None:
    """The newest job that was to explain this pair, whoever asked."""
    jobs = Job.objects.filter(project=version.project, kind=JobKind.ATTRIBUTE, params=wanted(version, choice))
    return jobs.order_by("-pk").first()


def paint(version: Version, choice: Choice) -> Map | None:
    """The map, or None while an attribution is missing."""
    known = explanations(version, choice)
    left, right = (known.get((response.pk, choice.method)) for response in (choice.a, choice.b))
    if not left or not right:
        return None
    both = [*_part(left, "response"), *_part(right, "response")]
    scale = max((abs(token["value"]) for token in both), default=0.0)
    marks = _marks(version, choice)
    sides = zip(("A", "B"), (choice.a, choice.b), (left, right), strict=True)
    widest = max((abs(v) for one in (left, right) for v in one.features.values()), default=0.0)
    painted = [_painted(n, r, f, marks.get(r.pk, []), scale, widest) for n, r, f in sides]
    margins = [(label, _margin(known, choice, method)) for method, label in METHODS.items()]
    return Map(*painted, scale, margins, _sentence(version, choice, left.score - right.score))


def _sentence(version: Version, choice: Choice, margin: float) -> str:
    """What the model says of the pair, and what people said."""
    higher = "A" if margin > 0 else "B"
    says = (
        f"The model's {choice.head} is higher for {higher}, by {abs(margin):.2f}." if margin else "Both score the same."
    )
    ids = {choice.a.pk, choice.b.pk}
    pair = next((p for p in rows.judged_pairs(version.project, choice.item) if {p.first, p.second} == ids), None)
    if pair is None:
        return f"{says} People have not compared these two."
    if not pair.decided:
        return f"{says} People could not separate them ({pair.judgements} judged)."
    return f"{says} People prefer {'A' if pair.chosen == choice.a.pk else 'B'} ({pair.judgements} judged)."


def _margin(known: dict[tuple[int, str], Attribution], choice: Choice, method: str) -> Sums | None:
    left, right = known.get((choice.a.pk, method)), known.get((choice.b.pk, method))
    return sums(left).minus(sums(right)) if left and right else None


def _painted(
    name: str, response: Response, found: Attribution, marks: list[Mark], scale: float, widest: float
) -> Painted:
    tokens = sorted(_part(found, "response"), key=lambda token: token["start"])
    cut = pieces(response.text, tokens, marks, scale)
    kind, _, key = found.head.partition(":")
    only, sign = ([key], 1.0) if kind == "segment" else (None, -1.0)
    features = sorted(found.features.items(), key=lambda feature: -abs(feature[1]))
    return Painted(
        name=name,
        response=response,
        pieces=cut,
        sums=sums(found),
        bars=[Bar(name, value, 50 * abs(value) / widest if widest else 0.0) for name, value in features],
        prompt=heats(_part(found, "prompt"), scale),
        special=heats(_part(found, "special"), scale),
        legend=list({(mark.category, mark.planted): mark for mark in marks}.values()),
        auroc=marked_auroc(cut, only, sign),
        beyond=bool(tokens) and bool(response.text[tokens[-1]["end"] :].strip()),
    )


def _part(found: Attribution, part: str) -> list[dict]:
    return [token for token in found.tokens if token["part"] == part]


def _marks(version: Version, choice: Choice) -> dict[int, list[Mark]]:
    """Response id → people's spans, then planted flaws, with one colour per category."""
    labels = {category.key: category.label for category in version.project.schema.categories}
    keys = list(labels)
    marks: dict[int, list[Mark]] = {}

    def add(response: int, start: int, end: int, key: str, planted: bool, note: str = "") -> None:
        if key not in keys:
            keys.append(key)
        colour = keys.index(key) % COLOURS + 1
        marks.setdefault(response, []).append(Mark(start, end, key, labels.get(key, key), colour, planted, note))

    spans = Span.objects.filter(judgement__in=Judgement.objects.of_people(), response__in=[choice.a, choice.b])
    for span in spans.order_by("start", "end", "pk"):
        add(span.response_id, span.start, span.end, span.category, False, span.note)
    for response in {choice.a, choice.b}:
        for start, end, key in _planted(response):
            add(response.pk, start, end, key, True)
    return marks


def _planted(response: Response) -> Iterator[tuple[int, int, str]]:
    """Planted flaws; the metadata came with a file, and may hold anything under that name."""
    flaws = response.metadata.get("flaws")
    for flaw in flaws if isinstance(flaws, list) else []:
        match flaw:
            case {"start": int(start), "end": int(end), "category": str(key)} if start < end:
                yield start, end, key
