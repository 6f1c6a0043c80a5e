# ruff: noqa: E501
"""One or two rows of each format, as its publishers write them, and the containers they come in."""

import csv
import gzip
import io
import json

from annotate.formats import FORMATS

CHAT = [{"role": "user", "content": "Why is the sky blue? 🌍"}, {"role": "assistant", "content": "Light scatters."}]
HH = "\n\nHuman: Hello\n\nAssistant: "
MQM = {
    "system": "Online-A",
    "doc": "news.1",
    "doc_id": "1",
    "seg_id": "7",
    "rater": "rater1",
    "source": "Der 🐈 schläft.",
}
MQM |= {"target": 'The 🐈 <v>sle"ept</v>.', "category": "Accuracy/Mistranslation", "severity": "Major"}
ASPECT = {"Rating": "5", "Rationale": "It follows."}
STEP = {"completions": [{"text": "2 + 2 = 4.", "rating": 1, "flagged": None}], "human_completion": None}
RATING = {"type": "rating", "from_name": "helpfulness", "to_name": "answer2", "value": {"rating": 4}}
SPAN = {"type": "labels", "from_name": "label", "to_name": "answer1"}
SPAN |= {"value": {"start": 3, "end": 8, "text": "wrong", "labels": ["Wrong fact"]}}

ROWS: dict[str, list[dict]] = {
    "jsonl": [
        {"id": "a", "prompt": "Why?", "responses": ["So. 🙂", {"text": "No.", "source": "m"}], "metadata": {"n": [1, 2.5]}},
        {
            "turns": [*CHAT, {"role": "user", "content": "More?"}],
            "responses": ["Yes.", "Wrong."],
            "judgements": [
                {
                    "shown": [1, 0], "outcome": "ranking", "ranking": [[0], [1]], "strength": 3, "rater": "dana",
                    "spans": [{"response": 1, "start": 0, "end": 5, "quote": "Wrong", "category": "wrong"}],
                    "ratings": {"0": {"helpful": 5}},
                }
            ],
        },
    ],
    "table": [
        {"prompt": "Why?", "response_a": "So.", "response_b": "No.", "preference": "b", "strength": "2", "helpful_a": "4"},
        {"prompt": "How?", "response_a": "Thus.", "response_b": "Not.", "preference": "tie"},
    ],
    "trl": [
        {"prompt": "Why?", "chosen": "So.", "rejected": "No."},
        {"prompt": CHAT[:1], "chosen": CHAT[1:], "rejected": [{"role": "assistant", "content": "No idea."}]},
        {"chosen": CHAT, "rejected": [CHAT[0], {"role": "assistant", "content": "No idea."}]},
    ],
    "hh-rlhf": [{"chosen": HH + "Hi.", "rejected": HH + "Go away."}],
    "helpsteer": [
        {"prompt": "Why?", "response": r, "helpfulness": n, "correctness": 4, "coherence": 4, "complexity": 1, "verbosity": 2}
        for n, r in enumerate(("So.", "Because."))
    ],
    "helpsteer-preference": [
        {"prompt": "Why?", "response_1": "So.", "response_2": "No.", "preference_strength": -2, "preference_statement": "A"},
        {
            "domain": "general", "context": CHAT[:1], "response1": "Rays.", "response2": "Dust.", "overall_preference": 1,
            "individual_preference": [{"score": 1, "reasoning": "Better.", "feedback1": "a", "feedback2": "b"}],
        },
    ],
    "ultrafeedback": [
        {
            "source": "evol", "instruction": "Why?", "models": ["alpaca"], "correct_answers": ["None"],
            "completions": [
                {
                    "model": "alpaca", "response": "So.", "critique": "Good.", "overall_score": 7.5,
                    "annotations": {"helpfulness": ASPECT, "honesty": ASPECT | {"Rating": "N/A"}},
                }
            ],
        }
    ],
    "ultrafeedback-binarized": [
        {
            "prompt": CHAT[0]["content"], "prompt_id": "p", "chosen": CHAT, "messages": CHAT, "score_chosen": 8.5,
            "rejected": [CHAT[0], {"role": "assistant", "content": "No idea."}], "score_rejected": 3.0,
        }
    ],
    "reward-bench": [
        {"id": 30, "prompt": "Why?", "chosen": "So.", "rejected": "No.", "chosen_model": "a", "rejected_model": "b", "subset": "x"},
        {"id": "9", "prompt": "How?", "chosen": ["Thus."], "rejected": ["Not.", "Nope."], "models": ["a", "b", "c"], "subset": "y"},
    ],
    "qa-feedback": [
        {
            "question": "When?", "passages": [["Bridge", "Built in 1890."]], "gold": "1890.",
            "prediction 1": "In 1980.", "prediction 2": "In 1890.", "prediction 3": "Once.", "prediction 4": "Long ago.",
            "preference": [2, 1, 0, 1, 0, 2],
            "feedback": {
                "errors": [{"error type": "Wrong-Grounding", "explanation": "1890", "start": 3, "end": 7}],
                "missing-info": [], "corrected-prediction": "In 1890.",
            },
        }
    ],
    "prm800k": [
        {
            "labeler": "l1", "timestamp": "2022-07-17", "generation": 2, "is_quality_control_question": False,
            "question": {"problem": "What is 2 + 2, doubled?", "ground_truth_answer": "8"},
            "label": {
                "steps": [
                    STEP | {"chosen_completion": 0},
                    STEP | {"completions": [{"text": "So 9.", "rating": -1}, {"text": "So 8.", "rating": 1}], "chosen_completion": None},
                ],
                "total_time": 1200, "finish_reason": "found_error",
            },
        }
    ],
    "bigbench-mistake": [{"input": "b a", "steps": ["First b.", "Then a.", "Done."], "mistake_index": 1, "answer": "b a"}],
    "mqm": [
        MQM,
        MQM | {"rater": "rater2", "target": 'The 🐈 sle"ept.', "category": "No-error", "severity": "No-error"},
        MQM | {"seg_id": "8", "source": "<v>Sehr</v> gut.", "target": "Good.", "category": "Accuracy/Omission"},
    ],
    "pandalm": [
        {
            "idx": 0, "cmp_key": "bloom-7b_llama-7b", "instruction": "Rewrite.", "input": "Long.", "response1": "Short.",
            "response2": "Brief.", "annotator1": 1, "annotator2": 0, "annotator3": 2,
        }
    ],
    "hanna": [
        {
            "Story ID": "1", "Prompt": "Write.", "Story": "Once.", "Model": "BertGeneration", "Relevance": "4", "Coherence": "5",
            "Empathy": "1", "Surprise": "2", "Engagement": "3", "Complexity": "2", "Worker ID": "w1",
        }
    ],
    "argilla": [
        {
            "id": "r1", "fields": {"prompt": "Why?", "response-1": "So 🙂 wrong.", "response-2": "No."}, "metadata": {"k": 1},
            "suggestions": {"ranking": {"value": ["response-2", "response-1"], "score": None, "agent": "gpt"}},
            "responses": {
                "ranking": [{"value": ["response-1", "response-2"], "user_id": "u1"}],
                "quality-1": [{"value": 4, "user_id": "u1"}],
                "comment": [{"value": "It is right.", "user_id": "u1"}],
                "span-1": [{"value": [{"start": 6, "end": 11, "label": "Wrong fact"}], "user_id": "u2"}],
            },
            "vectors": {}, "_server_id": "s",
        }
    ],
    "label-studio": [
        {
            "id": 1, "data": {"prompt": "Why?", "answer1": "🙂 wrong", "answer2": "So."},
            "annotations": [
                {
                    "id": 7, "completed_by": 3, "lead_time": 12.5, "was_cancelled": False,
                    "result": [
                        {"type": "pairwise", "from_name": "pw", "to_name": "answer1,answer2", "value": {"selected": "right"}},
                        RATING, SPAN,
                        {"type": "textarea", "from_name": "why", "to_name": "answer1", "value": {"text": ["Reads well."]}},
                    ],
                }
            ],
            "predictions": [{"model_version": "judge-1", "result": [RATING]}],
        }
    ],
}  # fmt: skip
assert set(ROWS) == set(FORMATS)


def lines(rows: list[dict]) -> bytes:
    return b"\n".join(json.dumps(row, ensure_ascii=False).encode() for row in rows)


def array(rows: list[dict]) -> bytes:
    return json.dumps(rows, indent=1).encode()


def table(rows: list[dict], delimiter: str = ",", **quoting: object) -> bytes:
    """Lists and objects as JSON in their cells."""
    text, names = io.StringIO(), list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", **quoting)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue().encode()


def tsv(rows: list[dict]) -> bytes:
    return table(rows, "\t")


def raw_tsv(rows: list[dict]) -> bytes:
    """As WMT writes them: quotation marks are text."""
    names = list(rows[0])
    return "\n".join("\t".join(cells) for cells in [names, *([row[name] for name in names] for row in rows)]).encode()


def parquet(rows: list[dict]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names, target = list(dict.fromkeys(name for row in rows for name in row)), io.BytesIO()
    pq.write_table(pa.table({name: _column([row.get(name) for row in rows]) for name in names}), target)
    return target.getvalue()


CONTAINERS = {"lines": lines, "array": array, "csv": table, "tsv": tsv, "parquet": parquet}


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _cell(value: object) -> object:
    return json.dumps(value) if isinstance(value, list | dict | bool) else value


def _column(values: list) -> list:
    """Arrow wants one type a column; a mixed one is JSON text."""
    kinds = {type(value) for value in values if value is not None}
    return (
        values
        if len(kinds) == 1 and kinds <= {str, int, float, bool}
        else [None if v is None else str(_cell(v)) for v in values]
    )
