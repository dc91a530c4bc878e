"""Chapter 17's first figure: the same recurrent matrix as two programs keep it, block by block."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from .. import plots
from ..cells import GRU, LSTM, RNN, Layer
from ..convert import keras, layout, onnx, to_keras, to_onnx, to_torch
from ..live import Control, LiveFigure, interact

D, H = 2, 3
CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
OURS = "this book"
PROGRAMS = (OURS, "PyTorch", "Keras", "ONNX")
COLORS = {"i": plots.LSTM, "f": plots.RNN, "o": plots.GRU, "r": plots.RNN, "z": plots.GRU}
COLORS |= dict.fromkeys("gn", plots.ACCENT)  # the candidates
THEIRS = str.maketrans("gn", "ch")  # what Keras and ONNX call our candidates


# Computed -------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """How a program keeps a layer."""

    gates: str  # as they stand, in our letters
    letters: str  # the same in its own
    tall: bool  # whether its matrices are ours transposed
    matrix: np.ndarray  # the recurrent one: (H, G H), or (G H, H) if tall
    biases: np.ndarray  # a row for each bias a gate has (count, G H), nan where one is missing
    shapes: dict[str, tuple[int, ...]]  # of its arrays, by their names there


@cache
def layer(cell: str) -> Layer:
    """An RNN, LSTM or GRU with 2 inputs and 3 units, in which no number is 0."""
    rng = np.random.default_rng(3)
    made = CELLS[cell](D, H, rng=rng)
    for p in made.parameters.values():
        p[...] = rng.uniform(0.1, 1, p.shape) * rng.choice([-1, 1], p.shape)
    return made


@cache
def kept(cell: str, program: str) -> Kept:
    """The layer as ``program`` keeps it, by ``rnn_teach.convert``.

    >>> kept("LSTM", "ONNX").letters, kept("LSTM", "ONNX").matrix.shape
    ('iofc', (12, 3))
    """
    ours = layer(cell)
    gates = layout.GATES[type(ours)]
    if program == OURS:
        arrays, biases = ours.parameters, ours.b[None]
        if cell == "GRU":
            biases = np.stack([ours.b, np.r_[np.full(2 * H, np.nan), ours.b_hn]])
        matrix = ours.W_h
    elif program == "PyTorch":
        arrays = to_torch(ours)
        _, matrix, *biases = arrays.values()
    elif program == "Keras":
        arrays = dict(zip(keras.NAMES, to_keras(ours), strict=True))
        gates = keras.GATES[type(ours)]
        _, matrix, biases = arrays.values()
    else:
        arrays = to_onnx(ours)[1]
        gates = onnx.GATES[type(ours)]
        matrix, biases = arrays["R"][0], np.split(arrays["B"][0], 2)
    letters = gates.translate(THEIRS) if program in ("Keras", "ONNX") else gates
    tall, shapes = program in ("PyTorch", "ONNX"), {name: a.shape for name, a in arrays.items()}
    return Kept(gates, letters, tall, matrix, np.atleast_2d(biases), shapes)


# Shown ----------------------------------------------------------------------------------------

LEVELS, GAP, APART = 4, 0.35, 0.85  # shades of a cell; between two blocks; from bias to bias
WIDE, TALL = (-0.7, 18.7), (-3.3, 21.6)  # the picture's limits
MIDDLE, LEFT, RIGHT = 9.0, 2.45, 12.55  # of the picture; where a tall matrix begins
TILES = (plots.LSTM, plots.RNN, plots.GRU, plots.ACCENT)
Box = tuple[float, float, float, float]  # left, bottom, width, height
Tile = tuple[str, int]  # a color and its shade


class _Side:
    """One program's matrix and biases, at the top or the left; or, ``second``, bottom or right."""

    def __init__(self, ax: Axes, second: bool) -> None:
        self.sign = -1 if second else 1  # which way out of the picture is
        self.boxes: dict[Tile, list[Box]] = {}
        (self.dots,) = ax.plot([], [], "o", color=plots.INK, markersize=3.5)
        self.letters = [
            ax.text(0, 0, "", weight="bold", size=11, ha="center", va="center") for _ in range(4)
        ]
        self.name = ax.text(0, 0, "", color=plots.MUTED, ha="center", va="center")

    def show(self, program: str, side: Kept, other_tall: bool) -> dict[str, np.ndarray]:
        """Place it, its tiles in ``boxes``; return where each gate's wire meets its block."""
        tall, out, G = side.tall, self.sign, len(side.gates)
        left, top, long = self._corner(tall, other_tall, G)
        self.boxes, dots, ends = {}, [], {}

        def tile(gate: str, value: float, *box: float) -> None:
            level = min(int(abs(value) * LEVELS), LEVELS - 1)
            self.boxes.setdefault((COLORS[gate], level), []).append(box)

        beyond = 0.3 + APART * len(side.biases) + 0.45  # from the matrix to the letters
        for k, gate in enumerate(side.gates):
            along, part = k * (H + GAP), slice(k * H, (k + 1) * H)
            x, y = (left, top - along) if tall else (left + along, top)
            block = side.matrix[part] if tall else side.matrix[:, part]
            for (row, column), value in np.ndenumerate(block):
                tile(gate, value, x + column, y - row - 1, 1, 1)
            for j, bias in enumerate(side.biases):
                away = 0.3 + j * APART
                for place, value in enumerate(bias[part]):
                    if np.isnan(value):
                        continue
                    if tall:
                        at = x - away - 0.7 if out > 0 else x + H + away
                        tile(gate, value, at, y - place - 1, 0.7, 1)
                    else:
                        at = y + away if out > 0 else y - H - away - 0.7
                        tile(gate, value, x + place, at, 1, 0.7)
            # the weight from unit 1 to unit 3 stands in row 1 with us, in column 1 if transposed
            dots.append((x + 0.5, y - H + 0.5) if tall else (x + H - 0.5, y - 0.5))
            middle = np.array([x + H / 2, y - H / 2])
            outward = np.array([-out, 0] if tall else [0, out])
            ends[gate] = middle - (H / 2 + 0.2) * outward
            self.letters[k].set(
                position=middle + (H / 2 + beyond) * outward,
                text=side.letters[k] if G > 1 else "",
                color=COLORS[gate],
            )
        for text in self.letters[G:]:
            text.set_text("")
        self.dots.set_data(*zip(*dots, strict=True))
        above, below = top + 0.7, top - long - 0.7
        if not tall:
            above, below = top + beyond + 1.1, top - H - beyond - 1.1
        across = H if tall else long
        self.name.set(position=(left + across / 2, above if out > 0 else below), text=program)
        return ends

    def _corner(self, tall: bool, other_tall: bool, G: int) -> tuple[float, float, float]:
        """The upper left corner of the matrix, and how long it is."""
        long = G * H + GAP * (G - 1)
        if tall:
            middle = MIDDLE if other_tall else MIDDLE + 3 * self.sign
            return LEFT if self.sign > 0 else RIGHT, middle + long / 2, long
        left = MIDDLE - long / 2
        if other_tall:  # out of its way, so that no wire has to turn back
            left = min(left, 13.5 - long) if self.sign > 0 else max(left, 4.5)
        return left, 16.5 if self.sign > 0 else 4.5, long


def _rectangles(boxes: list[Box]) -> Path:
    """All the boxes as one outline, with a little air between them."""
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
    if not boxes:
        return Path(np.zeros((0, 2)))
    points = [np.add(box[:2], 0.05) + corners * np.subtract(box[2:], 0.1) for box in boxes]
    codes = [Path.MOVETO, *3 * [Path.LINETO], Path.CLOSEPOLY] * len(boxes)
    return Path(np.reshape(points, (-1, 2)), codes)


def _wire(start: np.ndarray, tall: bool, end: np.ndarray, end_tall: bool) -> Path:
    """A curve that leaves and meets a tall matrix sideways, a wide one up and down."""
    if tall != end_tall:
        corner = (end[0], start[1]) if tall else (start[0], end[1])
        return Path([start, corner, end], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    half = (end - start) / 2 * ((1, 0) if tall else (0, 1))
    return Path([start, start + half, end - half, end], [Path.MOVETO] + 3 * [Path.CURVE4])


def gate_layout() -> LiveFigure:
    """The recurrent matrix of one layer in two programs, and which block goes where."""
    with plots.style():
        fig, (ax, below) = plt.subplots(2, figsize=(5.2, 6.1), height_ratios=(5, 1))
        ax.set(xlim=WIDE, ylim=TALL)
        wires = {
            color: ax.add_patch(
                PathPatch(Path([(0, 0)]), facecolor="none", edgecolor=color, linewidth=2)
            )
            for color in TILES
        }
        # each shade is one artist, so that the picture follows the theme
        tiles = {
            (color, level): ax.add_patch(
                PathPatch(_rectangles([]), facecolor=color, alpha=alpha, linewidth=0)
            )
            for color in TILES
            for level, alpha in enumerate((np.arange(LEVELS) + 1) / LEVELS)
        }
        sides = [_Side(ax, second) for second in (False, True)]
        title = ax.set_title(" ")
        for axes in (ax, below):
            axes.axis("off")
        heads, lists = [], []
        for x in (0, 0.54):
            place = {"va": "top", "transform": below.transAxes}
            heads.append(below.text(x, 1, "", weight="bold", **place))
            lists.append(below.text(x, 0.8, "", linespacing=1.35, **place))

    @interact(
        fig,
        name="gate-layout",
        alt="The recurrent matrix of a layer as two programs keep it: blocks of colored cells, one "
        "block a gate, side by side or on top of each other, with strips for the biases, and wires "
        "from each block to its place in the other program.",
        cell=list(CELLS),
        source=Control(PROGRAMS, "from"),
        target=Control(PROGRAMS, "to"),
    )
    def update(
        cell: str = "LSTM", source: str = OURS, target: str = "ONNX"
    ) -> tuple[str, dict[str, list[str] | list[int]]]:
        here, there = kept(cell, source), kept(cell, target)
        starts = sides[0].show(source, here, there.tall)
        ends = sides[1].show(target, there, here.tall)
        for tile, patch in tiles.items():
            boxes = [box for side in sides for box in side.boxes.get(tile, [])]
            patch.set_path(_rectangles(boxes))
        for wire in wires.values():
            wire.set_visible(False)
        for gate, start in starts.items():
            wire = wires[COLORS[gate]]
            wire.set_path(_wire(start, here.tall, ends[gate], there.tall))
            wire.set_visible(True)
        title.set_text(f"{cell}: from {source} to {target}")
        for head, listed, program, side in zip(
            heads, lists, (source, target), (here, there), strict=True
        ):
            head.set_text(program)
            listed.set_text("\n".join(f"{name}  {shape}" for name, shape in side.shapes.items()))
        places = [there.gates.index(gate) + 1 for gate in here.gates]
        moved = sum(place != k for k, place in enumerate(places, start=1))
        blocks = "there is one block"
        if len(places) > 1:
            before, after = " ".join(here.letters), " ".join(there.letters)
            blocks = f"the blocks stand {before} and then {after}: {_number(moved)} of them move"
        turned = "transposed" if here.tall != there.tall else "not transposed"
        sentence = (
            f"{cell}, from {source} to {target}: {blocks}; the matrices are {turned}; "
            f"a gate has {_biases(here)}, and then {_biases(there)}."
        )
        return sentence, {
            "block": [f"W_h of {gate}" if len(places) > 1 else "W_h" for gate in here.gates],
            f"place in {source} (from)": list(range(1, len(places) + 1)),
            f"place in {target} (to)": places,
        }

    return update


def _number(count: int) -> str:
    return ("none", "one", "two", "three", "four")[count]


def _biases(side: Kept) -> str:
    """How many biases a gate has, in words."""
    if np.isnan(side.biases).any():
        return "one bias (n: two)"
    return "one bias" if len(side.biases) == 1 else "two biases"
