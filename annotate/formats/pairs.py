"""Preferences whose file does not say who stood left. PURE.

The order as shown is made up from the hashes of the texts: the same on each import, and blind to the verdict. Effects
of position must not be read off it.
"""

from hashlib import sha256

from annotate.formats.record import Record, make


def ranked(turns: list[dict], groups: list[list[dict]], *, verdict: dict | None = None, **item: object) -> Record:
    """An item whose responses {"text", "source"} come in groups of equals, best first.

    Responses that are blank, and equal ones, cannot be told apart on the page: they are left out, and where fewer
    than two groups remain, the item has no verdict.
    """
    best = [group for group in map(_spoken, groups) if group]
    answers = {answer["text"]: answer for group in reversed(best) for answer in reversed(group)}
    if not answers:
        raise ValueError("both answers are empty")
    shown = sorted(answers, key=lambda text: sha256(text.encode()).digest())
    places = [[shown.index(answer["text"]) for answer in group] for group in best]
    clean = len(places) == len(groups) > 1 and len(answers) == sum(map(len, groups))
    said = {"shown": list(range(len(shown))), "outcome": "ranking", "ranking": places} | (verdict or {})
    responses = [answers[text] for text in shown]
    return make(turns=turns, responses=responses, judgements=[said] if clean else [], **item)


def signed(places: tuple[int, int], strength: int, **said: object) -> dict:
    """A verdict on a pair from a number: below 0 the first is better, above 0 the second, 0 is a tie."""
    first, second = places
    if strength == 0:
        return {"shown": [first, second], "outcome": "tie", **said}
    ranking = [[first], [second]] if strength < 0 else [[second], [first]]
    return {"shown": [first, second], "outcome": "ranking", "ranking": ranking, "strength": abs(strength), **said}


def alone(place: int, **said: object) -> dict:
    """A verdict on one response by itself: ratings, spans or steps, and nothing compared."""
    return {"shown": [place], "outcome": "ranking", "ranking": [[place]], **said}


def _spoken(group: list[dict]) -> list[dict]:
    return [answer for answer in group if answer["text"].strip()]
