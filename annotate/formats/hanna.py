"""HANNA (Chhun et al. 2022, arXiv 2208.11646): stories rated 1 to 5 on six criteria, one line for each rater. PURE."""

from annotate.formats.fields import key_of, number, rest, text
from annotate.formats.pairs import alone
from annotate.formats.record import Record, make

CRITERIA = ("Relevance", "Coherence", "Empathy", "Surprise", "Engagement", "Complexity")
OWN = ("Prompt", "Story", "Human", "Model", "Worker ID", "Name", "Assignment ID", "Work time in seconds", *CRITERIA)


def record(row: dict) -> Record:
    """The item of one line of hanna_stories_annotations.csv: three such lines are one item with three verdicts."""
    ratings = {key_of(name): number(row, name) for name in CRITERIA}
    verdict = alone(0, ratings={"0": ratings}, rater=text(row, "Worker ID", ""))
    return make(
        turns=[{"role": "user", "content": text(row, "Prompt")}],
        responses=[{"text": text(row, "Story"), "source": text(row, "Model")}],
        judgements=[verdict],
        metadata=rest(row, *OWN),
    )
