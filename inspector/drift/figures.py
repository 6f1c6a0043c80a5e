"""Figures of the drift page: gains of proxy and gold, the fits' residuals, versions and rules side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from inspector.figures import GOLD, PROXY, _band, _finish, _line, plain, words
from inspector.stats.drift import Curve, Drift

NAMES = {"bon": "d(α − βd)", "rl": "d(α − β ln d)"}
DASHES = {"bon": "dash", "rl": "dot"}
AXES = {"d": "d = √KL", "kl": "KL", "step": "step"}
LINES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def drift_figure(found: Drift, axis: str, unit: str) -> dict:
    """Gains with their bands, what noise alone would leave, both fits of the gold with theirs, and what is past it."""
    from plotly import graph_objects as go

    x, traces = _x(found, axis), []
    for name, curve, colour in (("proxy", found.proxy, PROXY), ("gold", found.gold, GOLD)):
        traces += _band(go, x, curve.low, curve.high, colour)
        traces.append(_measured(go, x, curve, found, name, colour, unit))
    traces += _noise_alone(go, x, found) + [trace for form in found.fits for trace in _fitted(go, found, form, axis)]
    figure = go.Figure(traces + _variance(go, x, found, unit))
    _mark(figure, found, x)
    drawn = _finish(figure, _title(axis), "Gain, in sd of the reference")
    if found.variance:
        low = {"domain": [0, 0.2], "title": {"text": "Variance"}, "rangemode": "tozero"}
        drawn["layout"]["yaxis2"] = {**drawn["layout"]["yaxis"], **low}
        drawn["layout"]["yaxis"]["domain"] = [0.28, 1]
        drawn["layout"]["xaxis"]["anchor"] = "y2"
    return drawn


def _x(found: Drift, axis: str) -> list:
    return plain({"d": found.d, "kl": found.kl, "step": found.points}[axis])


def _title(axis: str) -> str:
    return {"d": "d = √KL from the reference", "kl": "KL from the reference, nats", "step": "Step"}[axis]


def _measured(go: Any, x: Sequence[float], curve: Curve, found: Drift, name: str, colour: str, unit: str) -> Any:
    return go.Scatter(
        x=x,
        y=plain(curve.mean),
        customdata=plain(found.points),
        mode="lines+markers",
        name=name,
        line=_line(colour),
        marker={"symbol": "circle" if name == "proxy" else "diamond", "size": 7},
        hovertemplate=f"{unit} %{{customdata}}: {name} %{{y:.3f}} sd<extra></extra>",
    )


def _noise_alone(go: Any, x: Sequence[float], found: Drift) -> list:
    if found.rate.value is None:
        return []
    line = {"color": "var(--gold)", "width": 1.5, "dash": "longdash"}
    y = plain(found.rate.value * found.proxy.mean)
    return [go.Scatter(x=x, y=y, mode="lines", name="gold by noise alone", line=line, hoverinfo="skip")]


def _fitted(go: Any, found: Drift, form: Any, axis: str) -> list:
    """The form and its band, over a fine grid where the axis is a distance."""
    d = found.d if axis == "step" else np.linspace(0, float(found.d[-1]), 60)
    x = {"d": d, "kl": d * d, "step": found.points}[axis]
    low, high = form.band(d)
    line = {"color": "var(--soft)", "width": 1.5, "dash": DASHES[form.form]}
    name = f"fit {NAMES[form.form]}"
    silent = {"x": plain(x), "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    area = go.Scatter(y=plain(high), fill="tonexty", fillcolor=f"var({GOLD}, 0.07)", **silent)
    return [
        go.Scatter(y=plain(low), **silent),
        area,
        go.Scatter(x=plain(x), y=plain(form.at(d)), mode="lines", name=name, line=line),
    ]


def _variance(go: Any, x: Sequence[float], found: Drift, unit: str) -> list:
    """The members' variance for the candidate chosen, below the gains and over the same axis."""
    if not found.variance:
        return []
    curve = found.variance
    line = _measured(go, x, curve, found, "members' variance", PROXY, unit)
    line.update(yaxis="y2", hovertemplate=f"{unit} %{{customdata}}: variance %{{y:.4g}}<extra></extra>")
    return [trace.update(yaxis="y2") for trace in _band(go, x, curve.low, curve.high, PROXY)] + [line]


def _mark(figure: Any, found: Drift, x: Sequence[float]) -> None:
    """A line at the alarm, and all that lies beyond a sure peak in the colour of warnings."""
    if found.alarm is not None:
        line = {"color": "var(--gold)", "width": 1.5, "dash": "dash"}
        figure.add_vline(x=x[found.alarm], line=line, annotation_text="alarm", annotation_position="bottom right")
    if found.turned:  # a fitted peak alone is no evidence of a turn
        figure.add_vrect(x0=x[found.best], x1=x[-1], fillcolor="var(--bad)", opacity=0.1, line_width=0)
        line = {"color": "var(--bad)", "width": 1.5}
        figure.add_vline(x=x[found.best], line=line, annotation_text="peak", annotation_position="top right")


def residuals_figure(found: Drift, axis: str) -> dict:
    """What each form leaves of the measured gold."""
    from plotly import graph_objects as go

    x, symbols = _x(found, axis), {"bon": "circle", "rl": "diamond-open"}
    traces = [
        go.Scatter(
            x=x,
            y=plain(form.residuals),
            mode="lines+markers",
            name=NAMES[form.form],
            line={"color": f"var({colour})", "width": 1.5, "dash": DASHES[form.form]},
            marker={"symbol": symbols[form.form], "size": 7},
            hovertemplate="%{y:.4f} sd<extra></extra>",
        )
        for form, colour in zip(found.fits, (PROXY, GOLD), strict=True)
    ]
    return _finish(go.Figure(traces), _title(axis), "Measured − fitted, sd")


def side_figure(rows: Sequence[tuple[str, Drift]]) -> dict:
    """Gold over d for each way of scoring the same pool."""
    from plotly import graph_objects as go

    traces = [
        go.Scatter(
            x=plain(found.d),
            y=plain(found.gold.mean),
            customdata=plain(found.points),
            mode="lines+markers",
            name=words(name),
            line={"color": f"var({PROXY if place else GOLD})", "width": 2, "dash": LINES[place % len(LINES)]},
            hovertemplate=f"best of %{{customdata}}: gold %{{y:.3f}} sd<extra>{place + 1}</extra>",
        )
        for place, (name, found) in enumerate(rows)
    ]
    return _finish(go.Figure(traces), _title("d"), "Gain of the gold, sd")


__all__ = ["AXES", "NAMES", "drift_figure", "residuals_figure", "side_figure"]
