"""How intervals and contributions are written; plain numbers are in worker/templatetags/numbers.py."""

from django import template

from annotate.agreement import Interval

register = template.Library()


def _minus(text: str) -> str:
    return text.replace("-", "−")


@register.filter
def share_between(interval: Interval) -> str:
    """54.2 % (51.0–57.3)"""
    bounds = range_of(interval)
    return f"{share(interval)} ({bounds})" if bounds else share(interval)


@register.filter
def share(interval: Interval) -> str:
    """54.2 %"""
    return "–" if interval.value is None else _minus(f"{100 * interval.value:.1f} %")


@register.filter
def range_of(interval: Interval) -> str:
    """51.0–57.3, of a share; nothing where there is no interval"""
    if interval.low is None or interval.high is None:
        return ""
    return _minus(f"{100 * interval.low:.1f}–{100 * interval.high:.1f}")


@register.filter
def signed_between(interval: Interval) -> str:
    """+0.412 (+0.380 to +0.442); a bound that was not measured is an open end"""
    if interval.value is None:
        return "–"
    if interval.low is None and interval.high is None:
        return _minus(f"{interval.value:+.3f}")
    low, high = (f"{x:+.3f}" if x is not None else "…" for x in (interval.low, interval.high))
    return _minus(f"{interval.value:+.3f} ({low} to {high})")


@register.filter
def signed_value(interval: Interval) -> str:
    """+0.412, for a cell whose next line is the range"""
    return "–" if interval.value is None else _minus(f"{interval.value:+.3f}")


@register.filter
def signed_range(interval: Interval) -> str:
    """+0.380 to +0.442; nothing where there is no interval"""
    if interval.low is None or interval.high is None:
        return ""
    return _minus(f"{interval.low:+.3f} to {interval.high:+.3f}")


@register.filter
def index_between(interval: Interval) -> str:
    """.42 (.38 to .46): an index of agreement, 1 at most"""
    if interval.value is None:
        return "–"
    if interval.low is None or interval.high is None:
        return _minus(f"{interval.value:.2f}")
    return _minus(f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})")


@register.filter
def seconds_between(interval: Interval) -> str:
    """24 s (21–27)"""
    if interval.value is None:
        return "–"
    if interval.low is None or interval.high is None:
        return f"{interval.value:.0f} s"
    return f"{interval.value:.0f} s ({interval.low:.0f}–{interval.high:.0f})"


@register.filter
def contribution(value: float) -> str:
    """−0.0312: always with its sign, four decimals"""
    return _minus(f"{value:+.4f}")
