"""PandaLM's test set (arXiv 2306.05087): two answers, and who of three raters preferred which; 0 is a tie. PURE."""

from annotate.formats.fields import rest, text, whole
from annotate.formats.record import Record, make

OWN = ("instruction", "input", "response1", "response2", "annotator1", "annotator2", "annotator3", "cmp_key")


def record(row: dict) -> Record:
    """The item of one element, a verdict for each rater; `cmp_key` names the models."""
    asked = "\n\n".join(filter(None, (text(row, "instruction"), text(row, "input", ""))))
    models = [*text(row, "cmp_key", "").split("_"), "", ""][:2]
    names = [name for name in ("annotator1", "annotator2", "annotator3") if row.get(name) is not None]
    texts = [_answer(row, "response1"), _answer(row, "response2")]
    kept = [(said, model) for said, model in zip(texts, models, strict=True) if said.strip()]
    verdicts = [_verdict(whole(row, name, 0, 2), name) for name in names]
    return make(
        turns=[{"role": "user", "content": asked}],
        responses=[{"text": said, "source": model} for said, model in kept],
        judgements=verdicts if len(kept) == 2 else [],
        metadata=rest(row, *OWN),
    )


def _answer(row: dict, name: str) -> str:
    """In the published file some answers have become a truth value or a number."""
    value = row.get(name)
    return str(value) if isinstance(value, bool | int | float) else text(row, name)


def _verdict(choice: int, rater: str) -> dict:
    ranking = [[], [[0], [1]], [[1], [0]]][choice]
    return {"shown": [0, 1], "outcome": "ranking" if ranking else "tie", "ranking": ranking, "rater": rater}
