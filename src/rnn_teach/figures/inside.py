"""Chapter 09's character LSTM and the live figure of its gates, symbol by symbol, over held-out text."""

from __future__ import annotations

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from .. import plots
from ..bptt import Network
from ..cells import LSTM
from ..cells.lstm import LSTMTrace
from ..diagnostics import gate_shares
from ..live import Control, LiveFigure, interact
from ..training import evaluate
from .language import SHOWN, Data, before_and_after

PASSAGE = "the return value from __exit__() is ignored, and"  # held out, in the second half
PARTS = {"i": "input gate i", "f": "forget gate f", "o": "output gate o"}
PARTS |= {"c": "cell state c", "h": "output h"}
ROWS = 16  # units in the picture
LEVELS = 8  # shades of one color


# Trained --------------------------------------------------------------------------------------


class Reader(NamedTuple):
    """A character LSTM before and after training, and what each made of the held-out text."""

    data: Data
    untrained: Network
    trained: Network
    losses: dict[str, float]  # cross-entropy on the held-out text, nats per symbol
    traces: dict[str, LSTMTrace]  # of the held-out text, "untrained" and "trained"

    @property
    def text(self) -> list[str]:
        """What each of the 20 streams of the held-out text says, in the order of the traces."""
        codes = self.data.measured.x.argmax(axis=2)
        return [self.data.vocabulary.decode(stream) for stream in codes.T]


def train(
    data: Data, *, H: int, steps: int, rng: np.random.Generator, forget_bias: float = 1.0
) -> Reader:
    """Train a character LSTM with ``H`` units for ``steps`` updates.

    The text is read in 32-bit numbers, which takes half the time of 64.
    """
    cell = LSTM(data.vocabulary.size, H, rng=rng, forget_bias=forget_bias)
    batches = (batch._replace(x=batch.x.astype(np.float32)) for batch in data.batches)
    read = data._replace(batches=batches)
    untrained, network = before_and_after(read, cell, steps=steps, rng=rng)
    x, target, _, _ = data.measured
    x = x.astype(np.float32)
    both = {"untrained": untrained, "trained": network}
    losses = {name: evaluate(each, x, target) for name, each in both.items()}
    traces = {name: each.cell.forward(x) for name, each in both.items()}
    return Reader(data, untrained, network, losses, traces)


def found(reader: Reader, phrase: str = PASSAGE) -> tuple[int, int]:
    """(stream, step) at which ``phrase`` begins in the second half of the held-out text.

    Raises ValueError where it is not there.
    """
    text = reader.text
    for n in range(len(text) // 2, len(text)):
        if phrase in text[n]:
            return n, text[n].index(phrase)
    raise ValueError(f"phrase: expected a piece of the second half, got {phrase!r}")


def memory(trace: LSTMTrace) -> np.ndarray:
    """Each unit's half-life along its cell state (H,): ln 2 / -mean(ln f), in symbols.

    What c holds is multiplied by f at every symbol, so the mean of ln f is the rate at which it
    is lost.
    """
    return np.log(2) / -np.log(trace.f.astype(float)).mean(axis=(0, 1))


def ends(trace: LSTMTrace) -> dict[str, tuple[float, float, int]]:
    """How often each gate stands below 0.1 and above 0.9, and how many units do both.

    Both: each in more than a tenth of all places.
    """
    return {
        gate: (
            float(closed.mean()),
            float(opened.mean()),
            int(((closed > 0.1) & (opened > 0.1)).sum()),
        )
        for gate, (closed, opened) in gate_shares(trace).items()
    }


def shades(trace: LSTMTrace, part: str) -> np.ndarray:
    """``part`` of a trace in -1..1 (T, N, H): gates and h as they are, c against its own mean.

    A cell state has no scale of its own: 1 is two standard deviations above the mean, and more.
    """
    values = getattr(trace, part).astype(float)
    if part == "c":
        values = (values - values.mean(axis=(0, 1))) / (2 * values.std(axis=(0, 1)))
    return values.clip(-1, 1)


def rows(reader: Reader) -> np.ndarray:
    """The units in the picture (ROWS,): evenly spaced from the longest memory to the shortest."""
    order = np.argsort(-memory(reader.traces["trained"]), kind="stable")
    return order[np.linspace(0, len(order) - 1, ROWS).round().astype(int)]


# Shown ----------------------------------------------------------------------------------------


class Tiles:
    """A grid of tiles in two colors, one for each sign, the larger the darker.

    Each shade is one artist, so that the picture follows the theme, and a state of it is short.
    """

    def __init__(self, ax: Axes) -> None:
        alphas = np.arange(1, LEVELS + 1) / LEVELS
        self.shades = {
            (sign, level + 1): ax.add_patch(
                PathPatch(Path(np.zeros((0, 2))), facecolor=color, alpha=alpha, edgecolor="none")
            )
            for sign, color in ((1, plots.LSTM), (-1, plots.RNN))
            for level, alpha in enumerate(alphas)
        }

    def show(self, values: np.ndarray, corners: np.ndarray, width: float, height: float) -> None:
        """Draw ``values`` (M,), in -1..1, as tiles whose lower left corners are (M, 2)."""
        level = np.ceil(np.abs(values) * LEVELS - 0.5).astype(int)  # less than half a shade: none
        for (sign, shade), patch in self.shades.items():
            here = corners[(level == shade) & (np.sign(values) == sign)]
            outline = np.array([(0, 0), (width, 0), (width, height), (0, height), (0, 0)])
            codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
            path = Path((here[:, None] + outline).reshape(-1, 2), codes * len(here))
            patch.set_path(path)


def gates_over_text(reader: Reader) -> LiveFigure:
    """One part of the LSTM for 16 units over 48 held-out symbols, trained or not; a symbol to point at."""
    n, start = found(reader)
    T, H = len(PASSAGE), reader.trained.cell.H
    half_lives = memory(reader.traces["trained"])
    order, units, steps = np.argsort(-half_lives, kind="stable"), rows(reader), np.arange(T)
    shown = {
        (part, name): shades(trace, part)[start : start + T, n]
        for part in PARTS
        for name, trace in reader.traces.items()
    }
    corners = np.stack(np.meshgrid(steps - 0.46, np.arange(ROWS)[::-1] - 0.46), axis=-1)
    with plots.style():
        fig, (ax, below) = plt.subplots(2, figsize=(5.2, 4.8), height_ratios=(7, 2))
        ax.set(xlim=(-0.7, T - 0.3), ylim=(-0.7, ROWS + 0.9))
        title = ax.set_title(" ")
        tiles = Tiles(ax)
        letters = [
            ax.text(t, ROWS + 0.2, SHOWN.get(symbol, symbol), ha="center", va="center", size=10)
            for t, symbol in enumerate(PASSAGE)
        ]
        (here,) = ax.plot([], [], color=plots.INK, linewidth=1.2)
        for row, words in ((ROWS - 1, "keeps\nlong"), (0, "keeps\nshort")):
            ax.text(-1.2, row, words, ha="right", va="center", color=plots.MUTED, size=9)
        ax.axis("off")
        below.set(xlim=(-1, H), ylim=(0, 1.05), yticks=(0, 0.5, 1), xticks=())
        below.set_xlabel(f"all {H} units, from the longest memory to the shortest")
        heading = below.set_title(" ")
        # one line with gaps for all bars: a state of the figure is then a few numbers
        (bars,) = below.plot([], [], color=plots.LSTM, linewidth=3.2, solid_capstyle="butt")
        (null,) = below.plot(
            [], [], "_", color=plots.INK, markersize=4, markeredgewidth=1.5, label="untrained"
        )
        below.text(0.78, 1.08, "▮ trained", color=plots.LSTM, ha="right", transform=below.transAxes)
        below.text(1, 1.08, "‒ untrained", ha="right", transform=below.transAxes)

    @interact(
        fig,
        name="gates-over-text",
        alt="A line of text over a grid of tiles: a row for each of 16 units, a column for each "
        "symbol, dark where the gate is open. Below, a bar for each unit at the chosen symbol.",
        at=Control(
            {f"{t + 1}, “{SHOWN.get(symbol, symbol)}”": t for t, symbol in enumerate(PASSAGE)},
            "symbol",
            kind="slider",
            artists=letters,
        ),
        part=Control({words: part for part, words in PARTS.items()}, "shown"),
        network=["trained", "untrained"],
    )
    def update(
        at: int = 22, part: str = "f", network: str = "trained"
    ) -> tuple[str, dict[str, np.ndarray]]:
        values, symbol = shown[part, network], SHOWN.get(PASSAGE[at], PASSAGE[at])
        tiles.show(values[:, units].T.ravel(), corners.reshape(-1, 2), 0.92, 0.92)
        title.set_text(f"{PARTS[part]}, {network}: {ROWS} of {H} units")
        left, right, top = at - 0.5, at + 0.5, ROWS + 0.7
        here.set_data([left, right, right, left, left], [-0.5, -0.5, top, top, -0.5])
        sizes = np.abs(shown[part, "trained"][at, order])
        bars.set_data(
            np.repeat(np.arange(H), 3), np.c_[0 * sizes, sizes, np.full(H, np.nan)].ravel()
        )
        null.set_data(np.arange(H), np.abs(shown[part, "untrained"][at, order]))
        heading.set_text(f"{PARTS[part]} at “{symbol}”" + (", size" if part in "ch" else ""))
        least, most = (0.1, 0.9) if part in "ifo" else (-0.5, 0.5)
        high, low = (values[at] > most).sum(), (values[at] < least).sum()
        if part == "c":
            says = f"a standard deviation or more above its mean in {high} of {H} units, below in"
        else:
            says = f"above {most} in {high} of {H} units and below {least} in".replace("-", "−")
        sentence = (
            f"{network.capitalize()}, at “{symbol}” after “…{PASSAGE[max(0, at - 12) : at]}”: "
            f"the {PARTS[part]} is {says} {low}."
        )
        return sentence, {
            "unit": units,
            "half-life, symbols": half_lives[units],
            "trained": shown[part, "trained"][at, units],
            "untrained": shown[part, "untrained"][at, units],
        }

    return update
