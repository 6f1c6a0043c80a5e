"""What the page of marks says in words."""

from collections.abc import Mapping, Sequence

from annotate.agreement import Interval

WHO = {"people": "marked by people", "planted": "planted"}


def sentence(first: Mapping, rows: Sequence[Mapping], truth: str) -> str:
    """How often the model objects more to these words, beside lot and place; and the best and the worst kind."""
    model, place = first["within_auroc"], first["later_within"]
    if model.value is None:
        return f"The model cannot be held against marks here: {model.why}."
    what = "" if first["kind"] == "any" else f" as {first['label'].lower()}"
    words = (
        f"Of two characters of one response, one {WHO[truth]}{what} and one not, the model objects more to the first "
        f"in {percent(model)} of the cases. By lot it would be 50 %; by place alone, later words first, "
        f"{percent(place)}. {_verdict(model, place)}"
    )
    others = [row for row in rows if row["kind"] not in ("any", first["kind"]) and row["within_auroc"].low is not None]
    others.sort(key=lambda row: -row["within_auroc"].value)
    return " ".join(filter(None, [words, (_extremes if first["kind"] == "any" else _also)(others)]))


def _extremes(others: Sequence[Mapping]) -> str:
    return f"Best at {_share(others[0])}, worst at {_share(others[-1])}." if len(others) > 1 else ""


def _also(others: Sequence[Mapping]) -> str:
    """Of a head that was made for one kind: which others it points at, too."""
    seen = [_share(row) for row in others if row["within_auroc"].low > 0.5]
    return f"It also points at {', '.join(seen)}." if seen else ""


def _share(row: Mapping) -> str:
    return f"{row['label'].lower()} ({100 * row['within_auroc'].value:.0f} %)"


def _verdict(model: Interval, place: Interval) -> str:
    if model.low is None:
        return f"How sure that is cannot be said: {model.why}."
    if model.high < 0.5:
        return "It likes these words."
    if model.low <= 0.5:
        return "The interval holds 50 %: no sign that it minds these words."
    if place.low is not None and model.low > place.high:
        return "It minds these words, by more than its place."
    if place.low is not None and model.high < place.low:
        return "It minds these words, but the place alone tells more."
    return "It minds these words; whether by more than its place is open."


def percent(one: Interval) -> str:
    bounds = f" ({100 * one.low:.0f}–{100 * one.high:.0f})" if one.low is not None else ""
    return f"{100 * one.value:.0f} %{bounds}"


def sent(told: Mapping) -> str:
    """What became of the responses that were sent to the raters, each number with its reason."""
    parts = [
        (told["raised"], "{} put in front"),
        (told["opened"], "{} with one more place, since all were taken"),
        (told["made"], "{} made"),
    ]
    tasks = [words.format(n) for n, words in parts if n]
    left = [
        (told["same"], "{} shown by one of these tasks"),
        (told["waiting"], "{} sent before and still waiting"),
        (told["held_out"], "{} on held-out prompts, which measure the model and are judged as they come"),
        (told["nobody"], "{} that everybody here has judged"),
    ]
    other = [words.format(n) for n, words in left if n]
    words = f"Tasks: {', '.join(tasks)}." if tasks else "No task was sent."
    return f"{words} Responses without one of their own: {', '.join(other)}." if other else words


def taken_back(told: Mapping) -> str:
    """What an undo did."""
    words = f"{told['back']} wait as before."
    return f"{words} {told['begun']} stay: a rater has taken them up." if told["begun"] else words
