"""Chapter 14's live figure of a translation, step by step: what the decoder is given, reads and says."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from .. import plots
from ..live import Control, LiveFigure, interact
from ..problems.numerals import NumberWords
from .inside import Tiles
from .translate import KINDS, STEPS, SYMBOLS, Translators, choices, named, run

UNITS = 16  # in the picture, every second one
ROWS = NumberWords.longest
CONTEXT = -1.7  # height of the row of the context
BAR = 6.0  # width of a weight of 1, in units
TAPE = ("reads", "says", "right", "taught")


def _corners(rows: np.ndarray) -> np.ndarray:
    """The lower left corners of the tiles of these rows."""
    grid = np.meshgrid(np.arange(UNITS) + 0.04, rows - 0.4)
    return np.stack(grid, axis=-1).reshape(-1, 2)


def _segments(left: float, widths: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level bars as one line with gaps."""
    ends = np.c_[np.full(len(rows), left), left + widths, np.full(len(rows), np.nan)]
    return ends.ravel(), np.repeat(rows, 3)


def decode_steps(translators: Translators, *, also: Sequence[int] = ()) -> LiveFigure:
    """One held-out number: what the decoder is given, what it thinks, reads and says at a step.

    ``also``: any held-out numbers, to choose from beside the examples.
    """
    numbers = choices(translators.problem, also)
    runs = {
        (number, kind): run(translators.trained[kind], number)
        for number in numbers
        for kind in KINDS
    }
    with plots.style():
        fig = plt.figure(figsize=(5.2, 5.6), layout="none")  # all places are given
        grid = fig.add_gridspec(
            2, 2, height_ratios=(11, 5), width_ratios=(71, 29), hspace=0.16, wspace=0.09,
            left=0.01, right=0.99, bottom=0.01, top=0.95,
        )  # fmt: skip
        top, right = (fig.add_subplot(grid[0, k]) for k in range(2))
        below = fig.add_subplot(grid[1, :])
        top.set(xlim=(-7, UNITS + BAR + 1), ylim=(CONTEXT - 1.5, ROWS - 0.4))
        top.set_title("The encoder's states")
        top.axis("off")
        memory, context = Tiles(top), Tiles(top)
        words = [top.text(-0.6, ROWS - 1 - k, "", ha="right", va="center") for k in range(ROWS)]
        (outline,) = top.plot([], [], color=plots.INK, linewidth=1.3)
        (weights,) = top.plot(
            [], [], color=plots.ACCENT, linewidth=8, solid_capstyle="butt", label="_weights"
        )
        looked = top.text(UNITS + 0.5, ROWS - 0.3, "weights", color=plots.ACCENT)
        top.text(-0.6, CONTEXT, "context", ha="right", va="center", weight="bold")
        origin = top.text(-6.8, CONTEXT - 1.2, "", va="center", color=plots.MUTED, size=9.5)

        right.set(xlim=(0, 1.04), ylim=(10.6, -0.6))
        right.set_xticks((1 / 11, 0.5, 1), ("guess", "0.5", "1"))
        right.set_yticks(range(11), SYMBOLS)
        right.tick_params(axis="y", length=0, pad=8)
        right.grid(axis="y", visible=False)
        heading = right.set_title(" ")
        right.axvline(1 / 11, linestyle=":", color=plots.MUTED, linewidth=1.5)
        (bars,) = right.plot([], [], color=plots.LSTM, linewidth=10, solid_capstyle="butt")
        (taught,) = right.plot([], [], "D", color=plots.RNN, markersize=4.5, clip_on=False)

        below.set(xlim=(-2.9, STEPS - 0.4), ylim=(3.8, -0.7))
        below.axis("off")
        columns = [
            below.add_patch(Rectangle((k - 0.45, -0.6), 0.9, 4.2, facecolor=plots.GRID, alpha=0))
            for k in range(STEPS)
        ]
        tape = {
            row: [below.text(k, y, "", ha="center", va="center", size=12) for k in range(STEPS)]
            for y, row in enumerate(TAPE)
        }
        titles = ("reads", "says ▬", "right answer", "a teacher\nwould feed ◆")
        colors = (plots.INK, plots.LSTM, plots.INK, plots.RNN)
        for y, (title, color) in enumerate(zip(titles, colors, strict=True)):
            below.text(-0.75, y, title, ha="right", va="center", color=color)

    @interact(
        fig,
        name="decode-steps",
        group="numerals",
        alt="Left, the words of a number, and for each a row of tiles, the encoder's state after it; "
        "below them the context. Right, the decoder's probabilities for the next symbol. Below, what "
        "it has read and said so far, the right answer, and what a teacher would feed.",
        example=Control(named(numbers), "number", kind="select"),
        step=Control(range(1, STEPS + 1), "step", kind="slider", artists=columns),
        network=Control({words: kind for kind, words in KINDS.items()}, "network"),
    )
    def update(
        example: int = numbers[9], step: int = 4, network: str = "none"
    ) -> tuple[str, dict[str, list[str] | np.ndarray]]:
        shown = runs[example, network]
        S, t = len(shown.words), min(step, len(shown.said)) - 1
        rows = ROWS - 1.0 - np.arange(S)
        memory.show(shown.memory[:, ::2].ravel(), _corners(rows), 0.92, 0.8)
        context.show(shown.contexts[t, ::2], _corners(np.array([CONTEXT])), 0.92, 0.8)
        for text, word in zip(words, shown.words + [""] * (ROWS - S), strict=True):
            text.set_text(word)
        attends = shown.weights is not None
        looked.set_visible(attends)
        if attends:
            outline.set_data([], [])
            weights.set_data(*_segments(UNITS + 0.5, BAR * shown.weights[t], rows))
            origin.set_text(f"the mean of all states, by the weights of step {t + 1}")
        else:
            low, high = rows[-1] - 0.5, rows[-1] + 0.5
            outline.set_data([-0.1, UNITS + 0.1, UNITS + 0.1, -0.1, -0.1],
                             [low, low, high, high, low])  # fmt: skip
            weights.set_data([], [])
            origin.set_text("the last state, handed over once, at the start")

        heading.set_text(f"p at step {t + 1}")
        bars.set_data(*_segments(0, shown.p[t], np.arange(11)))
        taught.set_data(shown.p_taught[t], np.arange(11))
        told = {
            "reads": "↵" + shown.said[:t],
            "says": shown.said[: t + 1],
            "right": shown.truth,
            "taught": ("↵" + shown.truth[:-1])[: t + 1],
        }
        expected = {"reads": "↵" + shown.truth, "says": shown.truth}
        for row, texts in tape.items():
            for k, text in enumerate(texts):
                symbol = told[row][k] if k < len(told[row]) else ""
                wrong = row in expected and symbol != (expected[row] + " " * STEPS)[k]
                text.set(text=symbol, color=plots.RNN if wrong and symbol else plots.INK)
        for k, column in enumerate(columns):
            column.set_alpha(0.7 if k == t else 0)

        symbol, ended = shown.said[t], " has ended its answer:" if step > t + 1 else ""
        fed = told["taught"][-1] if t < len(shown.truth) else "↵"
        sentence = (
            f"“{' '.join(shown.words)}”, {KINDS[network]}, step {t + 1}:{ended} it reads "
            f"{told['reads'][-1]} and says {symbol} with probability "
            f"{shown.p[t].max():.2f}; a teacher would feed {fed}, and the right answer is "
            f"{shown.truth[t] if t < len(shown.truth) else 'over'}."
        )
        return sentence, {
            "symbol": list(SYMBOLS),
            "probability": shown.p[t],
            "with a teacher": shown.p_taught[t],
        }

    return update
