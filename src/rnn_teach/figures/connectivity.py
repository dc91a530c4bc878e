"""Chapter 11's connectivity figure: which earlier characters a prediction leans on, in three cells."""

from __future__ import annotations

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from .. import plots, tasks
from ..bptt import Network, predict
from ..diagnostics import connectivity
from ..live import Control, LiveFigure, interact
from ..sampling import next_symbol
from ..training import evaluate
from .contest import CELLS
from .language import SHOWN, Data, before_and_after, english

PASSAGE = "if all keyword patterns succeed, the class pattern succeeds."
FIRST_ROW = 33  # characters, the space after the comma the last
LONGEST, WINDOWS = 60, 200  # of the held-out text, for the mean over places
SHOWN_BACK, LOWEST, HIGHEST = 40, 1e-8, 1e0  # the axes of the mean lean


class Reader(NamedTuple):
    """A character network as it was before and after training."""

    data: Data
    untrained: Network
    trained: Network


# Trained --------------------------------------------------------------------------------------


def train(cell: str, *, H: int, steps: int, seed: int) -> Reader:
    """Train a character network with ``H`` units of this cell, the same text for every cell.

    The LSTM starts with a forget bias of 1, as is usual for text.
    """
    options = {"forget_bias": 1.0} if cell == "LSTM" else {}
    data = english(np.random.default_rng(seed))
    rng = np.random.default_rng([seed, H])
    layer = CELLS[cell](data.vocabulary.size, H, rng=rng, **options)
    return Reader(data, *before_and_after(data, layer, steps=steps, rng=rng))


def losses(reader: Reader) -> tuple[float, float]:
    """The cross-entropy on the held-out text before and after training, in nats per symbol."""
    x, target, *_ = reader.data.measured
    return evaluate(reader.untrained, x, target), evaluate(reader.trained, x, target)


# Measured -------------------------------------------------------------------------------------


def scores(network: Network) -> np.ndarray:
    """The columns (H, K) that make each symbol's score of a state, above the mean of all scores.

    The mean is taken off because it does not count: softmax gives the same for scores all raised alike.
    """
    W_y = network.readout.W_y
    return W_y - W_y.mean(axis=1, keepdims=True)


def lean(network: Network, vocabulary: tasks.Vocabulary, text: str) -> np.ndarray:
    """How much what is expected after each character leans on each one read: shares (T, T).

    Row t belongs to the symbol that the network finds most probable after text[: t + 1], column s to
    text[s]. The lean is the connectivity of that symbol's score; each row adds up to 1.
    """
    y, trace = predict(network, vocabulary.one_hot(vocabulary.encode(text)[:, None]))
    expected = y[:, 0].argmax(axis=1)
    leans = np.empty((len(text), len(text)))
    for symbol in np.unique(expected):
        asked = expected == symbol
        leans[asked] = connectivity(network.cell, trace, scores(network)[:, symbol])[asked]
    return leans / leans.sum(axis=1, keepdims=True)


def lean_at_distances(network: Network, data: Data) -> np.ndarray:
    """The mean share (60,) of the lean on the character k = 0 … 59 places back from the last read.

    Taken over 200 pieces of the held-out text; one backward pass for all, as only ends are asked.
    """
    codes = data.vocabulary.encode(data.held_out)
    starts = np.linspace(0, len(codes) - LONGEST, WINDOWS).astype(int)
    y, trace = predict(
        network, data.vocabulary.one_hot(codes[starts + np.arange(LONGEST)[:, None]])
    )
    dh = np.zeros_like(trace.h)
    dh[-1] = scores(network)[:, y[-1].argmax(axis=1)].T
    leans = np.linalg.norm(network.cell.backward(trace, dh)["x"], axis=2)[::-1]
    return (leans / leans.sum(axis=0)).mean(axis=1)


def characters_for(shares: np.ndarray, part: float) -> int:
    """How many of the last characters hold this part of the lean, given its shares by distance.

    >>> characters_for(np.array([0.5, 0.3, 0.15, 0.05]), 0.9)
    3
    """
    return int(np.searchsorted(np.cumsum(shares), part - 1e-12)) + 1


# Shown ----------------------------------------------------------------------------------------


def _places(text: str) -> np.ndarray:
    """Where each character stands in the two rows of the picture: (T, 2), x and the row's top."""
    k = np.arange(len(text))
    second = k >= FIRST_ROW
    return np.c_[k - FIRST_ROW * second, np.where(second, 4.2, 9.4)]


def leaning(readers: dict[str, Reader]) -> LiveFigure:
    """Point at a character: what each cell expects to follow, and on which characters that leans."""
    text = PASSAGE
    vocabulary = next(iter(readers.values())).data.vocabulary
    place, k = _places(text), np.arange(SHOWN_BACK + 1)
    one_hot = vocabulary.one_hot(vocabulary.encode(text)[:, None])
    trained, untrained, said = {}, {}, {}
    for cell, reader in readers.items():
        trained[cell] = lean(reader.trained, vocabulary, text)
        untrained[cell] = lean(reader.untrained, vocabulary, text)
        said[cell] = next_symbol(predict(reader.trained, one_hot)[0][:, 0])
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 5.8), height_ratios=(4, 3))
        top.set(xlim=(-4.6, FIRST_ROW - 0.3), ylim=(-1.2, 10.1))
        top.axis("off")
        top.set_title("The character expected next leans on …")
        top.text(FIRST_ROW - 0.5, 2.3, "‒ untrained", color=plots.INK, ha="right", size=9)
        columns = [
            top.add_patch(Rectangle((x - 0.5, y - 3.75), 1, 4.35, facecolor=plots.GRID, alpha=0))
            for x, y in place
        ]
        letters = [
            top.text(x, y, symbol, ha="center", va="center", size=11)
            for (x, y), symbol in zip(place, text, strict=True)
        ]
        bars, dashes, expects = {}, {}, {}
        for track, cell in enumerate(readers):
            color, below = plots.CELL_COLORS[cell], 1.7 + track
            for y in sorted(set(place[:, 1])):
                ends = place[place[:, 1] == y, 0][[0, -1]] + [-0.5, 0.5]
                top.plot(ends, [y - below, y - below], color=color, linewidth=0.8)
                top.text(-0.9, y - below + 0.3, cell, color=color, ha="right", va="center", size=9)
            (bars[cell],) = top.plot([], [], color=color, linewidth=7, solid_capstyle="butt")
            (dashes[cell],) = top.plot([], [], "_", color=plots.INK, markersize=7)
            expects[cell] = top.text(
                track * FIRST_ROW / 3 - 0.5, -0.7, "", color=color, va="center", weight="bold"
            )

        bottom.set(xlim=(0, 1.2 * SHOWN_BACK), title="Mean lean by distance, dotted: untrained")
        bottom.set(xlabel="k, characters back", xticks=range(0, SHOWN_BACK + 1, 10))
        plots.log_axis(bottom, LOWEST, HIGHEST, decades=2)
        means = {}
        for cell, reader in readers.items():
            color = plots.CELL_COLORS[cell]
            means[cell] = lean_at_distances(reader.trained, reader.data)[k]
            null = lean_at_distances(reader.untrained, reader.data)[k]
            bottom.plot(k, means[cell], color=color, label=cell)
            bottom.plot(k, null, ":", color=color, linewidth=1.3, label=f"{cell}, untrained")
        labels = {
            cell: bottom.text(0, 1, "", va="center", color=plots.CELL_COLORS[cell], size=9)
            for cell in readers
        }
        plots.label_ends(labels, [means[cell][-1] for cell in readers], SHOWN_BACK + 0.5)

    @interact(
        fig,
        name="leaning",
        alt="A sentence in two rows; under each character, for RNN, GRU and LSTM, a bar for its share "
        "of the lean, and a dash for the untrained network. Below, the mean lean against the distance.",
        at=Control(
            {f"{j + 1}, {SHOWN.get(symbol, symbol)}": j for j, symbol in enumerate(text)},
            "character",
            kind="slider",
            artists=columns,
        ),
    )
    def update(at: int = 45) -> tuple[str, dict[str, list[str] | np.ndarray]]:
        parts, read = [], np.arange(at + 1)
        for track, cell in enumerate(readers):
            x, floor = place[read, 0], place[read, 1] - 1.7 - track
            shares = trained[cell][at, read]
            tall = 0.85 * shares / shares.max()
            gap = np.full(at + 1, np.nan)
            bars[cell].set_data(np.repeat(x, 3), np.c_[floor, floor + tall, gap].ravel())
            null = untrained[cell][at, read]
            there = null > 0.02 * null.max()  # a dash on the floor says nothing
            dashes[cell].set_data(x[there], (floor + 0.85 * null / null.max())[there])
            p = said[cell][at]
            symbol = vocabulary.symbols[p.argmax()]
            expects[cell].set_text(f"{cell}: {SHOWN.get(symbol, symbol)} {p.max():.0%}")
            most = characters_for(shares[::-1], 0.9)
            parts.append(
                f"{cell} expects “{SHOWN.get(symbol, symbol)}” ({p.max():.0%}), with 90 % of its "
                f"lean on {most} {'character' if most == 1 else 'characters'}"
            )
        for j, (column, letter) in enumerate(zip(columns, letters, strict=True)):
            column.set_alpha(0.8 if j == at else 0)
            letter.set_color(plots.INK if j <= at else plots.MUTED)
        sentence = f"After “{text[: at + 1]}”: {'; '.join(parts)}."
        columns_shown = {"character": [SHOWN.get(s, s) for s in text[: at + 1]]}
        columns_shown |= {cell: trained[cell][at, read] for cell in readers}
        return sentence, columns_shown | {
            f"{cell}, untrained": untrained[cell][at, read] for cell in readers
        }

    return update
