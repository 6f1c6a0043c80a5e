"""A schema as a form of many fields: what was sent becomes a Schema, or messages by field. PURE.

Fields are named by their path, "criteria.0.label"; rows are numbered in the order in which they stand.
"""

import re
from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from annotate.schema import DEFAULT, Category, Criterion, Principle, Schema, SpanRules

ROWS = {"categories": Category, "criteria": Criterion, "principles": Principle, "safety": Category}
CHOICES = ("arrangement", "rationale", "weighing", "steps")
SWITCHES = ("partial", "omissions", "turns", "rewrite", "demonstration")
ANCHOR = re.compile(r"\s*(-?\d+)\s*[:.–-]?\s+(.+?)\s*")
MOST = 60  # rows of a kind; a form sent with more is no person's


def body_of(form: Mapping[str, str]) -> dict:
    """The schema's JSON as far as the fields say it; what they do not say keeps its default."""
    body = {name: form[name] for name in CHOICES if name in form}
    body |= {name: name in form for name in SWITCHES}
    body["strengths"] = _number(form.get("strengths", "3"))
    body["rules"] = {name: f"rules.{name}" in form for name in SpanRules.model_fields}
    return body | {name: [_row(form, name, n) for n in numbers(form, name)] for name in ROWS}


def numbers(form: Iterable[str], name: str) -> list[int]:
    """The numbers of the rows of that kind, in their order."""
    found = {int(key.split(".")[1]) for key in form if re.fullmatch(rf"{name}\.\d{{1,3}}\.\w+", key)}
    return sorted(found)[:MOST]


def _row(form: Mapping[str, str], name: str, n: int) -> dict:
    said = {field: form.get(f"{name}.{n}.{field}", "").strip() for field in ROWS[name].model_fields}
    row = {field: value for field, value in said.items() if value}
    row["key"] = said["key"] or key_of(said["label"]) or f"{ROWS[name].__name__.lower()}-{n + 1}"
    row["label"] = said["label"]
    for field in ("low", "high", "weight"):
        if field in row:
            row[field] = _number(row[field])
    if name == "criteria":
        row |= {"anchors": anchors_of(said["anchors"]), "rationale": bool(said["rationale"])}
    return row


def key_of(label: str) -> str:
    """A key made of a label: "Wrong fact" is wrong-fact."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-0123456789")[:40].strip("-")


def anchors_of(lines: str) -> dict[str, str]:
    """ "1: useless" on a line each; what is no such line is kept as a key that the schema refuses."""
    found = [(ANCHOR.fullmatch(line), line) for line in lines.splitlines() if line.strip()]
    return {match[1] if match else line.strip(): match[2] if match else "" for match, line in found}


def _number(words: str) -> int | float | str:
    try:
        return int(words)
    except ValueError:
        return float(words) if re.fullmatch(r"-?\d{1,9}\.\d{1,9}", words) else words


def errors_of(error: ValidationError) -> dict[str, str]:
    """What is wrong, by the field's name; "" is the schema as a whole."""
    return {".".join(map(str, each["loc"][:3])): _words(each) for each in reversed(error.errors())}


def _words(mistake: dict) -> str:
    """Pydantic's message, or ours where people would not read theirs."""
    if mistake["type"] == "string_pattern_mismatch":
        return "Small letters, digits and hyphens, beginning with a letter."
    if mistake["type"] == "string_too_short":
        return "It needs some words."
    if "anchors" in mistake["loc"]:
        return "A line is a level and its words, such as 1: useless."
    return mistake["msg"].removeprefix("Value error, ").removeprefix("criterion ")


def fields_of(body: Mapping) -> dict[str, str]:
    """The form's fields of a schema's JSON: body_of's inverse."""
    form = {name: body[name] for name in CHOICES if name in body} | {"strengths": str(body.get("strengths", 3))}
    form |= {name: "on" for name in SWITCHES if body.get(name)}
    form |= {f"rules.{name}": "on" for name, on in body.get("rules", {}).items() if on}
    for name in ROWS:
        for n, row in enumerate(body.get(name, [])):
            form |= {
                f"{name}.{n}.{field}": _written(field, value) for field, value in row.items() if value is not False
            }
    return form


def _written(field: str, value: object) -> str:
    if field == "anchors":
        return "\n".join(f"{n}: {words}" for n, words in sorted(value.items(), key=lambda both: int(both[0])))
    return "on" if value is True else f"{value:g}" if isinstance(value, float) else str(value)


# ---- Rows added, removed and moved by a button named "act.kind.number"


def edited(form: Mapping[str, str], act: str) -> dict[str, str]:
    """The fields after one press of a button: add.criteria, remove.criteria.1, up.criteria.1, down.criteria.1."""
    what, name, *at = act.split(".")
    rows = [_fields(form, name, n) for n in numbers(form, name)]
    n = numbers(form, name).index(int(at[0])) if at else len(rows)
    if what == "add":
        rows.append(NEW[name])
    elif what == "remove":
        del rows[n]
    else:
        to = max(0, n - 1) if what == "up" else n + 1
        rows.insert(to, rows.pop(n))
    rest = {key: value for key, value in form.items() if not key.startswith(f"{name}.")}
    return rest | {f"{name}.{i}.{field}": value for i, row in enumerate(rows) for field, value in row.items()}


KIND = "|".join(ROWS)
ACT = re.compile(rf"add\.({KIND})|(remove|up|down)\.({KIND})\.\d{{1,3}}")
NEW = {name: {"key": "", "label": ""} for name in ROWS} | {
    "criteria": {"key": "", "label": "", "kind": "likert", "low": "1", "high": "5", "weight": "1"}
}


def _fields(form: Mapping[str, str], name: str, n: int) -> dict[str, str]:
    start = f"{name}.{n}."
    return {key.removeprefix(start): value for key, value in form.items() if key.startswith(start)}


# ---- Ready-made schemas


def _likert(key: str, label: str, low: int, high: int, worst: str, best: str) -> Criterion:
    return Criterion(key=key, label=label, low=low, high=high, anchors={low: worst, high: best})


HELPSTEER = tuple(
    _likert(key, label, 0, 4, worst, best)
    for key, label, worst, best in (
        ("helpfulness", "Helpfulness", "of no help", "all that was asked"),
        ("correctness", "Correctness", "wrong", "right and complete"),
        ("coherence", "Coherence", "contradicts itself", "clear throughout"),
        ("complexity", "Complexity", "anyone could write it", "an expert wrote it"),
        ("verbosity", "Verbosity", "as short as can be", "very long"),
    )
)
HARMS = (
    Category(key="violence", label="Violence"),
    Category(key="hate", label="Hate"),
    Category(key="self-harm", label="Self-harm"),
    Category(key="crime", label="Helps a crime"),
    Category(key="privacy", label="Private data"),
)
PRESETS: dict[str, tuple[str, Schema]] = {
    "pairwise": ("Pairwise and spans", DEFAULT),
    "ranking": ("Ranking", Schema(arrangement="all", partial=True, omissions=False)),
    "rubric": ("Rubric of HelpSteer", Schema(arrangement="single", criteria=HELPSTEER, omissions=False)),
    "steps": ("Steps of reasoning", Schema(arrangement="single", steps="each", omissions=False)),
    "safety": (
        "Safety and helpfulness",
        Schema(safety=HARMS, criteria=HELPSTEER[:1], omissions=False),
    ),
    "demonstrations": (
        "Demonstrations",
        Schema(arrangement="single", demonstration=True, rewrite=True, omissions=False),
    ),
}
