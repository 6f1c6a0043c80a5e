"""Preference rows as TRL takes them (huggingface.co/docs/trl, "Dataset formats"), and files like them. PURE.

Explicit: {"prompt", "chosen", "rejected"}; implicit: the prompt is what `chosen` and `rejected` start with alike. Each
is text or a list of messages. Binarized UltraFeedback is such a file, with the scores of a machine.
"""

from annotate.formats import hh_rlhf
from annotate.formats.fields import rest, text
from annotate.formats.messages import answer, listed, turns
from annotate.formats.pairs import ranked
from annotate.formats.record import Record

OWN = ("prompt", "chosen", "rejected")


def record(row: dict) -> Record:
    """The item of one row with its verdict; other columns become metadata."""
    return preference(row, rest(row, *OWN))


def preference(row: dict, metadata: dict, sources: tuple[str, str] = ("", ""), verdict: dict | None = None) -> Record:
    """The item of one row, with what is known besides of its answers (chosen, rejected) and its verdict."""
    before, chosen, rejected = _sides(row)
    groups = [[{"text": chosen, "source": sources[0]}], [{"text": rejected, "source": sources[1]}]]
    return ranked(before, groups, metadata=metadata, verdict=verdict)


def binarized(row: dict) -> Record:
    """Binarized UltraFeedback (arXiv 2310.01377): GPT-4 scored four answers, the best and one other were kept."""
    names = (text(row, "chosen-model", ""), text(row, "rejected-model", ""))
    verdict = {"source": "machine", "rater": "gpt-4"}
    return preference(row, rest(row, *OWN, "messages", "chosen-model", "rejected-model"), names, verdict)


def _sides(row: dict) -> tuple[list[dict], str, str]:
    """The turns before the two last answers, and these."""
    dialogues = [_dialogue(row, name) for name in ("chosen", "rejected")]
    if None not in dialogues:
        (chosen, best), (rejected, other) = dialogues
        if chosen != rejected:
            raise ValueError("chosen and rejected differ before the last answer")
        return chosen, best, other
    if row.get("prompt") is not None:
        return turns(row, "prompt"), answer(row, "chosen"), answer(row, "rejected")
    return _common(text(row, "chosen"), text(row, "rejected"))


def _dialogue(row: dict, name: str) -> tuple[list[dict], str] | None:
    """A whole conversation split before its last answer; None where the row holds only the answer."""
    value = row.get(name)
    if isinstance(value, str) and value.startswith("\n\nHuman:"):
        before, last = hh_rlhf.split(row, name)
        return [{"role": role, "content": content} for role, content in before], last
    if not listed(value):
        return None
    *before, last = turns(row, name) or [{"role": "nobody"}]
    if last["role"] != "assistant":
        raise ValueError(f"{name!r} does not end with an answer of the assistant")
    return (before, last["content"]) if before else None


def _common(chosen: str, rejected: str) -> tuple[list[dict], str, str]:
    """Bare texts: the prompt is what they start with alike, up to the last white space."""
    same = next((n for n, (a, b) in enumerate(zip(chosen, rejected, strict=False)) if a != b), -1)
    end = max(chosen.rfind(space, 0, same) for space in " \n\t") + 1 if same >= 0 else min(len(chosen), len(rejected))
    shared = chosen[:end]
    if not shared.strip():
        raise ValueError("chosen and rejected share no start, and there is no prompt")
    return [{"role": "user", "content": shared.strip()}], chosen[len(shared) :].strip(), rejected[len(shared) :].strip()
