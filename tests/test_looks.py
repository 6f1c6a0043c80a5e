"""WCAG 2.2 AA contrast of the colours that carry text and edges, in light and in dark."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).resolve().parents[1] / "static" / "css" / "touchstone.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root[^{]*\{(.*?)\}", CSS, re.S)
)
TEXT = [
    *((ink, ground) for ink in ("ink", "soft", "accent") for ground in ("bg", "panel", "sunk")),
    *((ink, ground) for ink in ("bad", "good", "warn") for ground in ("bg", "panel", f"{ink}-soft")),
    *((f"c{n}", ground) for n in range(1, 9) for ground in ("bg", "panel")),
    ("accent", "accent-soft"),
    ("accent-ink", "accent"),
    ("bg", "ink"),
    ("panel", "bad"),
]
EDGES = [(edge, ground) for edge in ("line-strong", "focus") for ground in ("bg", "panel", "sunk")]


def luminance(colour):
    """Relative luminance of #rrggbb: WCAG 2.2, after IEC 61966-2-1."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_by_known_values():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_edges_can_be_seen(theme):
    pale = {(*pair, 4.5) for pair in TEXT if contrast(theme[pair[0]], theme[pair[1]]) < 4.5}
    pale |= {(*pair, 3) for pair in EDGES if contrast(theme[pair[0]], theme[pair[1]]) < 3}
    assert not pale
