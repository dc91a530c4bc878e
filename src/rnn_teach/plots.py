"""The book's look: one palette, one style sheet, and draw_*(ax, arrays) functions that return artists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.resources import files
from math import log10

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text

# Each color has a counterpart for the dark theme in live/live.css, found by this very hex value.
INK = "#1c2430"
MUTED = "#59636f"
GRID = "#d9dee5"
SOFT = "#eef1f5"
RNN = "#b8430a"
GRU = "#00755a"
LSTM = "#1f5fa8"
ACCENT = "#7a3e9d"
GOLD = "#876000"

CELL_COLORS = {"RNN": RNN, "GRU": GRU, "LSTM": LSTM}


def style() -> AbstractContextManager[None]:
    """The book's matplotlib style as a context: ``with style(): fig, ax = plt.subplots()``."""
    look = mpl.rc_params_from_file(files("rnn_teach") / "house.mplstyle")
    # a file's settings come with all defaults; in a browser one of them is where to draw
    return mpl.rc_context({name: value for name, value in look.items() if name != "backend"})


def number(value: float) -> str:
    """Two decimals, a minus that is as wide as a digit, and none before 0.

    >>> number(-0.123), number(-0.001)
    ('−0.12', '0.00')
    """
    return f"{round(float(value), 2) + 0:.2f}".replace("-", "−")


def power_of_ten(value: float) -> str:
    """``value``, above 0, to the nearest power of ten, as text that needs no formula.

    >>> power_of_ten(2.3e-7), power_of_ten(1.2), power_of_ten(12)
    ('10⁻⁷', '1', '10')
    """
    exponent = round(log10(value))
    if exponent in (0, 1):
        return str(10**exponent)
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def log_axis(ax: Axes, low: float, high: float, *, decades: int) -> None:
    """Make the y axis logarithmic from ``low`` to ``high``, with a tick every so many ``decades``."""
    ticks = 10.0 ** np.arange(round(log10(low)), round(log10(high)) + 1, decades)
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    ax.set_yticks(ticks, [power_of_ten(tick) for tick in ticks])
    ax.minorticks_off()


def label_ends(labels: Mapping[str, Text], ends: Sequence[float], x: float) -> None:
    """Put each label at ``x`` beside the end of its line on a log axis, clear of the others.

    A line that ends above or below the axis gets an arrow; texts are the keys of ``labels``.
    """
    texts = list(labels.values())
    low, high = texts[0].axes.get_ylim()
    line = 0.065 * log10(high / low)  # the height of a line of text, in decades
    order = np.argsort(ends, kind="stable")
    heights = np.log10(np.clip(np.take(ends, order), low, high))
    heights = heights.clip(log10(low) + line / 2, log10(high) - line / 2)
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + line)
    heights[-1] = min(heights[-1], log10(high) - line / 2)
    for i in reversed(range(len(heights) - 1)):
        heights[i] = min(heights[i], heights[i + 1] - line)
    for place, height in zip(order, heights, strict=True):
        arrow = " ↓" if ends[place] < low else " ↑" if ends[place] > high else ""
        texts[place].set(position=(x, 10.0**height), text=list(labels)[place] + arrow)
