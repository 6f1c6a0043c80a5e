"""How sure? Held-out verdicts and all margins → statistics → plain values, and one honest sentence each."""

from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from annotate.agreement import Interval, pair_accuracy
from annotate.models.item import Split
from inspector import columns as read
from inspector.calibration import words
from inspector.calibration.figures import reliability_figure, selective_figure
from inspector.columns import Columns, Verdicts
from inspector.figures import intervals_figure
from inspector.kept import kept
from inspector.stats import calibration, noise, selective
from worker.models import Score, Summary, Version
from worker.services.noise import NOISE

TEMPERATURES = {"stored": "as stored with the version", "fitted": "fitted on these verdicts", "1": "1, none"}
SHOWN = (0.1, 0.2, 0.5, 0.8, 1.0)  # coverages of the table
FIFTHS = ("least", "second fifth", "third fifth", "fourth fifth", "most")


@dataclass(frozen=True)
class Known:
    """Every verdict of people on a held-out prompt, ties among them, beside the model's margin."""

    columns: Columns
    said: Verdicts
    margins: np.ndarray
    which: np.ndarray
    agreement: Interval  # between raters, on all prompts

    @property
    def decided(self) -> np.ndarray:
        return self.said.p != 0.5


@dataclass(frozen=True)
class Look:
    """A version under one of TEMPERATURES; what is read for it is read once, and only when something is not kept."""

    version: Version
    t: str = "stored"

    @cached_property
    def made_of(self) -> str:
        return f"{read.scored_rows(self.version)},{read.judged_rows(self.version.project)}"

    @cached_property
    def known(self) -> Known:
        columns = read.read(self.version)
        every = read.said(self.version.project, columns)
        said = every.picked(columns.held_out[every.first])
        margins = columns.values[said.first] - columns.values[said.second]
        which = np.unique(columns.which[said.first], return_inverse=True)[1]
        return Known(columns, said, margins, which, calibration.agreement(every.first, every.second, every.p))

    @cached_property
    def fitted(self) -> Interval:
        return calibration.fitted_temperature(self.known.margins, self.known.said.p, self.known.which)

    @property
    def temperature(self) -> float:
        """The one that is looked through; the stored one where none can be fitted."""
        stored = self.version.temperature
        return {"stored": stored, "fitted": self.fitted.value or stored, "1": 1.0}[self.t]


def report(version: Version, t: str = "stored") -> dict:
    """Everything that the page says, of a version that has scores."""
    look = Look(version, t)
    found = kept(version, f"calibration {t}", look.made_of, lambda: _calibrated(look))
    beside = kept(version, "selective", look.made_of, lambda: _beside(look))
    return found | beside | {"rounding": rounding(version)}


def _calibrated(look: Look) -> dict:
    known, t = look.known, look.temperature
    if not len(known.margins):
        return {"verdicts": 0, "sentence": "Nobody has judged a held-out pair that this version scored."}
    confidence, right = calibration.folded(known.margins, known.said.p, t)
    parts = [asdict(one) | {"right": one.right} for one in calibration.reliability(confidence, right)]
    brier = calibration.brier(confidence, right, known.which)
    tied = float((~known.decided).mean())
    found = {
        "verdicts": len(known.margins),
        "tied": int((~known.decided).sum()),
        "prompts": int(known.which.max()) + 1,
        "temperature": t,
        "stored": look.version.temperature,
        "fitted": look.fitted,
        "bins": parts,
        "confidence": calibration.mean(confidence, known.which),
        "right": calibration.mean(right, known.which),
        "ece": calibration.ece(confidence, right, known.which),
        "floor": asdict(calibration.floor(confidence)),
        "brier": asdict(brier) | {"value": brier.value},
        "nll": calibration.mean(calibration.losses(known.margins, known.said.p, t), known.which),
        "coin": calibration.LN2,
        "agreement": known.agreement,
        "agreed": calibration.agreed_loss(known.agreement, tied),
        "figure": reliability_figure(parts),
    }
    return found | {name: say(found) for name, say in words.CALIBRATION.items()}


# ---- Where it is sure, and where its members differ


def _beside(look: Look) -> dict:
    return {"selective": _selective(look.known), "members": _members(look), "ties": _ties(look.known.columns)}


def _selective(known: Known) -> dict | None:
    """Accuracy over coverage on decided verdicts, beside that of the longer response; None without such a verdict."""
    rows = np.flatnonzero(known.decided)
    if not len(rows):
        return None
    tokens, said = known.columns.tokens, known.said.picked(rows)
    margins = {"model": known.margins[rows], "longer": (tokens[said.first] - tokens[said.second]).astype(float)}
    found = {}
    for name, own in margins.items():
        right = 0.5 + np.sign(own) * (said.p - 0.5)
        found[name] = selective.selective(np.abs(own), right, known.which[rows])
    at = [int(np.argmin(np.abs(selective.COVERAGE - q))) for q in SHOWN]
    table = [
        {"coverage": q} | {name: one.accuracy[k] for name, one in found.items()} for q, k in zip(SHOWN, at, strict=True)
    ]
    model = found["model"]
    values = {
        "rows": table,
        "area": model.area,
        "longer_area": found["longer"].area,
        "chance": model.chance,
        "best": model.best,
        "accuracy": pair_accuracy(margins["model"], said.p),
        "figure": selective_figure({name: one.accuracy for name, one in found.items()}),
    }
    return values | {"sentence": words.selective(values)}


def _members(look: Look) -> dict | None:
    """Whether an ensemble's members differ where it errs; None of a single model, or without decided verdicts."""
    known, names = look.known, [head for head in look.version.heads if head.startswith("member:")]
    rows = np.flatnonzero(known.decided)
    if len(names) < 2 or not len(rows):
        return None
    said, margins = known.said.picked(rows), known.margins[rows]
    each = _member_scores(look.version, known.columns, names)
    each = (each[:, said.first] - each[:, said.second]) / look.version.temperature  # (members, verdicts)
    if np.isnan(each).any():
        return None
    wrong = 0.5 - np.sign(margins) * (said.p - 0.5)
    doubts = {
        "how far members’ margins differ": each.std(0),
        "members that choose otherwise": (np.sign(each) != np.sign(margins)).mean(0),
        "how small the margin is": -np.abs(margins),
    }
    parts = [asdict(one) | {"wrong": one.wrong} for one in selective.parts(each.std(0), wrong)]
    labels = [FIFTHS[round(n * 4 / max(1, len(parts) - 1))] for n in range(len(parts))]
    areas = selective.aurocs(doubts, wrong, known.which[rows])
    values = {
        "count": len(names),
        "parts": [{"label": label} | part for label, part in zip(labels, parts, strict=True)],
        "areas": [{"name": name, "area": area} for name, area in areas.items()],
        "figure": intervals_figure(labels, {"error": [part["wrong"] for part in parts]}, "Share it gets wrong"),
    }
    return values | {"sentence": words.members(values)}


def _member_scores(version: Version, columns: Columns, names: list[str]) -> np.ndarray:
    """(members, responses) of held-out prompts; NaN elsewhere."""
    found = np.full((len(names), len(columns.response)), np.nan)
    rows = Score.objects.filter(version=version, response__item__split=Split.TEST)
    for place, name in enumerate(names):
        own = list(rows.filter(head=name).values_list("response_id", "value"))
        if own:
            ids, values = zip(*own, strict=True)
            found[place, columns.place(np.array(ids))] = values
    return found


# ---- Ties, and what rounding would do


def _margins(columns: Columns) -> tuple[np.ndarray, bool]:
    first, second, whole = noise.within(columns.item)
    return columns.values[first] - columns.values[second], whole


def _ties(columns: Columns) -> dict:
    margins, whole = _margins(columns)
    return {"exact": noise.small(margins, 0.0), "whole": whole}


def rounding(version: Version) -> dict | None:
    """What bfloat16 does to this version's scores; None before it was measured."""
    measured = Summary.objects.filter(version=version, name=NOISE).first()
    if measured is None:
        return None
    made_of = f"{read.scored_rows(version)},{measured.created_at.isoformat()}"
    return kept(version, "rounding", made_of, lambda: _rounding(version, measured.values))


def _rounding(version: Version, measured: dict) -> dict:
    found = noise.noise(*(np.array(measured[name], dtype=float) for name in ("items", "exact", "rounded")))
    columns = read.read(version)
    margins = _margins(columns)[0] if columns else np.zeros(0)
    values = {
        "device": measured["device"],
        "responses": found.responses,
        "sd": found.sd,
        "largest": found.largest,
        "pairs": found.pairs,
        "floor": found.floor,
        "flipped": found.flipped,
        "small": noise.small(margins, found.floor),
    }
    return values | {"sentence": words.rounding(values)}
