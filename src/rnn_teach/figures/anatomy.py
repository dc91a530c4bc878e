"""A live figure about a live figure: what its states cost in the page, measured on a real one."""

from __future__ import annotations

import gzip
import json
from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..live import Control, LiveFigure, interact, payload
from ..live.svg import Drawing, themed

CURVES, POINTS, MOST = 5, 60, 120
COUNTS = (10, 20, 40, 60, 90, MOST)
WAYS = ("whole pictures", "what changes", "as differences")
ROWS = (2, 1, 0)


@cache
def costs(curves: int, states: int) -> tuple[int, int, int]:
    """The compressed bytes of all states of a small figure, stored in three ways.

    The figure has five damped waves, of which ``curves`` change with a slider of ``states`` values.
    Stored are every picture whole, only the fragments that change, and what a page of this book
    carries: templates and the differences of their numbers.

    >>> whole, changing, carried = costs(1, 10)
    >>> whole > changing > carried
    True
    """
    base, drawn = _drawn(curves)
    pictures = [drawn[round(k * (MOST - 1) / (states - 1))] for k in range(states)]
    full = [base + "".join(fragments) for fragments in pictures]
    control = Control(range(states), name="gain", kind="slider")
    packed = payload.encode("sample", [control], pictures, [""] * states)
    return _compressed(full), _compressed(pictures), len(packed)


@cache
def _drawn(curves: int) -> tuple[str, list[list[str]]]:
    """The picture without what changes, and the fragments of each of the states."""
    fig, lines = _sample()
    drawing = Drawing(fig, "sample")
    drawn = []
    for gain in np.linspace(0.5, 2.0, MOST):
        drawing.clear()
        for k, line in enumerate(lines[:curves]):
            line.set_ydata(gain * _wave(k))
        drawn.append([themed(fragment) for fragment in drawing.fragments()])
    for line in lines[:curves]:
        line.set_visible(False)
    base = themed(Drawing(fig, "sample").base())
    plt.close(fig)
    return base, drawn


def _sample() -> tuple[plt.Figure, list[plt.Line2D]]:
    with plots.style():
        fig, ax = plt.subplots(figsize=(5, 2.4))
        ax.set(xlim=(0, 10), ylim=(-2, 2), xlabel="time")
        return fig, [ax.plot(_T, _wave(k))[0] for k in range(CURVES)]


_T = np.linspace(0, 10, POINTS)


def _wave(k: int) -> np.ndarray:
    return np.exp(-_T / 8) * np.sin(_T - 0.6 * k)


def _compressed(data: list[str] | list[list[str]]) -> int:
    return len(gzip.compress(json.dumps(data).encode(), 9, mtime=0))


def pieces() -> LiveFigure:
    """The pieces of a live figure: how many curves change, how many states there are."""
    with plots.style():
        fig, (top, bottom) = plt.subplots(
            2, 1, figsize=(5.2, 3.3), height_ratios=(1, 1), layout="constrained"
        )
        top.set(xlim=(0, 10), ylim=(-1.2, 1.2))
        top.axis("off")
        top.set_title("A figure: what changes has a color")
        lines = [top.plot(_T, _wave(k))[0] for k in range(CURVES)]
        bottom.set(xlim=(0, 120_000), ylim=(-0.6, 2.6))
        bottom.set_xticks([0, 50_000, 100_000], ["0", "50 KB", "100 KB"])
        bottom.grid(visible=False, axis="y")
        bottom.set_yticks(ROWS, WAYS)
        bottom.tick_params(axis="y", length=0)
        bars = bottom.barh(
            ROWS, [1.0] * 3, color=[plots.MUTED, plots.LSTM, plots.RNN], label="_bars"
        )
        texts = [bottom.text(1, row, "", va="center") for row in ROWS]
        title = bottom.set_title(" ")

    @interact(
        fig,
        name="pieces",
        alt="Above, five damped waves, of which those that change are colored. Below, three bars: "
        "the compressed size of all states as whole pictures, as the parts that change, and as "
        "differences.",
        curves=Control(range(1, CURVES + 1), "curves", kind="slider", default=2),
        states=Control(COUNTS, "states", kind="slider", default=60),
    )
    def update(curves: int, states: int) -> tuple[str, dict[str, list[int] | list[str]]]:
        sizes = costs(curves, states)
        for k, line in enumerate(lines):
            line.set_color(plots.RNN if k < curves else plots.GRID)
        for bar, text, size in zip(bars, texts, sizes, strict=True):
            bar.set_width(size)
            text.set(x=size + 1_500, text=f"{size / 1000:,.1f} KB")
        title.set_text(f"All {states} states, compressed")
        whole, _, carried = sizes
        sentence = (
            f"{states} states in which {curves} of {CURVES} curves change cost "
            f"{carried / 1000:.1f} KB, {whole / carried:.0f} times less than {states} whole pictures."
        )
        return sentence, {"stored as": list(WAYS), "bytes": list(sizes)}

    return update
