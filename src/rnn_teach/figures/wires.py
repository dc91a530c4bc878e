"""The parts of a drawn cell: boxes, wires with arrowheads and round nodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.patches import Circle, FancyBboxPatch, Patch

from .. import plots

Point = tuple[float, float]

LONG, WIDE = 0.24, 0.2  # an arrowhead, in units of the axes
RADIUS = 0.3  # of a node


def box(ax: Axes, middle: Point, width: float, height: float) -> FancyBboxPatch:
    """A rounded box, pale with a gray edge."""
    corner = (middle[0] - width / 2, middle[1] - height / 2)
    style = "round,pad=0,rounding_size=0.12"
    return ax.add_patch(
        FancyBboxPatch(
            corner, width, height, style, facecolor=plots.SOFT, edgecolor=plots.MUTED, zorder=2
        )
    )


def node(ax: Axes, middle: Point, sign: str) -> Circle:
    """A round node that says what it does: × or +."""
    ax.text(*middle, sign, ha="center", va="center_baseline", size=13, zorder=5)
    return ax.add_patch(
        Circle(middle, RADIUS, facecolor="#ffffff", edgecolor=plots.MUTED, zorder=4)
    )


def outline(patch: Patch, color: str | None) -> None:
    """Draw the edge of a box or a node in a color and wide, or, without a color, gray and thin."""
    patch.set(edgecolor=color or plots.MUTED, linewidth=2.5 if color else 1)


class Wires:
    """Some wires that are lit together, each a list of points with an arrowhead at its end.

    >>> import matplotlib.pyplot as plt
    >>> wires = Wires(plt.figure().add_subplot(), [[(0, 0), (1, 0), (1, 2)]])
    >>> wires.light(plots.LSTM)
    >>> plt.close()
    """

    def __init__(self, ax: Axes, routes: Sequence[Sequence[Point]]) -> None:
        lines, heads = zip(*map(_arrow, routes), strict=True)
        self.lines = ax.add_collection(LineCollection(lines, zorder=1))
        self.heads = ax.add_collection(PolyCollection(heads, edgecolor="none", zorder=3))
        self.light(None)

    def light(self, color: str | None) -> None:
        """Draw them in a color and wide, or, without a color, gray and thin."""
        self.lines.set(color=color or plots.MUTED, linewidth=2.5 if color else 1)
        self.heads.set_facecolor(color or plots.MUTED)


def _arrow(route: Sequence[Point]) -> tuple[np.ndarray, np.ndarray]:
    """The line of a route, which ends inside its head, and the corners of the head."""
    points = np.array(route, float)
    along = points[-1] - points[-2]
    along /= np.linalg.norm(along)
    across = along[::-1] * (1, -1)
    tip, back = points[-1].copy(), points[-1] - LONG * along
    points[-1] = tip - LONG / 2 * along
    return points, np.array([tip, back + WIDE / 2 * across, back - WIDE / 2 * across])
