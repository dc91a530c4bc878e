"""Draws a page's social card, the picture that other sites show with a link to it: its title, its part, the book."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch

SIZE = (1200, 630)  # pixels, as the sites that show cards ask for
PAPER, INK, SOFT, BLUE, RED = "#fbfaf7", "#1d2733", "#5b6673", "#1f5fa8", "#b8430a"
CHAPTERS = 18
EDGE, NETWORK = 80, 455  # the left margin, and how far down the network is


class Card(NamedTuple):
    """What a card says: the page's title, a line above it, and a chapter's number, None for others."""

    title: str
    above: str
    number: int | None


def file(page: str) -> str:
    """Where a page's card is, from the site's root."""
    return f"_static/cards/{page.replace('/', '-')}.png"


def draw(cards: dict[str, Card], out: Path, book: str) -> None:
    """Write the cards of pages below the folder `out`."""
    (out / "_static" / "cards").mkdir(parents=True, exist_ok=True)
    for page, card in cards.items():
        with mpl.rc_context(mpl.rcParamsDefault):
            picture(card, book).savefig(out / file(page), metadata={"Software": None})


def picture(card: Card, book: str) -> Figure:
    """A card: above the words, and below them the book's chapters as one unrolled network.

    The gradient runs back from the chapter at hand and fades, as it does in the book.
    """
    figure = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100, facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, SIZE[0]), ylim=(SIZE[1], 0))
    axes.set_axis_off()
    axes.text(EDGE, 96, card.above, size=19, color=RED, va="center")
    lines, size = fitted(card.title)
    for k, line in enumerate(lines):  # one by one, or a line without a g moves the next one up
        y = 170 + 1.75 * size * k
        axes.text(EDGE, y, line, size=size, color=INK, weight="bold", va="center_baseline")
    axes.text(EDGE, 560, book, size=19, color=SOFT, va="center")
    _network(axes, card.number)
    return figure


def fitted(title: str) -> tuple[list[str], int]:
    """The title in three lines at most, and the largest size in which they are enough for it."""
    for size, columns in ((46, 26), (38, 32), (31, 40)):
        if len(wrap(title, columns)) <= 3:
            break
    return wrap(title, columns, max_lines=3, placeholder=" …"), size


def _network(axes: mpl.axes.Axes, number: int | None) -> None:
    here = number or CHAPTERS
    step, y = (SIZE[0] - 2 * EDGE) / (CHAPTERS - 1), NETWORK
    for k in range(1, CHAPTERS + 1):
        x = EDGE + (k - 1) * step
        at_hand = k == number
        color = RED if at_hand else BLUE if k <= here else "#c9d3de"
        axes.add_patch(Circle((x, y), 19 if at_hand else 12, color=color))
        if 1 < k <= here:
            left = 9 * 0.82 ** (here - k)  # a gradient that vanishes
            back = FancyArrowPatch(
                (x - 2, y - 20),
                (x - step + 2, y - 18),
                connectionstyle="arc3,rad=0.45",
                arrowstyle="-",
                linewidth=max(left, 0.6),
                color=RED,
                alpha=max(0.82 ** (here - k), 0.15),
            )
            axes.add_patch(back)
