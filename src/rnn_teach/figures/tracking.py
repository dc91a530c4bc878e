"""Chapter 09's search for a cell that tracks something with a name: every cell against every feature."""

from __future__ import annotations

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..live import Control, LiveFigure, interact
from .inside import Reader, Tiles, found, shades
from .language import SHOWN

WITHIN = 20  # symbols: what "lately" means
RARE = 20  # a symbol that occurs less often in a half is not asked for
SHUFFLES = 99
PASSAGE = "if the suite was exited for any reason"  # where the picture begins
LINES, WIDTH = 4, 44


# Measured -------------------------------------------------------------------------------------


class Search(NamedTuple):
    """Every cell against every feature; the halves are the streams 0-9 and 10-19 of held-out text."""

    names: tuple[str, ...]  # of the features
    features: np.ndarray  # (T, N, F)
    searched: dict[str, np.ndarray]  # (H, F) correlations on the first half, by network
    tested: dict[str, np.ndarray]  # the same on the second half
    shuffled: np.ndarray  # (SHUFFLES,) the largest |correlation| of a search that can find nothing

    @property
    def candidates(self) -> int:
        """How many pairs of a cell and a feature the search has looked at."""
        return self.searched["trained"].size

    def best(self, network: str = "trained") -> tuple[int, int]:
        """(cell, feature) with the largest |correlation| on the first half."""
        r = np.abs(self.searched[network])
        return tuple(int(k) for k in np.unravel_index(r.argmax(), r.shape))

    def best_cells(self, network: str) -> np.ndarray:
        """For every feature the cell that goes best with it on the first half (F,)."""
        return np.abs(self.searched[network]).argmax(axis=0)


def last(marks: np.ndarray) -> np.ndarray:
    """The latest step up to each step at which ``marks`` (T, ...) was true; -1 before the first.

    >>> last(np.array([False, True, False, True])).tolist()
    [-1, 1, 1, 3]
    """
    t = np.arange(len(marks)).reshape(-1, *[1] * (marks.ndim - 1))
    return np.maximum.accumulate(np.where(marks, t, -1), axis=0)


def features(text: list[str]) -> dict[str, np.ndarray]:
    """What a reader with a memory could keep track of, by name, each (T, N) for N streams of text.

    For every symbol whether it was read lately, and four that need no list: the place in the word
    and in the sentence, brackets, and the last vowel.
    """
    symbols = np.array([list(stream) for stream in text]).T
    t, half = np.arange(len(symbols))[:, None], symbols.shape[1] // 2
    tracked = {}
    for symbol in np.unique(symbols):
        there = symbols == symbol
        seen = last(there)
        lately = (seen >= 0) & (t - seen < WITHIN)
        often = min(there[:, :half].sum(), there[:, half:].sum()) >= RARE
        if often and 0.01 < lately.mean() < 0.99:
            tracked[f"{SHOWN.get(symbol, symbol)} lately"] = lately
    opened, letter = last(symbols == "("), np.char.isalpha(symbols)
    word = last(~letter) + 1  # where the present word began; the step after, between two words
    first = np.take_along_axis(symbols, np.minimum(word, len(symbols) - 1), axis=0)
    for symbol in np.unique(symbols[letter]):
        begins = letter & (first == symbol)
        if min(begins[:, :half].mean(), begins[:, half:].mean()) > 0.01:
            tracked[f"in a word with {symbol}-"] = begins
    tracked["letters since the word began"] = t - last(~letter)
    tracked["symbols since the sentence began"] = np.log1p(t - last(np.isin(symbols, [".", "\n"])))
    tracked["letters since a vowel"] = t - last(np.isin(symbols, list("aeiou")))
    tracked["inside brackets"] = opened > last(np.isin(symbols, [")", "\n"]))
    return {name: feature.astype(float) for name, feature in tracked.items()}


def correlations(cells: np.ndarray, tracked: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """The correlation of every cell with every feature among places that read the same symbol.

    From both the mean over all places with the same present symbol is taken away, so that a cell
    earns nothing by telling which symbol it has just read.

    Arguments: cells (T, N, H), tracked (T, N, F), symbols (T, N, K), one-hot.
    Returns (H, F), in -1..1.

    >>> symbols = np.eye(2)[[0, 0, 1, 1]][:, None]
    >>> cells = np.array([1.0, 2.0, 9.0, 8.0]).reshape(4, 1, 1)
    >>> correlations(cells, cells + 5 * symbols[..., 1:], symbols).round(3)
    array([[1.]])
    """
    one_hot = symbols.reshape(-1, symbols.shape[-1])
    count = np.maximum(one_hot.sum(axis=0), 1)[:, None]

    def apart(values: np.ndarray) -> np.ndarray:
        values = values.reshape(-1, values.shape[-1])
        values = values - one_hot @ (one_hot.T @ values / count)
        return values / np.linalg.norm(values, axis=0)

    return apart(cells).T @ apart(tracked)


def search(reader: Reader, *, rng: np.random.Generator) -> Search:
    """Correlate all cells with all features on each half of the held-out text, and on shuffled text.

    To shuffle is to move the features of the first half round by a random number of steps: they
    stay what they are, and have nothing to do with what the cells have read. Each time the search
    is done again and its best kept, which is what a search finds where there is nothing to find.
    """
    named = features(reader.text)
    tracked = np.stack(list(named.values()), axis=-1)
    x, T = reader.data.measured.x, len(tracked)
    half = x.shape[1] // 2
    halves = slice(0, half), slice(half, None)
    results = [
        {
            name: correlations(trace.c[:, part].astype(float), tracked[:, part], x[:, part])
            for name, trace in reader.traces.items()
        }
        for part in halves
    ]
    first = halves[0]
    cells = reader.traces["trained"].c[:, first].astype(float)
    shuffled = []
    for steps in rng.integers(T // 10, T - T // 10, size=SHUFFLES):
        moved = np.roll(tracked[:, first], steps, axis=0)
        shuffled.append(np.abs(correlations(cells, moved, x[:, first])).max())
    return Search(tuple(named), tracked, *results, np.array(shuffled))


def best_tested(result: Search, network: str) -> np.ndarray:
    """How well each feature's best cell, chosen on the first half, does on the second (F,)."""
    cells = result.best_cells(network)
    return np.abs(result.tested[network][cells, np.arange(len(cells))])


def ranking(result: Search, count: int = 8) -> str:
    """The features that are tracked best, with the cell found for each, as a table."""
    searched = np.abs(result.searched["trained"]).max(axis=0)
    tested, null = (best_tested(result, network) for network in ("trained", "untrained"))
    cells = result.best_cells("trained")
    lines = [f"{'feature':32}{'cell':>5}{'searched':>10}{'tested':>8}{'untrained':>11}"]
    lines += [
        f"{result.names[k]:32}{cells[k]:5}{searched[k]:10.2f}{tested[k]:8.2f}{null[k]:11.2f}"
        for k in np.argsort(-searched, kind="stable")[:count]
    ]
    return "\n".join(lines)


# Shown ----------------------------------------------------------------------------------------


def tracking_cell(reader: Reader, result: Search) -> LiveFigure:
    """A feature and the cell found for it over four lines of text, and how good the find is."""
    n, start = found(reader, PASSAGE)
    size = LINES * WIDTH
    passage = slice(start, start + size)
    column, line = np.arange(size) % WIDTH, LINES - 1 - np.arange(size) // WIDTH
    cells = {name: shades(trace, "c")[passage, n] for name, trace in reader.traces.items()}
    tracked = result.features[passage, n]
    with plots.style():
        fig, (ax, below) = plt.subplots(2, figsize=(5.2, 4.8), height_ratios=(6, 5))
        ax.set(xlim=(-0.7, WIDTH - 0.3), ylim=(-0.75, LINES - 0.2))
        title = ax.set_title(" ", color=plots.GOLD)
        whose = ax.set_title(" ", loc="right", color=plots.LSTM, weight="normal")
        tiles = Tiles(ax)
        (feature_line,) = ax.plot([], [], color=plots.GOLD, linewidth=2, label="_feature")
        for k, symbol in enumerate(reader.text[n][passage]):
            ax.text(column[k], line[k], SHOWN.get(symbol, symbol), ha="center", va="center")
        ax.axis("off")

        below.set(xlim=(0, 1), ylim=(-0.4, 3.9), yticks=(), xlabel="size of the correlation")
        rows = {
            f"shuffled text, the best of all {result.candidates:,}": plots.MUTED,
            "untrained, its best cell, on the other half": plots.INK,
            "trained, on the half that was searched": plots.LSTM,
            "trained, the same cell on the other half": plots.LSTM,
        }
        for y, (words, color) in zip((3, 2, 1, 0), rows.items(), strict=True):
            below.text(0.005, y + 0.42, words, color=color, va="center", size=9)
        below.plot(result.shuffled, np.full(SHUFFLES, 3), "|", color=plots.MUTED, label="shuffled")
        marks = [
            below.plot([], [], "o", color=color, markersize=8, label=words)[0]
            for words, color in list(rows.items())[1:]
        ]
        values = [below.text(0, y, "", va="center", weight="bold") for y in (2, 1, 0)]

    @interact(
        fig,
        name="tracking-cell",
        alt="Four lines of text. Behind each symbol a tile, blue where the cell is high and orange "
        "where it is low; under it a line, high where the feature is. Below, four correlations.",
        feature=Control({name: k for k, name in enumerate(result.names)}),
        network=["trained", "untrained"],
    )
    def update(feature: int = result.best()[1], network: str = "trained") -> str:
        unit, own = (result.best_cells(name)[feature] for name in (network, "trained"))
        sign = np.sign(result.searched[network][unit, feature])
        tiles.show(
            sign * cells[network][:, unit], np.c_[column - 0.5, line - 0.22], width=1.0, height=0.5
        )
        high = tracked[:, feature] / max(tracked[:, feature].max(), 1)
        ends = np.flatnonzero(column == WIDTH - 1) + 1
        feature_line.set_data(
            np.insert(column.astype(float), ends, np.nan),
            np.insert(line - 0.5 + 0.22 * high, ends, np.nan),
        )
        title.set_text(result.names[feature])
        whose.set_text(f"cell {unit}, {network}")
        found_r = (
            best_tested(result, "untrained")[feature],
            abs(result.searched["trained"][own, feature]),
            best_tested(result, "trained")[feature],
        )
        for mark, text, r, y in zip(marks, values, found_r, (2, 1, 0), strict=True):
            mark.set_data([r], [y])
            text.set(x=r + 0.03, text=f"{r:.2f}")
        return (
            f"“{result.names[feature]}”: of {len(result.searched['trained'])} cells number {own} "
            f"goes best with it, correlation {found_r[1]:.2f} on the half that was searched and "
            f"{found_r[2]:.2f} on the other; untrained, the best has {found_r[0]:.2f}. Where there "
            f"is nothing to find a search finds up to {result.shuffled.max():.2f}."
        )

    return update
