"""Chapter 13's live figures of a text with a gap: what is put into it, and from which letters it comes."""

from __future__ import annotations

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from .. import plots
from ..live import Control, LiveFigure, interact
from .around import Reader, counted, everything_said, loss, probabilities, right
from .language import SHOWN

PASSAGE = "mutable sequences can be changed after they are created."  # a held-out sentence
FIRST_ROW = 33  # characters, a space the last
COLORS = {"forward": plots.GOLD, "backward": plots.ACCENT, "both": plots.INK}
BEST = 3  # guesses that are shown of each


class Sentence(NamedTuple):
    """The passage as it stands in a picture, in two rows, with room for bars below each letter."""

    place: np.ndarray  # (T, 2), each letter's x and y
    columns: list[Rectangle]  # what a reader points at
    shade: Rectangle  # behind the bars of the hidden letter
    cover: Rectangle  # over the letter itself
    mark: Text

    def point_at(self, at: int) -> None:
        """Hide the letter ``at`` behind a question mark."""
        x, y = self.place[at]
        self.shade.set_x(x - 0.5)
        self.shade.set_y(self.columns[at].get_y())
        self.cover.set_xy((x - 0.5, y - 0.6))
        self.mark.set_position((x, y))

    def bars(self, values: np.ndarray, track: int, tall: float) -> tuple[np.ndarray, np.ndarray]:
        """Points of one line that draws a bar for each value (T,), standing below the letters."""
        x, floor = self.place[:, 0], self.place[:, 1] - 1.7 - track
        top = floor + tall * values
        return np.repeat(x, 3), np.c_[floor, top, np.full(len(x), np.nan)].ravel()


def sentence(ax: Axes, tracks: dict[str, str]) -> Sentence:
    """Write the passage, and below each row a base line for each track, a name with its color."""
    k = np.arange(len(PASSAGE))
    second, height = k >= FIRST_ROW, 2.5 + len(tracks)
    place = np.c_[k - FIRST_ROW * second, np.where(second, 0, height)]
    ax.set(xlim=(-6.6, FIRST_ROW - 0.3), ylim=(-1 - len(tracks), height + 0.8))
    ax.axis("off")
    columns = [
        ax.add_patch(Rectangle((x - 0.5, y - height + 1.7), 1, height - 1.1, alpha=0))
        for x, y in place
    ]
    for (x, y), symbol in zip(place, PASSAGE, strict=True):
        ax.text(x, y, symbol, ha="center", va="center", size=11)
    shade = ax.add_patch(Rectangle((0, 0), 1, height - 1.1, color=plots.GRID, zorder=0))
    cover = ax.add_patch(Rectangle((0, 0), 1, 1.2, color=plots.GRID, zorder=4))
    mark = ax.text(0, 0, "?", ha="center", va="center", size=11, weight="bold", zorder=5)
    for track, (name, color) in enumerate(tracks.items()):
        for y in sorted(set(place[:, 1])):
            ends, floor = place[place[:, 1] == y, 0][[0, -1]] + [-0.5, 0.5], y - 1.7 - track
            ax.plot(ends, [floor, floor], color=color, linewidth=0.8)
            ax.text(-0.9, floor + 0.35, name, color=color, ha="right", va="center", size=10)
    return Sentence(place, columns, shade, cover, mark)


def pointer(place: Sentence) -> Control:
    """A slider over the letters of the passage, which can be pointed at, too."""
    shown = {f"{k + 1}, {SHOWN.get(s, s)}": k for k, s in enumerate(PASSAGE)}
    return Control(shown, "letter", kind="slider", artists=place.columns)


def gap(readers: dict[str, Reader]) -> LiveFigure:
    """Hide a letter of a sentence: what each network puts there, and how it does on the whole text."""
    data = readers["both"].data
    shown = [SHOWN.get(symbol, symbol) for symbol in data.vocabulary.symbols]
    target = data.vocabulary.encode(PASSAGE)
    x = data.vocabulary.one_hot(data.vocabulary.encode(f"\n{PASSAGE}\n")[:, None])
    said = {name: probabilities(r.trained, x)[1:-1, 0] for name, r in readers.items()}
    often = counted(data)["most frequent"][0, 0]
    everywhere, asked = everything_said(readers), data.measured.x.argmax(axis=2)
    blocks = {"most frequent": np.tile(often, (len(PASSAGE), 1))} | said
    colors = dict.fromkeys(["most frequent", "both neighbors"], plots.MUTED) | COLORS
    with plots.style():
        fig, (top, middle, bottom) = plt.subplots(
            3, figsize=(5.2, 5.6), height_ratios=(6, 2.5, 3.5)
        )
        top.set_title("Probability of each letter when it is hidden")
        place = sentence(top, COLORS)
        for track, (name, p) in enumerate(said.items()):
            of_letters = p[np.arange(len(PASSAGE)), target]
            top.plot(
                *place.bars(of_letters, track, 0.85),
                color=COLORS[name], linewidth=7, solid_capstyle="butt",
            )  # fmt: skip
            floor = place.place[:, 1] - 1.7 - track
            top.plot(
                place.place[:, 0], floor + 0.85 * often[target], "_", color=plots.RNN, markersize=6
            )
        top.text(FIRST_ROW - 0.5, -2.6, "‒ how often", color=plots.RNN, ha="right")
        top.text(FIRST_ROW - 0.5, -3.5, "it is used", color=plots.RNN, ha="right")

        middle.set(xlim=(0, 3.9), ylim=(-2.5, 1.1))
        middle.axis("off")
        middle.set_title("What each puts into the gap, solid: the right one")
        for column, name in enumerate(blocks):
            middle.text(column, 0.7, name, color=colors[name], weight="bold", va="center")
        style = {"linewidth": 9, "solid_capstyle": "butt"}
        wrong, hit, guesses, shares = {}, {}, {}, {}
        for column, name in enumerate(blocks):
            (wrong[name],) = middle.plot([], [], color=colors[name], alpha=0.35, **style)
            (hit[name],) = middle.plot([], [], color=colors[name], **style)
            rows = [(column, -k) for k in range(BEST)]
            guesses[name] = [middle.text(x, y, "", va="center") for x, y in rows]
            shares[name] = [middle.text(x + 0.88, y, "", va="center", ha="right") for x, y in rows]

        bottom.set(xlim=(-1.35, 4.4), ylim=(0.7 - len(everywhere), 0.6))
        bottom.axis("off")
        bottom.set_title("Loss on the whole held-out text, nats per symbol")
        for k, (name, p) in enumerate(everywhere.items()):
            nats, hits = loss(p, asked), right(p, asked).mean()
            bottom.barh(-k, nats, 0.62, color=colors[name], label=name)
            bottom.text(-0.06, -k, name, color=colors[name], va="center", ha="right")
            bottom.text(nats + 0.06, -k, f"{nats:.2f}, {hits:.0%} right", va="center")

    @interact(
        fig,
        name="gap",
        group="passage",
        alt="A sentence with one letter hidden; under each letter a bar for the probability that "
        "the forward, the backward and the network that reads from both sides give it. Below, what "
        "each puts into the gap, and bars for their loss over the whole text.",
        at=pointer(place),
    )
    def update(at: int = 22) -> tuple[str, dict[str, list[str] | np.ndarray]]:
        place.point_at(at)
        first, given = {}, {}
        for column, (name, rows) in enumerate(blocks.items()):
            p = rows[at]
            best = np.argsort(-p, kind="stable")[:BEST]
            found = best == target[at]
            for line, kept in ((wrong[name], ~found), (hit[name], found)):
                k, start = np.flatnonzero(kept), np.full(kept.sum(), column + 0.13)
                ends = np.c_[start, start + 0.42 * p[best[kept]], 0 * start + np.nan]
                line.set_data(ends.ravel(), np.repeat(-k, 3))
            for k, symbol in enumerate(best):
                guesses[name][k].set_text(shown[symbol])
                shares[name][k].set_text(f"{p[symbol]:.0%}")
            first[name], given[name] = shown[best[0]], f"{p[target[at]]:.0%}"
        answer = shown[target[at]]
        sentence = (
            f"“{PASSAGE[:at]}?{PASSAGE[at + 1 :]}” hides “{answer}”. To “{answer}” the forward "
            f"network gives {given['forward']}, the backward one {given['backward']}, both together "
            f"{given['both']}; how often it is used, {given['most frequent']}. They would write "
            f"“{first['forward']}”, “{first['backward']}” and “{first['both']}”."
        )
        return sentence, {"symbol": shown} | {name: rows[at] for name, rows in blocks.items()}

    return update
