"""Which format a row looks like, by the names of its fields. PURE."""

from annotate.formats.columns import is_table

AUTO = "auto"
# The first whose fields are all there. Fields that only one format has come first.
SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("qa-feedback", ("question", "prediction 1", "feedback")),
    ("prm800k", ("question", "label")),
    ("bigbench-mistake", ("steps", "mistake_index")),
    ("mqm", ("system", "rater", "source", "target", "category", "severity")),
    ("pandalm", ("instruction", "response1", "response2", "annotator1")),
    ("hanna", ("Prompt", "Story", "Model", "Relevance")),
    ("label-studio", ("data", "annotations")),
    ("argilla", ("fields", "responses")),
    ("helpsteer-preference", ("response_1", "response_2", "preference_strength")),
    ("helpsteer-preference", ("context", "response1", "response2")),
    ("helpsteer", ("prompt", "response", "helpfulness")),
    ("ultrafeedback", ("instruction", "completions")),
    ("ultrafeedback-binarized", ("chosen", "rejected", "score_chosen")),
    ("ultrafeedback-binarized", ("chosen", "rejected", "chosen-rating")),
    ("reward-bench", ("prompt", "chosen", "rejected", "subset")),
    ("trl", ("chosen", "rejected")),
    ("jsonl", ("turns",)),
    ("jsonl", ("prompt", "responses")),
)


def guess(row: dict) -> str:
    """The name of the format. ValueError that says what was found where it is none."""
    dialogue = row.get("chosen")
    if isinstance(dialogue, str) and dialogue.startswith("\n\nHuman:") and "prompt" not in row:
        return "hh-rlhf"
    if any(name.endswith((".responses", ".suggestion", "-suggestion")) for name in row):
        return "argilla"
    for name, signs in SIGNS:
        if all(sign in row for sign in signs):
            return name
    if is_table(row):
        return "table"
    found = ", ".join(list(row)[:12])[:300] or "nothing"
    raise ValueError(f"the fields ({found}) are those of no format known here; choose one, or rename the fields")
