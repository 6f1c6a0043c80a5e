"""A version's report: everything that the pages say of it, with where it comes from, on one page to print."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from platform import python_version

from annotate.agreement import Interval
from inspector.report.sections import SECTIONS, Number, Section
from worker.models import Backbone, Version

SOFTWARE = ("django", "numpy", "scipy", "torch", "transformers", "peft", "safetensors", "plotly")
RULES = {
    "longer_wins": "Guess: the longer wins",
    "always_first": "Guess: always the first shown",
    "majority": "Guess: the side preferred more often in training",
}


def sections(version: Version) -> list[Section]:
    """In the order of the questions; of a version without scores only what its training measured."""
    first = [accuracy(version)]
    return first + [make(version) for make in SECTIONS] if version.scores.exists() else first


def accuracy(version: Version) -> Section:
    """What the training measured on held-out prompts, beside guesses and the ceiling that people leave."""
    question, numbers = "How often does it agree with people?", list(_accuracies(version.metrics))
    if not numbers or numbers[0].value.value is None:
        how = "No held-out pair was decided. About one prompt in five is held out: judge more of them, and train again."
        return Section("version", question, missing=how)
    ours, rules = numbers[0].value, [one for one in numbers[1:] if one.label.startswith("Guess")]
    best = max(rules, key=lambda one: one.value.value or 0, default=None)
    words = f"It agrees with people on {_percent(ours)} of {ours.n:,} held-out pairs"
    words += f"; the best guess, “{best.label.removeprefix('Guess: ')}”, on {_percent(best.value)}." if best else "."
    return Section("version", question, (words,), tuple(numbers))


def _accuracies(metrics: dict) -> Iterator[Number]:
    named = [("This version", metrics.get("pair_accuracy"))]
    named += [(RULES.get(name, name), one) for name, one in metrics.get("baselines", {}).items()]
    named += [("Ceiling, by agreement between people", metrics.get("ceiling"))]
    for label, one in named:
        if one:
            yield Number(label, Interval(*(one.get(key) for key in ("value", "low", "high")), one.get("n", 0)), True)


def _percent(one: Interval) -> str:
    return f"{100 * one.value:.1f} %" + (f" ({100 * one.low:.1f}–{100 * one.high:.1f})" if one.low is not None else "")


# ---- Where it comes from


def about(version: Version) -> dict[str, str | int | float | None]:
    """Everything needed to know which version this is, and to make it again, by name."""
    backbone = Backbone.objects.filter(source=version.backbone).first()
    job, counts = version.trained_by, version.snapshot.counts
    return {
        "project": version.project.name,
        "version": f"{version} ({version.state})",
        "made": version.created_at.isoformat(timespec="minutes"),
        "by": job.created_by.username if job and job.created_by else "a command",
        "after version": version.parent.number if version.parent else None,
        "recipe": ", ".join(f"{name} {value}" for name, value in _flat(version.recipe)),
        "heads": ", ".join(version.heads),
        "temperature": version.temperature,
        "backbone": version.backbone,
        "backbone's weights, sha256": backbone.sha256 if backbone else "not registered",
        "encoding, sha256": version.encode_hash,
        "file, sha256": version.file_sha256,
        "snapshot, sha256": version.snapshot.sha256,
        **_counts(counts),
        "affected since": version.affected_at.isoformat(timespec="minutes") if version.affected_at else None,
    }


def _flat(recipe: dict, before: str = "") -> Iterator[tuple[str, object]]:
    """Every value by its dotted name."""
    for name, value in recipe.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _counts(counts: dict) -> dict[str, int]:
    """Judgements and comparisons of the snapshot, and what was left out by reason."""
    told = {"judgements used": counts.get("used"), "ties among them": counts.get("tied")}
    told |= {"pairs judged both ways": counts.get("conflicting")}
    told |= {f"comparisons, {split}": n for split, n in counts.get("comparisons", {}).items()}
    return told | {f"left out: {reason.replace('_', ' ')}": n for reason, n in counts.get("dropped", {}).items()}


def software() -> dict[str, str]:
    """What this report was made with, by package; read from what is installed, nothing is loaded."""
    return {"python": python_version()} | {name: found for name in SOFTWARE if (found := _installed(name))}


def _installed(name: str) -> str:
    try:
        return installed(name)
    except PackageNotFoundError:
        return ""


def limits(version: Version) -> list[str]:
    """What this report cannot say."""
    counts, metrics = version.snapshot.counts, version.metrics
    dropped, cut = sum(counts.get("dropped", {}).values()), metrics.get("truncated")
    found = [
        "It knows what these people preferred, on prompts like these. Elsewhere it may be confidently wrong, and what "
        "is trained against it will look for such places.",
        "Intervals are 95 %: of twenty numbers whose interval is all that speaks for them, one misleads.",
        "A correlation is no cause; only the probes change one thing at a time.",
    ]
    found += [f"{dropped:,} judgements were left out of the training, by the reasons above."] if dropped else []
    found += [f"{cut:,} responses were longer than the model reads and were cut."] if cut else []
    found += ["No pair was judged twice, so how well it could do at best is not known."] * (not metrics.get("ceiling"))
    found += ["Something that it was trained on was withdrawn since."] * bool(version.affected_at)
    return found


def numbers(version: Version, found: list[Section]) -> dict:
    """For the files: where it comes from, and each section's sentences, numbers and points drawn."""
    told = {
        one.room: {"question": one.question, "sentences": list(one.sentences), "missing": one.missing}
        | {"numbers": {number.label: number.value for number in one.numbers}, "figure": one.figure}
        for one in found
    }
    return {"about": about(version), "software": software(), "limits": limits(version)} | told
