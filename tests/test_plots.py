"""The house palette: legible on both papers, and told apart by those who do not see all colors."""

import re
from importlib.resources import files
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest

from rnn_teach import plots

CSS = (files("rnn_teach.live") / "live.css").read_text("utf-8")
LIGHT, DARK = (
    {"#" + name: value for name, value in re.findall(r"--c(\w{6}): (#\w{6})", part)}
    for part in CSS.split('html[data-theme="dark"] .live', 1)
)
PAPER = {"light": "#ffffff", "dark": DARK["#ffffff"]}
WORDS = [plots.INK, plots.MUTED, plots.ACCENT, plots.GOLD, *plots.CELL_COLORS.values()]

# Vienot, Brettel and Mollon (1999): linear RGB as a dichromat sees it
BLINDNESS = {
    "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    "none": np.eye(3),
}


def linear(color: str) -> np.ndarray:
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    light = sorted(linear(c) @ (0.2126, 0.7152, 0.0722) for c in (a, b))
    return (light[1] + 0.05) / (light[0] + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ) @ np.clip(rgb, 0, 1)
    f = np.cbrt(xyz / (0.9505, 1, 1.089))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_every_house_color_has_its_counterpart_in_the_dark():
    house = {v for k, v in vars(plots).items() if k.isupper() and isinstance(v, str)}
    assert house <= set(LIGHT)
    assert set(LIGHT) == set(DARK)
    assert all(name == value for name, value in LIGHT.items())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_and_lines_are_legible(theme):
    for color in WORDS:
        shown = color if theme == "light" else DARK[color]
        assert contrast(shown, PAPER[theme]) >= 4.5, (theme, color)


@pytest.mark.parametrize("sight", BLINDNESS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_three_cells_are_told_apart(theme, sight):
    colors = (
        plots.CELL_COLORS
        if theme == "light"
        else {c: DARK[v] for c, v in plots.CELL_COLORS.items()}
    )
    seen = {cell: lab(BLINDNESS[sight] @ linear(color)) for cell, color in colors.items()}
    for a, b in combinations(seen, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 20, (theme, sight, a, b)


def test_the_style_is_one_and_is_left_behind():
    before = mpl.rcParams["figure.figsize"]
    with plots.style():
        assert mpl.rcParams["text.color"] == plots.INK
        assert mpl.rcParams["figure.figsize"] == [5.2, 3.2]
    assert mpl.rcParams["figure.figsize"] == before


def test_the_style_leaves_the_backend_alone(monkeypatch):
    """Where the defaults name one, as in a browser, they would bring it back."""
    defaults = mpl.RcParams({**mpl.rcParamsDefault, "backend": "module://another"})
    monkeypatch.setattr(mpl, "rcParamsDefault", defaults)
    before = mpl.rcParams["backend"]
    with plots.style():
        assert mpl.rcParams["backend"] == before
        assert mpl.rcParams["axes.titlelocation"] == "left"
