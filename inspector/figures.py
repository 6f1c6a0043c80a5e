"""Plain values → plotly figures as JSON. The only importer of plotly, with drift_figures.py beside it.

Lists go in, never arrays, which plotly would pack into base64. Colours are names of CSS custom properties, with an
opacity where it is not 1 (`var(--accent)`, `var(--pos, 0.2)`): charts.js resolves them and sets background and
typeface, so that a figure follows the reader's theme.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from textwrap import wrap
from typing import Any

import numpy as np

from annotate.agreement import Interval

GOLD, PROXY = "--neg", "--pos"
HEAD, LINE, GAP = 140, 17, 10  # pixels: legend and axis, a line of a label, the space between two labels


def length_figure(points: Mapping, curve: Mapping | None) -> dict:
    """Reward against tokens, one point per response drawn, and the curve through them with its band."""
    from plotly import graph_objects as go

    dots = go.Scatter(
        x=points["tokens"],
        y=points["rewards"],
        customdata=points["items"],
        mode="markers",
        name="a response",
        marker={"size": 6, "color": f"var({PROXY}, 0.35)"},
        hovertemplate="%{x} tokens, reward %{y:.3f}<extra>click for its heat-map</extra>",
    )
    if curve is None:
        return _finish(go.Figure([dots]), "Tokens of the response", "Reward")
    line = go.Scatter(x=curve["x"], y=curve["y"], mode="lines", name="LOWESS", line=_line(GOLD))
    band = _band(go, curve["x"], curve["low"], curve["high"], GOLD)
    return _finish(go.Figure([dots, *band, line]), "Tokens of the response", "Reward")


def gain_figure(buckets: Sequence[Mapping]) -> dict:
    """Mean reward of old and new answers by bucket of length; the size of a point goes with how many there are."""
    from plotly import graph_objects as go

    most = max(count for bucket in buckets for count in bucket["counts"])
    traces = []
    for side, (name, colour, symbol) in enumerate((("old", GOLD, "diamond"), ("new", PROXY, "circle"))):
        shown = [bucket for bucket in buckets if bucket[name] is not None]
        traces.append(
            go.Scatter(
                x=[bucket["start"] for bucket in shown],
                y=[bucket[name] for bucket in shown],
                customdata=[bucket["counts"][side] for bucket in shown],
                mode="lines+markers",
                name=name,
                line=_line(colour),
                marker={"symbol": symbol, "size": [6 + 10 * (b["counts"][side] / most) ** 0.5 for b in shown]},
                hovertemplate=f"{name}, from %{{x}} tokens: %{{y:.3f}}, %{{customdata}} answers<extra></extra>",
            )
        )
    return _finish(go.Figure(traces), "Tokens, in buckets of 20", "Mean reward")


def intervals_figure(labels: Sequence[str], sides: Mapping[str, Sequence[Interval]], title: str) -> dict:
    """One line per label from top to bottom, one point with its 95 % interval for each of at most two sides."""
    from plotly import graph_objects as go

    traces, labels = [], [_lines(label) for label in labels]
    for (name, values), colour, symbol in zip(sides.items(), (PROXY, GOLD), ("circle", "diamond"), strict=False):
        shown = [(label, one) for label, one in zip(labels, values, strict=True) if one.value is not None]
        marker = {"symbol": symbol, "size": 9, "color": f"var({colour})"}
        traces.append(
            go.Scatter(
                x=[one.value for _, one in shown],
                y=[label for label, _ in shown],
                error_x=_error([one for _, one in shown], colour),
                mode="markers",
                name=words(name),
                marker=marker,
                orientation="h",
                offsetgroup=name,
                hovertemplate=f"%{{y}}, {words(name)}: %{{x:.3f}}<extra></extra>",
            )
        )
    figure = go.Figure(traces, {"scattermode": "group", "scattergap": 0.6})  # one side under the other, not over it
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=labels)
    figure.update_layout(height=HEAD + sum(LINE * (label.count("<br>") + 1) + GAP for label in labels))
    return _finish(figure, title, "")


def best_of_n_figure(ns: Sequence[int], gold: Sequence[float], n: int) -> dict:
    """Mean gold of the answer chosen from n, and a line at the n that is looked at."""
    from plotly import graph_objects as go

    hover = "best of %{x}: gold %{y:.3f}<extra></extra>"
    line = go.Scatter(x=ns, y=gold, mode="lines+markers", name="gold", line=_line(GOLD), hovertemplate=hover)
    figure = go.Figure([line])
    figure.update_xaxes(type="log", tickvals=[one for one in ns if not one & (one - 1)])  # 1, 2, 4, 8 …
    figure.add_vline(x=n, line={"color": "var(--soft)", "width": 1.5, "dash": "dash"})
    return _finish(figure, "n, answers to choose from", "Mean gold of the chosen answer")


def _lines(label: str) -> str:
    """Short lines for a narrow window."""
    return "<br>".join(map(words, wrap(label, 18)))


def words(text: str) -> str:
    """Others' words in a figure: plotly reads tags and entities, but none for quotes."""
    return escape(text, quote=False)


def _error(shown: Sequence[Interval], colour: str) -> dict:
    """The 95 % interval as whiskers; none where there is no interval."""
    up = [one.high - one.value if one.high is not None else 0.0 for one in shown]
    down = [one.value - one.low if one.low is not None else 0.0 for one in shown]
    whisker = {"color": f"var({colour})", "thickness": 1.5, "width": 4}
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, **whisker}


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
        xaxis={"title": {"text": words(x)}, "automargin": True, **axis},
        yaxis={"title": {"text": words(y)}, "automargin": True, **axis},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        hovermode="closest",
    )
    return plain(figure.to_plotly_json())


def plain(value: Any) -> Any:
    """JSON values only: arrays become lists, numbers become floats, and what is not finite becomes None."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
