"""Numbers as people read them, with a real minus. What was not measured is a dash; a template hands over "" for it."""

from datetime import datetime

from django import template

register = template.Library()


@register.filter
def share(value: float | None) -> str:
    """0.6123 → 61.2 %"""
    return "–" if value in (None, "") else f"{100 * value:.1f} %"


@register.filter
def between(interval: dict | None, form: str = "share") -> str:
    """The 95 % interval of {"value", "low", "high", "n"}: 55.0–67.1 %, or 0.55–0.67 with "number"."""
    if not interval or interval.get("low") is None:
        return ""
    if form == "number":
        return f"{interval['low']:.2f}–{interval['high']:.2f}"
    return f"{100 * interval['low']:.1f}–{100 * interval['high']:.1f} %"


@register.filter
def decimals(value: float | None, places: int = 2) -> str:
    """−2.3456 → −2.35, whatever the language"""
    return "–" if value in (None, "") else f"{value:.{places}f}".replace("-", "−")


@register.filter
def points(change: float | None) -> str:
    """A change of a share: 0.043 → +4.3 points"""
    return "–" if change in (None, "") else f"{100 * change:+.1f} points".replace("-", "−")


@register.filter
def duration(seconds: float | None) -> str:
    """How long, in the unit that a person would use."""
    if seconds in (None, ""):
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"


@register.filter
def spoken(key: str) -> str:
    """cannot_judge → cannot judge; segment:wrong → wrong"""
    return key.rpartition(":")[2].replace("_", " ")


@register.filter
def took(start: datetime | None, end: datetime | None) -> str:
    """From one moment to another."""
    return duration((end - start).total_seconds() if start and end else None)


@register.filter
def plain(value: object) -> str:
    """A value of a recipe: yes and no, lists with commas; None is left to the trainer."""
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return {None: "auto", "": "none"}.get(value) or str(value)
