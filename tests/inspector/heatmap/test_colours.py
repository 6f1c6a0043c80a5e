"""The heat-map's two colours: read as text's ground in both themes, and told apart by colour-blind eyes."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.test_looks import CSS, DARK, LIGHT, contrast

HEATMAP = (Path(__file__).resolve().parents[3] / "static" / "css" / "heatmap.css").read_text()
THEMES = dict(zip(("light", "dark"), (LIGHT, DARK), strict=True))
FULL = dict(zip(THEMES, map(float, re.findall(r"--full: ([\d.]+);", HEATMAP)), strict=True))  # of the strongest
GROUNDS = dict(zip(THEMES, re.findall(r"--pos: (\d+) (\d+) (\d+); --neg: (\d+) (\d+) (\d+);", CSS), strict=True))
# Machado, Oliveira and Fernandes, IEEE TVCG 15 (2009), severity 1, of linear RGB.
EYES = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def laid(theme, strength=1.0):
    """(2, 3) the colours of up and down on a panel, 0 … 255."""
    panel = np.array([int(THEMES[theme]["panel"][i : i + 2], 16) for i in (1, 3, 5)])
    return panel + FULL[theme] * strength * (np.array(GROUNDS[theme], dtype=float).reshape(2, 3) - panel)


def lab(colour, eye="usual"):
    """CIE L*a*b* under D65 of sRGB 0 … 255."""
    share = np.asarray(colour) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(XYZ @ np.clip(np.array(EYES[eye]) @ linear, 0, 1) / XYZ.sum(1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_lab_by_known_values():
    assert lab([255, 255, 255]) == pytest.approx([100, 0, 0], abs=0.05)
    assert lab([255, 0, 0]) == pytest.approx([53.24, 80.09, 67.20], abs=0.1)


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_read_on_the_strongest_colours(theme):
    for colour in laid(theme):
        ground = "#" + "".join(f"{round(channel):02x}" for channel in colour)
        assert contrast(THEMES[theme]["ink"], ground) >= 4.5


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", THEMES)
def test_up_and_down_are_told_apart_by_every_eye(theme, eye):
    """By more than ten times what is just seen (ΔE*ab 2.3), at half strength by five times."""
    for strength, least in ((1.0, 23), (0.5, 11.5)):
        up, down = laid(theme, strength)
        assert np.linalg.norm(lab(up, eye) - lab(down, eye)) > least
