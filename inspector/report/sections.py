"""What a version's report takes from each page: its sentences, its main numbers, its figure, or what is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from annotate.agreement import Interval
from inspector import gain, length, surface
from inspector.beside import page as beside
from inspector.calibration import page as calibration
from inspector.changed import page as changed
from inspector.drift import numbers as drift_numbers
from inspector.length import Look
from inspector.marks import page as marks
from inspector.slices import page as slices
from worker.models import Version
from worker.models.version import PREFERENCE


@dataclass(frozen=True)
class Number:
    label: str
    value: Interval
    share: bool = False  # written as a percentage


@dataclass(frozen=True)
class Section:
    """One page in short; without sentences it is `missing` that says what to do."""

    room: str  # the page's name in the address
    question: str
    sentences: tuple[str, ...] = ()
    numbers: tuple[Number, ...] = ()
    figure: Mapping | None = None
    missing: str = ""


def of_length(version: Version) -> Section:
    look = Look(version)
    found, told = length.report(look), gain.report(look, gain.EVERY, f"v{version.number}")
    model, people = found["sides"]
    numbers = [
        Number("Longer wins, by the model", model["longer"], True),
        Number("Longer wins, by people", people["longer"], True),
        Number("Reward and length within a prompt, r", model["correlations"][2]),
        Number("20 more tokens, to the model, log-odds", model["effect"]),
        Number("20 more tokens, to people, log-odds", people["effect"]),
    ]
    if told["gain"]:
        numbers.append(Number("Share of length in the gain over a random response", told["gain"]["length_share"], True))
    words = (found["sentence"], found["effects"], told["sentence"])
    return Section("length", "Is it just length?", words, tuple(numbers), found["figure"])


def of_surface(version: Version) -> Section:
    newest, question = surface.counted(version.project), "What else earns reward?"
    if newest is None:
        return Section(
            "surface", question, missing="Open the page once: a worker then counts what responses look like."
        )
    found, probed = surface.report(Look(version), newest), surface.probes(version)
    numbers = [
        Number(f"{row['name']}, at equal length, r", row["model_equal"]["r"])
        for row in found["rows"]
        if row["model_equal"] and row["model_equal"]["sure"]
    ]
    if probed is None:
        more = "Nothing was probed: ask for it on the page to see what changes when one thing is changed."
        return Section("surface", question, (found["sentence"], more), tuple(numbers), found["figure"])
    numbers += [Number(f"{row['label']}: pairs turned", row["flipped"], True) for row in probed["rows"]]
    return Section("surface", question, (found["sentence"], probed["sentence"]), tuple(numbers), found["figure"])


def of_drift(version: Version) -> Section:
    found, question = drift_numbers.report(version), "Where does it leave the gold?"
    if found is None:
        how = "Add a pool of candidates with a gold score, and let this version score it."
        return Section("drift", question, missing=how)
    numbers = (
        Number("Gold highest at", found["gold_highest_at"]),
        Number("Lost from there, sd", found["lost_from_there"]),
        Number("Gold per proxy by noise alone, sd", found["gold_by_noise_alone"]),
    )
    words = (f"On the pool “{found['pool']}”: {found['sentence']}", found["alarm"], found["kind"])
    return Section("drift", question, words, numbers, found["figure"])


def of_slices(version: Version) -> Section:
    """On held-out prompts: all of them, and each slice that is surely weaker than the rest; and on every suite."""
    found, question = slices.report(slices.Look(version)), "How good, where?"
    suites = list(_suites(version))
    on_suites = [Number(f"Suite {name}", one["whole"]["accuracy"], True) for name, one in suites]
    told = [f"On the suite “{name}”: {one['sentence']}" for name, one in suites]
    if not found and not suites:
        return Section("slices", question, missing="Nobody has judged a held-out pair that this version scored.")
    if not found:
        return Section("slices", question, tuple(told), tuple(on_suites))
    whole = found["whole"]
    numbers = [Number("All", whole["accuracy"], True), Number("Ceiling, by agreement", whole["ceiling"], True)]
    numbers += [Number(f"Guess: {slices.GUESSES[name]}", one, True) for name, one in whole["guesses"].items()]
    numbers += [Number(row["key"], row["accuracy"], True) for row in found["slices"] if row["weak"]]
    return Section("slices", question, (found["sentence"], *told), (*numbers, *on_suites), found["figure"])


def _suites(version: Version) -> Iterator[tuple[str, dict]]:
    """Name and report of each suite that the version was measured on."""
    for suite in version.project.suites.order_by("name"):
        if found := slices.report(slices.Look(version, suite)):
            yield suite.name, found


def of_changed(version: Version) -> Section:
    """Against its parent, or the version before."""
    question, known = "What changed?", changed.others(version)
    against = changed.usual(version, known)
    if against is None:
        return Section("changed", question, missing="There is no other version to hold it against: train one more.")
    found = changed.report(version, against)
    scores, words = found["scores"], (found["data_words"], found["recipe_words"])
    if scores is None:
        return Section("changed", question, (f"Since version {against.number}: {words[0]}", words[1]))
    numbers = (
        Number(f"Pairs decided as by version {against.number}", scores["same"], True),
        Number(f"Right on held-out pairs, version {version.number}", scores["paired"]["new"], True),
        Number(f"Right on held-out pairs, version {against.number}", scores["paired"]["old"], True),
        Number("Difference", scores["paired"]["difference"], True),
    )
    own = (f"Since version {against.number}: {scores['sentence']}", scores["flip_words"], scores["scale_words"])
    return Section("changed", question, (*own, *words), numbers, scores["figure"])


def of_calibration(version: Version) -> Section:
    found, question = calibration.report(version), "How sure is it?"
    if not found["verdicts"]:
        return Section("calibration", question, missing=f"{found['sentence']} Judge some, and look again.")
    numbers = (
        Number("Mean confidence", found["confidence"], True),
        Number("Right", found["right"], True),
        Number("ECE", found["ece"]),
        Number("NLL, nats", found["nll"]),
        Number("Temperature that fits", found["fitted"]),
    )
    parts = [found[name] for name in ("selective", "members", "rounding") if found[name]]
    words = (found["sentence"], found["loss_words"], found["temperature_words"], *(one["sentence"] for one in parts))
    if found["rounding"]:
        numbers += (Number("A score moves in bfloat16 by, sd", found["rounding"]["sd"]),)
    return Section("calibration", question, words, numbers, found["figure"])


def of_raters(version: Version) -> Section:
    found = beside.report(Look(version))
    numbers = [Number("Agrees with people, held out", found["rows"][0]["held_out"], True)]
    for row in found["rows"]:
        numbers.append(Number(f"{row['name']}: 20 more tokens, log-odds", row["length"]))
        if row["source"] != "model":
            numbers.append(Number(f"{row['name']}: shown first, log-odds", row["order"]))
    return Section("beside", "Whose biases did it take over?", (found["sentence"],), tuple(numbers), found["figure"])


def of_marks(version: Version) -> Section:
    """By the preference head and its exact explanations where there are any, else by the first that there are."""
    question, there = "Do people and model mean the same words?", marks.there(version)
    if not there:
        return Section("marks", question, missing="Let a worker explain the marked responses: the page asks for it.")
    head, method = min(there, key=lambda one: (one[0] != PREFERENCE, one[1] != "exact", one))
    found = marks.report(marks.Look(version, head, method))
    numbers = [
        Number(f"{row['label']}: AUROC inside a response", row["within_auroc"])
        for row in found["rows"]
        if row["within_auroc"].value is not None
    ]
    words = f"By “{head}”, explained by “{method}”: {found['sentence']}"
    return Section("marks", question, (words,), tuple(numbers), found["figure"] if numbers else None)


SECTIONS = (of_marks, of_length, of_surface, of_drift, of_slices, of_calibration, of_changed, of_raters)
