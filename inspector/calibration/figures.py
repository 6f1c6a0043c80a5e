"""Figures of the page of calibration: reliability, and accuracy over coverage."""

from collections.abc import Mapping, Sequence

from annotate.agreement import Interval
from inspector.figures import GOLD, PROXY, _band, _error, _finish, _line
from inspector.stats.selective import COVERAGE

NAMES = {"model": "the model, most confident first", "longer": "the longer response, largest difference first"}


def reliability_figure(bins: Sequence[Mapping]) -> dict:
    """How often it is right over how sure it is, bin by bin, beside the line of a model that is as right as sure."""
    from plotly import graph_objects as go

    shown = [one["right"] for one in bins]
    perfect = {"color": "var(--soft)", "width": 1.5, "dash": "dash"}
    line = go.Scatter(x=[0.5, 1], y=[0.5, 1], mode="lines", name="as right as sure", line=perfect, hoverinfo="skip")
    points = go.Scatter(
        x=[one["confidence"] for one in bins],
        y=[one.value for one in shown],
        error_y=_error(shown, PROXY),
        customdata=[one.n for one in shown],
        mode="markers+lines",
        name="this version",
        line=_line(PROXY),
        marker={"size": 8},
        hovertemplate="sure %{x:.3f}, right %{y:.3f}, %{customdata} verdicts<extra></extra>",
    )
    figure = go.Figure([line, points])
    figure.update_xaxes(range=[0.48, 1.02])
    return _finish(figure, "How sure the model is of its choice", "How often it is right")


def selective_figure(curves: Mapping[str, Sequence[Interval]]) -> dict:
    """Accuracy of the most confident share, the model beside the longer response, and of any order without worth."""
    from plotly import graph_objects as go

    traces, x = [], COVERAGE.tolist()
    for (name, curve), colour, dash in zip(curves.items(), (PROXY, GOLD), ("solid", "dash"), strict=True):
        if all(one.low is not None for one in curve):
            traces += _band(go, x, [one.low for one in curve], [one.high for one in curve], colour)
        y = [one.value for one in curve]
        line = _line(colour) | {"dash": dash}
        hover = "%{x:.0%} of verdicts: %{y:.3f}<extra></extra>"
        traces.append(go.Scatter(x=x, y=y, mode="lines", name=NAMES[name], line=line, hovertemplate=hover))
    flat = [curves["model"][-1].value] * 2
    line = {"color": "var(--soft)", "width": 1.5, "dash": "dot"}
    traces.append(go.Scatter(x=[0, 1], y=flat, mode="lines", name="in any order", line=line, hoverinfo="skip"))
    figure = go.Figure(traces)
    figure.update_xaxes(tickformat=".0%", range=[0, 1.02])
    return _finish(figure, "Share of verdicts, the surest first", "How often it is right")
