"""What clients send, as examples; what they are told, as JSON. Two protocols: our plain one and OpenRLHF's.

OpenRLHF's client (openrlhf/utils/remote_rm_utils.py) posts {"query": [prompt + answer, …], "prompts": [prompt, …],
"labels": […]} and reads {"rewards": […], "scores": […], "extra_logs": {name: […]}}. Its texts are decoded with special
tokens; a prompt in ChatML or in Llama 3's template is read back into turns, any other one stands as one user turn.
"""

import json
import re

from annotate.formats.rows import DECODER, reason
from worker.jobs.files import examples_of_line
from worker.jobs.scored import WHY
from worker.rm.types import PREFERENCE, Example, Scored

SURROGATE = re.compile("[\ud800-\udfff]")
ROLES = "(system|user|assistant)"
TEMPLATES = (
    re.compile(rf"<\|im_start\|>{ROLES}\n(.*?)(?:<\|im_end\|>|\Z)", re.S),
    re.compile(rf"<\|start_header_id\|>{ROLES}<\|end_header_id\|>\n\n(.*?)(?:<\|eot_id\|>|\Z)", re.S),
)
BEGINS = re.compile(r"\A(?:<s>|<bos>|<\|begin_of_text\|>)+")
STARTS = re.compile(r"(?:\s*(?:<s>|<bos>|<\|begin_of_text\|>|<\|endoftext\|>|<pad>|<\|pad\|>))*\s*")
ENDS = re.compile(
    r"(?:(?:</s>|<eos>|<end_of_turn>|<\|im_end\|>|<\|eot_id\|>|<\|end_of_text\|>|<\|endoftext\|>|<pad>|<\|pad\|>)\s*)++"
)  # a run of them, which is never read twice


class Refused(Exception):
    """A request that gets an error: an HTTP status, a sentence, and which of its items is wrong."""

    def __init__(self, status: int, why: str, item: int | None = None) -> None:
        super().__init__(why)
        self.status, self.why, self.item = status, why, item


def parsed(body: bytes) -> dict:
    """One JSON object, without NaN and infinity."""
    try:
        sent = DECODER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise Refused(400, reason(error)) from None
    if not isinstance(sent, dict):
        raise Refused(400, "the body must be one JSON object")
    return sent


def items(sent: dict) -> list[Example]:
    """{"items": [{"prompt" or "turns", "response", "context"?}, …]}"""
    if not isinstance(sent.get("items"), list) or not sent["items"]:
        raise Refused(422, "items must be a list of at least one item")
    return [_example(place, row) for place, row in enumerate(sent["items"])]


def queries(sent: dict) -> list[Example]:
    """{"query": […], "prompts": […], …} of OpenRLHF; a single text stands for a list of one."""
    query, prompts = (_texts(sent, name) for name in ("query", "prompts"))
    if len(query) != len(prompts):
        raise Refused(422, f"query holds {len(query)} texts and prompts {len(prompts)}")
    return [_asked(place, *both) for place, both in enumerate(zip(query, prompts, strict=True))]


def _texts(sent: dict, name: str) -> list[str]:
    found = [sent[name]] if isinstance(sent.get(name), str) else sent.get(name)
    if not isinstance(found, list) or not found:
        why = ", for without the prompt nobody can tell where the answer begins" if name == "prompts" else ""
        raise Refused(422, f"{name} must be a list of texts{why}")
    for place, text in enumerate(found):
        if not isinstance(text, str):
            raise Refused(422, f"{name}.{place} must be a text", place)
    return found


def _asked(place: int, query: str, prompt: str) -> Example:
    lead, stands, answer = query.partition(prompt) if prompt else ("", "", query)
    if prompt and (not stands or not STARTS.fullmatch(lead)):
        raise Refused(422, f"query.{place} does not begin with its prompt", place)
    return _example(place, {"turns": turns(prompt), "response": _unended(answer)})


def _unended(answer: str) -> str:
    """Without the special tokens at its end; those inside stay."""
    return ENDS.sub(lambda run: "" if run.end() == len(answer) else run[0], answer)


def turns(prompt: str) -> list[dict]:
    """The conversation of a templated prompt; the empty turn that asks for the answer is left out."""
    for template in TEMPLATES:
        found = [{"role": role, "content": content} for role, content in template.findall(prompt)]
        if found and found[-1] == {"role": "assistant", "content": ""}:
            found.pop()
        if found and found[-1]["role"] == "user":
            return found
    return [{"role": "user", "content": BEGINS.sub("", prompt)}]


def _example(place: int, row: object) -> Example:
    try:
        if not isinstance(row, dict) or "responses" in row:
            raise ValueError("must be an object with prompt (or turns) and response")
        example = examples_of_line(f"item {place}", row)[0]
        for name, text in (("response", example.response), *(("context", text) for text in example.context)):
            if SURROGATE.search(text):
                raise ValueError(f"{name} holds half of a surrogate pair, which is no text")
        return example
    except ValueError as error:
        raise Refused(422, f"item {place}: {error}", place) from None


def told_items(version: str, found: Scored) -> dict:
    """Per item a score, every head, tokens, truncated; null and the reason where a score is not defined."""
    rows = []
    for place, (tokens, cut) in enumerate(zip(found.tokens.tolist(), found.truncated.tolist(), strict=True)):
        heads = {head: _number(values[place]) for head, values in found.heads.items()}
        row = {"score": heads[PREFERENCE], "heads": heads, "tokens": tokens, "truncated": cut}
        rows.append(row if heads[PREFERENCE] is not None else row | {"undefined": WHY})
    return {"version": version, "items": rows}


def told_rewards(version: str, found: Scored) -> dict:
    """A policy cannot be led by a reward that is not defined, so one such refuses the request."""
    rewards = [_number(value) for value in found.heads[PREFERENCE]]
    if None in rewards:
        place = rewards.index(None)
        raise Refused(422, f"query.{place}: {WHY}", place)
    logs = {head: [_number(v) for v in values] for head, values in found.heads.items() if head != PREFERENCE}
    logs |= {"tokens": found.tokens.tolist(), "truncated": found.truncated.astype(int).tolist()}
    return {"rewards": rewards, "scores": rewards, "extra_logs": logs, "version": version}


def _number(value: float) -> float | None:
    return None if value != value else float(value)


def dumped(told: dict) -> bytes:
    return json.dumps(told, ensure_ascii=False, allow_nan=False).encode()
