"""Plain values → plotly figures as JSON. The only importer of plotly.

Lists go in, never arrays, which plotly would pack into base64. Colours are names of CSS custom properties, with an
opacity where it is not 1 (`var(--accent)`, `var(--pos, 0.2)`): charts.js resolves them and sets background and
typeface, so that a figure follows the reader's theme.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from inspector.reports import LengthReport
from inspector.stats.drift import Curve, Drift

MOST_POINTS = 3000
GOLD, PROXY = "--neg", "--pos"
NAMES = {"bon": "d(α − βd)", "rl": "d(α − β ln d)"}


def length_figure(report: LengthReport) -> dict:
    """Reward against tokens, one point per response, and the mean of equally full bins."""
    from plotly import graph_objects as go

    shown = evenly(len(report.tokens), MOST_POINTS)
    points = go.Scatter(
        x=[report.tokens[i] for i in shown],
        y=[report.rewards[i] for i in shown],
        customdata=[report.items[i] for i in shown],
        mode="markers",
        name="a response",
        marker={"size": 6, "color": f"var({PROXY}, 0.35)"},
        hovertemplate="%{x} tokens, reward %{y:.3f}<extra>click for its heat-map</extra>",
    )
    x, means = [b.x for b in report.bins], [b.mean for b in report.bins]
    line = go.Scatter(x=x, y=[m.value for m in means], mode="lines+markers", name="mean of a tenth", line=_line(GOLD))
    band = _band(go, x, [m.low for m in means], [m.high for m in means], GOLD)
    return _finish(go.Figure([points, *band, line]), "Tokens of the response", "Reward")


def drift_figure(found: Drift, axis: str) -> dict:
    """Gains of proxy and gold with their bands, both fits of the gold, and the peak; axis is "d" or "kl"."""
    from plotly import graph_objects as go

    x = plain(found.d if axis == "d" else found.kl)
    traces = []
    for name, curve, colour in (("proxy", found.proxy, PROXY), ("gold", found.gold, GOLD)):
        traces += _band(go, x, curve.low, curve.high, colour)
        traces.append(_measured(go, x, curve, found, name, colour))
    d = np.linspace(0, float(found.d[-1]), 120)
    for form, dash in zip(found.fits, ("dash", "dot"), strict=True):
        if form.alpha.value is not None:
            fitted = {"color": "var(--soft)", "width": 1.5, "dash": dash}
            at = d if axis == "d" else d * d
            traces.append(
                go.Scatter(x=plain(at), y=plain(form.at(d)), mode="lines", name=f"fit {NAMES[form.form]}", line=fitted)
            )
    figure = go.Figure(traces)
    _mark_peak(figure, found, axis)
    title = "d = √KL from one draw" if axis == "d" else "KL from one draw, nats"
    return _finish(figure, title, "Gain, in sd within a prompt")


def _measured(go: Any, x: Sequence[float], curve: Curve, found: Drift, name: str, colour: str) -> Any:
    symbol = "circle" if name == "proxy" else "diamond"
    return go.Scatter(
        x=x,
        y=plain(curve.mean),
        customdata=plain(found.ns),
        mode="lines+markers",
        name=name,
        line=_line(colour),
        marker={"symbol": symbol, "size": 7},
        hovertemplate=f"best of %{{customdata}}: {name} %{{y:.3f}} sd<extra></extra>",
    )


def _mark_peak(figure: Any, found: Drift, axis: str) -> None:
    peak = found.fits[0].peak.value
    if peak is None or found.fall.high >= 0:  # a fitted peak alone is no evidence of a turn
        return
    at = peak if axis == "d" else peak**2
    figure.add_vline(x=at, line={"color": "var(--gold)", "width": 1.5}, annotation_text="peak d*")


def _line(colour: str) -> dict:
    return {"color": f"var({colour})", "width": 2.5}


def _band(go: Any, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> list:
    """The 95 % interval as an area: two silent lines, filled between."""
    silent = {"x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    fill = f"var({colour}, 0.16)"
    return [go.Scatter(y=plain(low), **silent), go.Scatter(y=plain(high), fill="tonexty", fillcolor=fill, **silent)]


def _finish(figure: Any, x: str, y: str) -> dict:
    axis = {"gridcolor": "var(--line)", "linecolor": "var(--line-strong)", "zerolinecolor": "var(--line-strong)"}
    figure.update_layout(
        template=None,
        margin={"l": 56, "r": 16, "t": 16, "b": 56},
        xaxis={"title": {"text": x}, "automargin": True, **axis},
        yaxis={"title": {"text": y}, "automargin": True, **axis},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        hovermode="closest",
    )
    return plain(figure.to_plotly_json())


def evenly(total: int, most: int) -> list[int]:
    """Positions of at most `most` rows, evenly spread over all of them."""
    return list(range(total)) if total <= most else [round(i * (total - 1) / (most - 1)) for i in range(most)]


def plain(value: Any) -> Any:
    """JSON values only: arrays become lists, numbers become floats, and what is not finite becomes None."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
