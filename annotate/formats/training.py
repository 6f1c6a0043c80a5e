"""Records with their judgements → rows for training, in the columns that TRL takes. PURE.

Every row ends with `item`, the project's number of the item, from which a broken export goes on. What a responder was
given to read stands before the conversation as a system message, since TRL knows no passages.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from annotate.formats.record import Record
from annotate.formats.votes import Pair, pairs
from annotate.schema import Schema, rubric_mean

Rows = Iterator[dict]
Message = dict[str, str]


def touchstone(record: Record, together: bool, schema: Schema) -> Rows:
    """Our own format, with nothing lost: one row, whatever was judged."""
    yield record.model_dump(mode="json", exclude_defaults=True)


def preference(record: Record, together: bool, schema: Schema) -> Rows:
    """TRL's explicit preference, conversational: prompt, chosen, rejected. DPO and reward training take it."""
    for _, chosen, rejected in _decided(record, together):
        yield {"prompt": prompt(record), "chosen": _said(record, chosen), "rejected": _said(record, rejected)}


def reward(record: Record, together: bool, schema: Schema) -> Rows:
    """For reward models: a preference with its margin, the share that prefers `chosen`, weight, raters and spans;
    and the mean rating of both sides, by the weights of the project's criteria (0 … 1; None where nobody rated)."""
    for pair, chosen, rejected in _decided(record, together):
        share = pair.share if chosen == pair.first else 1 - pair.share
        yield {
            "prompt": prompt(record),
            "chosen": _said(record, chosen),
            "rejected": _said(record, rejected),
            "margin": round(abs(pair.margin), 6),
            "soft_label": round(share, 6),
            "weight": pair.weight,
            "raters": len(pair.votes),
            "chosen_spans": _spans(pair, chosen),
            "rejected_spans": _spans(pair, rejected),
            "chosen_rating": _rating(pair, chosen, schema),
            "rejected_rating": _rating(pair, rejected, schema),
        }


def kto(record: Record, together: bool, schema: Schema) -> Rows:
    """Unpaired: a response that was preferred is good, one that lost, or was called bad, is not. A tie says nothing."""
    votes: dict[int, Counter[bool]] = {}
    for place, good in _goodness(record):
        if not together:
            yield _judged(record, place, good)
        votes.setdefault(place, Counter())[good] += 1
    for place, found in votes.items() if together else ():
        if found[True] != found[False]:
            yield _judged(record, place, found[True] > found[False])


def sft(record: Record, together: bool, schema: Schema) -> Rows:
    """What to imitate: demonstrations and rewrites of raters, then responses that won every comparison."""
    texts: dict[str, str] = {}
    for verdict in record.judgements:
        texts |= {verdict.demonstration: "demonstration"} if verdict.demonstration else {}
        texts |= dict.fromkeys(verdict.corrections.values(), "rewrite")
    good = Counter(_goodness(record))
    won = [place for place in range(len(record.responses)) if good[place, True] and not good[place, False]]
    for place in won:
        texts.setdefault(record.responses[place].text, "chosen")
    for text, kind in texts.items():
        yield {"prompt": prompt(record), "completion": [_message(text)], "kind": kind}


def steps(record: Record, together: bool, schema: Schema) -> Rows:
    """Stepwise supervision: the steps of a response and whether each is right, up to the first of which nobody spoke.

    A step is right where it was called good or neutral; `together` takes the majority, and a draw is not right.
    """
    for place, answer in enumerate(record.responses):
        said = [v.steps[str(place)] for v in record.judgements if str(place) in v.steps]
        for labels in [_majority(said)] if together and said else said:
            known = labels[: labels.index(None)] if None in labels else labels
            if known:
                texts = [answer.text[step.start : step.end] for step in answer.steps[: len(known)]]
                yield {"prompt": plain(record), "completions": texts, "labels": [label >= 0 for label in known]}


EXPORTS: dict[str, Callable[[Record, bool, Schema], Rows]] = {
    "touchstone": touchstone,
    "preference": preference,
    "dpo": preference,
    "kto": kto,
    "sft": sft,
    "prm": steps,
    "reward": reward,
}


def prompt(record: Record) -> list[Message]:
    """The conversation as messages, what there was to read first."""
    read = "\n\n".join("\n".join(filter(None, (part.title, part.text))) for part in record.context)
    turns = [{"role": turn.role, "content": turn.content} for turn in record.turns]
    return [{"role": "system", "content": read}, *turns] if read else turns


def plain(record: Record) -> str:
    """The same as one text; a lone turn of the user stands bare."""
    said = prompt(record)
    return said[0]["content"] if len(said) == 1 else "\n".join(f"{one['role']}: {one['content']}" for one in said)


def _decided(record: Record, together: bool) -> Iterator[tuple[Pair, int, int]]:
    for pair in pairs(record, together):
        if sides := pair.sides():
            yield pair, *sides


def _goodness(record: Record) -> Iterator[tuple[int, bool]]:
    """(place, good?) for each comparison that a response won or lost."""
    for pair in pairs(record, together=False):
        if sides := pair.sides():
            yield from zip(sides, (True, False), strict=True)
    for verdict in record.judgements:
        if verdict.outcome == "both_bad":
            yield from ((place, False) for place in verdict.shown)


def _judged(record: Record, place: int, good: bool) -> dict:
    return {"prompt": prompt(record), "completion": _said(record, place), "label": good}


def _majority(said: list[list[int | None]]) -> list[int | None]:
    """Step by step: right or wrong by majority of those who spoke, None where nobody did."""
    columns = [[label >= 0 for label in column if label is not None] for column in zip(*said, strict=False)]
    return [None if not votes else (1 if sum(votes) * 2 > len(votes) else -1) for votes in columns]


def _spans(pair: Pair, place: int) -> list[dict]:
    """All marks on a response by those who voted; severity 0 where none was said."""
    marks = [mark for vote in pair.votes for mark in vote.verdict.spans if mark.response == place]
    return [
        {"start": one.start, "end": one.end, "category": one.category, "severity": one.severity or 0} for one in marks
    ]


def _rating(pair: Pair, place: int, schema: Schema) -> float | None:
    """The mean over those who voted and rated the response."""
    given = [rubric_mean(schema.criteria, vote.verdict.ratings.get(str(place), {})) for vote in pair.votes]
    given = [mean for mean in given if mean is not None]
    return round(sum(given) / len(given), 6) if given else None


def _said(record: Record, place: int) -> list[Message]:
    return [_message(record.responses[place].text)]


def _message(text: str) -> Message:
    return {"role": "assistant", "content": text}
