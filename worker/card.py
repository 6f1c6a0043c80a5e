"""The model card of an exported version: what it was made from, how good it is, how it is used, where it ends."""

import json
from collections.abc import Iterator, Mapping
from html import escape

from worker.models import Backbone, Version
from worker.recipes import in_groups
from worker.templatetags.numbers import between, decimals, plain, share, spoken
from worker.words import checks, in_words


def card(version: Version, written: Mapping) -> str:
    """`written`: form ("model" or "adapter"), class, base, max_length, truncation, template, remote_code, bf16,
    examples, largest_difference, same_tokens."""
    parts = [_head(version, written), _about(version, written), _use(written), _data(version)]
    return "\n\n".join([*parts, _metrics(version), _recipe(version), _limits(version, written)]) + "\n"


def _head(version: Version, written: Mapping) -> str:
    """What hubs read."""
    base = written["base"]
    lines = ["library_name: peft" if written["form"] == "adapter" else "library_name: transformers"]
    lines += [f"base_model: {json.dumps(base)}"] if "/" in base else []
    tags = "".join(f"\n- {tag}" for tag in ("reward-model", "reward", "touchstone"))
    return "\n".join(["---", *lines, "pipeline_tag: text-classification", f"tags:{tags}", "---"])


def _about(version: Version, written: Mapping) -> str:
    found = Backbone.objects.filter(source=version.backbone).first()
    licence = f", whose licence is {escape(found.licence)}" if found and found.licence else ""
    return (
        f"# Reward model {version}\n\n"
        "One number per response: the higher, the more people are expected to prefer it to others of the same prompt. "
        f"P(first preferred) = σ((score₁ − score₂) / {version.temperature:.4g}). Built on {written['base']}{licence}. "
        f"On the training responses scores have mean {decimals(version.mean, 3)} and standard deviation "
        f"{decimals(version.std, 3)}."
    )


_USE = """## Use

```python
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
{extra}
tokenizer = AutoTokenizer.from_pretrained(FOLDER)
model = {load}.eval()
chat = [{{"role": "user", "content": PROMPT}}, {{"role": "assistant", "content": RESPONSE}}]
with torch.no_grad():
    score = model(**tokenizer.apply_chat_template(chat, return_dict=True, return_tensors="pt")).logits[0, 0]
```

The chat template writes all special tokens; a text that it has rendered is tokenised without adding any.
{code}"""


def _use(written: Mapping) -> str:
    load, extra, code = "AutoModelForSequenceClassification.from_pretrained(FOLDER)", "", ""
    if written["remote_code"]:
        load = "AutoModelForSequenceClassification.from_pretrained(FOLDER, trust_remote_code=True)"
        code = "It is loaded by `modeling_touchstone.py` in this folder, since it pools in a way of its own.\n"
    if written["form"] == "adapter":
        extra = "from peft import PeftModel\n"
        given = "num_labels=1, pad_token_id=tokenizer.pad_token_id"
        load = f"PeftModel.from_pretrained(AutoModelForSequenceClassification.from_pretrained(BASE, {given}), FOLDER)"
        code = f"BASE is {written['base']}. The head is among the saved modules.\n"
    return _USE.format(load=load, extra=extra, code=code).rstrip()


def _data(version: Version) -> str:
    rows = [(spoken(name), value) for name, value in _flat(version.snapshot.counts)]
    return f"## Data\n\nSnapshot `{version.snapshot.sha256}` of people's judgements.\n\n" + _table(("", "Count"), rows)


def _flat(counts: Mapping, before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in counts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}, ")
        else:
            yield before + name, f"{value:,}" if isinstance(value, int) else value


def _metrics(version: Version) -> str:
    found = version.metrics
    accuracies = {"this version": found.get("pair_accuracy"), **found.get("baselines", {})}
    accuracies["ceiling, by agreement between people"] = found.get("ceiling")
    rows = [
        (spoken(name), share(one["value"]), between(one), f"{one['n']:,}") for name, one in accuracies.items() if one
    ]
    sentences = [*in_words(found), *(f"{check.title}: {check.said}" for check in checks(found))]
    table = _table(("Held-out pairs", "Accuracy", "95 % interval", "n"), rows)
    return "## Metrics\n\n" + "\n".join(f"- {one}" for one in sentences) + f"\n\n{table}"


def _recipe(version: Version) -> str:
    parts = [
        f"### {title}\n\n" + _table(("Value", ""), [(line.name, plain(line.value)) for line in lines])
        for title, lines in in_groups(version.recipe)
    ]
    return "\n\n".join(["## Recipe", *parts])


def _limits(version: Version, written: Mapping) -> str:
    lines = [
        f"It reads {written['max_length']:,} tokens. In training, longer inputs lost tokens by the rule "
        f"“{written['truncation']}”; this folder's tokenizer cuts nothing by itself.",
        "It knows what the people above preferred, on prompts like theirs. Elsewhere it may be confidently wrong, and "
        "a policy trained against it will look for such places.",
        "A literal special token inside a text is text to the version itself, and special to this tokenizer.",
        f"Loaded again, it gave the version's own scores of {written['examples']} responses to "
        f"{written['largest_difference']:.1g}; this tokenizer gave {written['same_tokens']} of them the same tokens.",
        *_own_limits(version, written),
    ]
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _own_limits(version: Version, written: Mapping) -> Iterator[str]:
    if version.transforms:
        yield "The version transforms its scores; this folder gives them as they are before that."
    if len(version.heads) > 1:
        yield f"Of its {len(version.heads)} heads the folder holds the preference alone."
    if written["bf16"]:
        yield "The version reads in bfloat16, this folder in float32: scores differ in the second decimal place."
    if not written["remote_code"] and written["class"].startswith("Bert"):
        yield "Pad on the right: this class reads the first position."
    if version.affected_at:
        yield "Something it was trained on has been withdrawn since."


def _table(head: tuple[str, ...], rows: list[tuple]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
