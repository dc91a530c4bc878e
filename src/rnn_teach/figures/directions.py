"""Chapter 13's live figures of what can be known: which inputs reach an output, in a drawing and in trained networks."""

from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection

from .. import plots
from ..bidirectional import Bidirectional
from ..bptt import Network, predict
from ..cells import RNN
from ..live import Control, LiveFigure, interact
from .around import Around, Reader
from .connectivity import scores
from .gap import COLORS, PASSAGE, pointer, sentence
from .language import SHOWN

WORD = "memory"
ASKED = {"a label for letter t": "label", "the hidden letter t": "hidden", "letter t + 1": "next"}
REACH, WINDOWS = 20, 200  # letters to either side, and pieces of the held-out text, for the mean
LOWEST = 1e-5


# Measured -------------------------------------------------------------------------------------


def paths(t: int, asked: str) -> dict[str, np.ndarray]:
    """How y_t, t = 0 … 5, depends on each state and input of two untrained layers of three units.

    The states beside letter t are read if it is "hidden", else u_t and v_t.
    Returns norms (6,) by name: "u", "v" and "x", each in the order of the letters.
    """
    rng = np.random.default_rng(13)
    parts = {"forward": RNN(1, 3, rng=rng), "backward": RNN(1, 3, rng=rng)}
    layer = Around(**parts) if asked == "hidden" else Bidirectional(*parts.values())
    trace = layer.forward(rng.normal(size=(len(WORD), 1, 1)))
    dh = np.zeros_like(trace.h)
    dh[t] = 1
    grads = layer.backward(trace, dh)
    reached = {"u": grads["forward.h"], "v": grads["backward.h"][::-1], "x": grads["x"]}
    return {name: np.linalg.norm(g[:, 0], axis=1) for name, g in reached.items()}


def shares(network: Network, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """How much of what moves the symbol that sequence n expects at step rows[n] is in each input.

    The size of the derivative of that symbol's score by x_s, over the sum of these for all s.
    Arguments: x (T, N, K); rows (N,). Returns (T, N), each column adds up to 1.
    """
    y, trace = predict(network, x.astype(np.float32))
    n = np.arange(x.shape[1])
    dh = np.zeros_like(trace.h)
    dh[rows, n] = scores(network)[:, y[rows, n].argmax(axis=1)].T
    sizes = np.linalg.norm(network.cell.backward(trace, dh)["x"], axis=2)
    return sizes / sizes.sum(axis=0)


def row_of(network: Network, place: int | np.ndarray) -> int | np.ndarray:
    """The step whose output is asked for the symbol at ``place``: that one, or the one before it.

    A `Bidirectional` layer stands for the network that is asked for the next symbol.
    """
    return place - isinstance(network.cell, Bidirectional)


def in_passage(network: Network, reader: Reader) -> np.ndarray:
    """`shares` in the passage (T, T + 2): row t for the hidden letter t, line ends to both sides."""
    vocabulary, T = reader.data.vocabulary, len(PASSAGE)
    x = vocabulary.one_hot(vocabulary.encode(f"\n{PASSAGE}\n")[:, None])
    rows = row_of(network, 1 + np.arange(T))
    return shares(network, np.repeat(x, T, axis=1), rows).T


def by_distance(network: Network, reader: Reader) -> np.ndarray:
    """The mean of `shares` over 200 pieces of held-out text: (41,), 20 before to 20 behind the gap."""
    codes = reader.data.vocabulary.encode(reader.data.held_out)
    starts = np.linspace(0, len(codes) - 2 * REACH - 1, WINDOWS).astype(int)
    x = reader.data.vocabulary.one_hot(codes[starts + np.arange(2 * REACH + 1)[:, None]])
    return shares(network, x, row_of(network, np.full(WINDOWS, REACH))).mean(axis=1)


# Shown ----------------------------------------------------------------------------------------


def two_readings() -> LiveFigure:
    """Two layers read a word, one from each end: what reaches the output at step t, and what does not."""
    T, s = len(WORD), np.arange(len(WORD))
    left, right = s - 0.2, s + 0.2  # u stands a little to the left, v to the right
    steps = [[(a, 1), (b, 1)] for a, b in pairwise(left)]
    steps += [[(a, 2), (b, 2)] for a, b in pairwise(right)]
    upward = [
        [(k, 0.28), (at, y)] for y, row in ((1, left), (2, right)) for k, at in enumerate(row)
    ]
    side = [*[COLORS["forward"]] * T, *[COLORS["backward"]] * T]  # of what leads up, then along
    side += [*[COLORS["forward"]] * (T - 1), *[COLORS["backward"]] * (T - 1)]
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.5))
        ax.set(xlim=(-1.75, T - 0.4), ylim=(-0.62, 3.45))
        ax.axis("off")
        title = ax.set_title("x")
        wires = ax.add_collection(LineCollection(upward + steps, zorder=1))
        reads = ax.add_collection(LineCollection([], color=plots.INK, zorder=1))
        heads = [
            ax.scatter((row[1:] if step > 0 else row[:-1]) - 0.2 * step, np.full(T - 1, y),
                       marker=marker, s=45, linewidth=0, zorder=2)
            for row, y, step, marker in ((left, 1, 1, ">"), (right, 2, -1, "<"))
        ]  # fmt: skip
        nodes = {
            name: ax.scatter(row, np.full(T, y), s=170, edgecolor=plots.INK, zorder=3)
            for name, row, y in (("u", left, 1), ("v", right, 2))
        }
        output = ax.scatter([0], [3], s=170, color=plots.INK, zorder=3)
        ring = ax.scatter([0], [0], s=330, marker="s", facecolor="none", edgecolor=plots.RNN)
        ring.set_linewidth(2)
        letters = [ax.text(k, 0, c, ha="center", va="center", size=13) for k, c in enumerate(WORD)]
        for y, text in ((0, "x, inputs"), (1, "u, forward"), (2, "v, backward"), (3, "y, output")):
            ax.text(-1.75, y, text, va="center")
        ring_text = ax.text(0, -0.5, "the answer", color=plots.RNN, ha="center", va="center")

    @interact(
        fig,
        name="two-readings",
        alt="Six letters, above them a row of states with arrows to the right and a row with arrows "
        "to the left, and one output. What reaches the output is solid, all else pale.",
        t=Control(range(1, T + 1), kind="slider"),
        asked=Control(ASKED, "asked for"),
    )
    def update(t: int = 3, asked: str = "label") -> tuple[str, dict[str, list[str] | np.ndarray]]:
        at, size = t - 1, paths(t - 1, asked)
        lit = {name: values > 0 for name, values in size.items()}
        for name, color in (("u", COLORS["forward"]), ("v", COLORS["backward"])):
            nodes[name].set_facecolor(np.where(lit[name], color, plots.SOFT))
        along = lit["u"][1:], lit["v"][:-1]  # an arrow leads somewhere if its end does
        for dots, on, color in zip(heads, along, COLORS.values(), strict=False):
            dots.set_facecolor(np.where(on, color, plots.GRID))
        on = np.r_[lit["u"], lit["v"], *along]
        wires.set_color(np.where(on, side, plots.GRID))
        aside = asked == "hidden"
        used = [(left[at - aside], 1)] if at - aside >= 0 else []
        used += [(right[at + aside], 2)] if at + aside < T else []
        reads.set_segments([[start, (at, 3)] for start in used])
        output.set_offsets([(at, 3)])
        for letter, reached in zip(letters, lit["x"], strict=True):
            letter.set_color(plots.INK if reached else plots.MUTED)
        answer = {"label": None, "hidden": at, "next": t if t < T else None}[asked]
        for artist in (ring, ring_text):
            artist.set_visible(answer is not None)
        ring.set_offsets([(answer or 0, 0)])
        ring_text.set_x(answer or 0)
        seen = "".join(c if reached else "?" for c, reached in zip(WORD, lit["x"], strict=True))
        title.set_text(f"y{chr(0x2080 + t)} can know: {seen}")
        if asked == "label":
            verdict = "The label is not among the inputs, so nothing is given away."
        elif answer is None:
            verdict = "There is no next letter, and nothing to copy."
        elif lit["x"][answer]:
            verdict = f"The answer, “{WORD[answer]}”, is among them: it leaks."
        else:
            verdict = f"The answer, “{WORD[answer]}”, is not among them."
        sentence = (
            f"The output at step {t} depends on {lit['x'].sum()} of 6 letters: {seen}. {verdict}"
        )
        return sentence, {
            "letter": list(WORD),
            "size of ∂yₜ/∂x": size["x"],
            "∂yₜ/∂u": size["u"],
            "∂yₜ/∂v": size["v"],
        }

    return update


def which_inputs(readers: dict[str, Reader]) -> LiveFigure:
    """Hide a letter: on which letters of the sentence does each network's guess depend?"""
    colors = COLORS | {"next symbol": plots.RNN}
    passage, mean = {}, {}
    for name, reader in readers.items():
        for trained in (True, False):
            model = reader.trained if trained else reader.untrained
            passage[name, trained] = in_passage(model, reader)
            mean[name, trained] = by_distance(model, reader)
    distance = np.arange(-REACH, REACH + 1)
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 5.2), height_ratios=(5, 4))
        title = top.set_title("x")
        place = sentence(top, {"trained": plots.INK, "untrained": plots.MUTED})
        bars = {
            trained: top.plot([], [], color=plots.MUTED, linewidth=7, solid_capstyle="butt")[0]
            for trained in (True, False)
        }
        bottom.set(xlim=(-REACH - 1, REACH + 1), title="Mean over the held-out text")
        bottom.set_xlabel("place of the letter, counted from the hidden one")
        plots.log_axis(bottom, LOWEST, 1, decades=1)
        bottom.axvline(0, color=plots.GRID, linewidth=7, zorder=0)
        lines = {
            True: bottom.plot([], [], "o-", markersize=4, label="trained")[0],
            False: bottom.plot([], [], "o:", markersize=3, color=plots.MUTED, label="untrained")[0],
        }
        nothing = bottom.text(0, 1e-2, "exactly 0", color=plots.MUTED, ha="center", va="center")

    @interact(
        fig,
        name="which-inputs",
        group="passage",
        alt="A sentence with one letter hidden; under each letter a bar for its share in what moves "
        "the network's guess, trained and untrained. Below, the mean share by distance.",
        at=pointer(place),
        network=list(readers),
    )
    def update(at: int = 22, network: str = "forward") -> tuple[str, dict[str, np.ndarray]]:
        place.point_at(at)
        title.set_text(f"{network[0].upper()}{network[1:]}: the guess depends on …")
        for track, (trained, line) in enumerate(bars.items()):
            here = passage[network, trained][at]
            line.set_data(*place.bars(here[1:-1] / here.max(), track, 0.85))
            shown = mean[network, trained]
            lines[trained].set_data(distance, np.where(shown > 0, shown, np.nan))
        for artist in (bars[True], lines[True]):
            artist.set_color(colors[network])
        empty = [side for side in (-1, 1) if not mean[network, True][side * distance > 0].any()]
        nothing.set_visible(bool(empty))
        nothing.set_x(REACH / 2 * sum(empty))
        here = passage[network, True][at]
        before, itself, behind = here[: at + 1].sum(), here[at + 1], here[at + 2 :].sum()
        sentence = (
            f"Letter {at + 1} is hidden. Of what moves the guess of “{network}”, {before:.0%} lies "
            f"before it, {behind:.0%} behind it, and {itself:.0%} is the letter itself"
            f"{': it sees its answer.' if itself else '.'}"
        )
        return sentence, {
            "letter": [SHOWN.get(s, s) for s in PASSAGE],
            "trained": here[1:-1],
            "untrained": passage[network, False][at, 1:-1],
        }

    return update
