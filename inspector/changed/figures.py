"""The figure of the page of what changed."""

from collections.abc import Sequence

from inspector.figures import PROXY, _finish


def scores_figure(old: Sequence[float], new: Sequence[float], items: Sequence[int]) -> dict:
    """Each response's score by both versions."""
    from plotly import graph_objects as go

    dots = go.Scatter(
        x=old,
        y=new,
        customdata=items,
        mode="markers",
        name="a response",
        marker={"size": 5, "color": f"var({PROXY}, 0.35)"},
        hovertemplate="before %{x:.3f}, now %{y:.3f}<extra>click for its heat-map</extra>",
    )
    return _finish(go.Figure([dots]), "Score by the earlier version", "Score by this version")
