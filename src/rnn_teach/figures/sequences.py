"""Chapter 01's sequences: what their order tells, how far they reach, and a live figure of their shapes."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..bptt import Network, Readout
from ..cells import RNN
from ..deep import Dense
from ..live import Control, LiveFigure, interact
from ..seq2seq import EncoderDecoder
from ..tasks import given_names, sunspots

LENGTHS = range(3, 9)
H = 16
SIZES = {  # D and K of each shape; with letters they are the symbols there are
    "one to one": (1, 1),
    "one to many": (2, 27),
    "many to one": (27, 2),
    "many to many, aligned": (37, 37),
    "encoder-decoder": (27, 27),
}
PAIRS = {  # two names of one root, both in the lists
    3: ("leo", "leona"),
    4: ("paul", "pauline"),
    5: ("brian", "brianna"),
    6: ("george", "georgina"),
    7: ("michael", "michelle"),
    8: ("theodore", "theodora"),
}
END = "↵"
COLORS = {"W_x": plots.GRU, "W_h": plots.RNN, "W_y": plots.LSTM, "V_x": plots.GOLD}
COLORS |= {"V_h": plots.ACCENT}  # V: the decoder's own weights


# Order and distance --------------------------------------------------------------------------


def same_letters() -> list[list[str]]:
    """The given names that are spelled with the same letters, in groups of two or more.

    >>> next(group for group in same_letters() if "dean" in group)
    ['edna', 'dena', 'dean', 'neda', 'enda', 'dane']
    """
    groups = defaultdict(list)
    for name in given_names():
        groups["".join(sorted(name))].append(name)
    return [names for names in groups.values() if len(names) > 1]


def bracket_distances(text: str) -> np.ndarray:
    """How many characters each ")" of the text stands behind its "(".

    >>> bracket_distances("f(a, (b)) ()")
    array([2, 7, 1])
    """
    opened, distances = [], []
    for place, character in enumerate(text):
        if character == "(":
            opened.append(place)
        elif character == ")":
            distances.append(place - opened.pop())
    return np.array(distances)


# Shapes ---------------------------------------------------------------------------------------


class Example(NamedTuple):
    """A piece of the package's data, step by step: "" where nothing is read or said."""

    inputs: list[str]
    outputs: list[str]
    encoded: int = 0  # the steps that belong to an encoder


def example(shape: str, T: int) -> Example:
    """Real data with ``T`` inputs or, where there is one input, ``T`` outputs.

    >>> example("many to one", 3)
    Example(inputs=['j', 'o', 'e'], outputs=['', '', 'male'], encoded=0)
    """
    blank = [""] * (T - 1)
    if shape == "one to one":
        return Example(*([f"{number:.1f}"] for number in sunspots()[1][-2:]))
    if shape == "one to many":
        return Example(["female", *blank], list(most_frequent("female", T)))
    if shape == "many to one":
        return Example(list(most_frequent("male", T)), [*blank, "male"])
    if shape == "many to many, aligned":
        return Example(list("statement"[:T]), list("statement"[1 : T + 1]))
    question, answer = PAIRS[T]
    return Example([*question, END, *answer], [*blank, "", *answer, END], encoded=T)


@cache  # the lists are long
def most_frequent(kind: str, length: int) -> str:
    """The most frequent given name of that many letters."""
    return next(name for name in given_names(kind) if len(name) == length)


@cache
def network(shape: str) -> Network | EncoderDecoder:
    """A network of 16 units for the shape; "one to one" has no use for a recurrent layer."""
    rng, (D, K) = np.random.default_rng(1), SIZES[shape]
    layer = Dense(D, H, rng=rng) if shape == "one to one" else RNN(D, H, rng=rng)
    readout = Readout(H, K, rng=rng)
    if shape == "encoder-decoder":
        return EncoderDecoder(layer, RNN(K, H, rng=rng), readout, end=0)
    return Network(layer, readout)


def size(part: Network | EncoderDecoder | RNN | Dense | Readout) -> int:
    """The number of parameters.

    >>> size(RNN(2, 3, rng=np.random.default_rng(0)))  # 2·3 + 3·3 + 3
    18
    """
    return sum(p.size for p in part.parameters.values())


def size_unshared(shape: str, T: int) -> int:
    """The number of parameters if every step of the example had a layer and a readout of its own."""
    net, (_, outputs, encoded) = network(shape), example(shape, T)
    decoder = net.decoder if shape == "encoder-decoder" else net.cell
    layers = (len(outputs) - encoded) * size(decoder)
    if encoded:
        layers += encoded * size(net.encoder)
    return layers + sum(output != "" for output in outputs) * size(net.readout)


def story(shape: str, T: int) -> str:
    """What is read and said in the example, in words."""
    inputs, outputs, encoded = example(shape, T)
    read, said = "".join(inputs), "".join(outputs)
    if shape == "one to one":
        return f"the sunspot number of 2007, {read}, is read and that of 2008, {said}, said"
    if shape == "one to many":
        return f"“{read}” is read once, and a name is said, letter by letter: “{said}”"
    if shape == "many to one":
        return f"the letters of “{read}” are read, and one answer is given at the end: {said}"
    if shape == "many to many, aligned":
        return f"at each letter of “{read}” the next one is said: “{said}”"
    return (
        f"all of “{read[:encoded]}” is read, then “{said.rstrip(END)}” is said, and its end {END}"
    )


def arrow(start: tuple[float, float], tip: tuple[float, float]) -> list[tuple[float, float]]:
    """The points of an arrow to the right or up; it ends in a gap, so that a line can hold many."""
    (x, y), up, gap = tip, start[0] == tip[0], (np.nan, np.nan)
    barbs = [(x - 0.2, y - 0.09), (x + 0.2 if up else x - 0.2, y - 0.09 if up else y + 0.09)]
    return [start, tip, gap, barbs[0], tip, barbs[1], gap]


def shapes() -> LiveFigure:
    """The unrolled graph of each shape with real data on it, and the parameters against T."""
    most = max(len(example("encoder-decoder", T).inputs) for T in LENGTHS)
    with plots.style():
        fig, (ax, below) = plt.subplots(2, figsize=(5.2, 4.4), height_ratios=(3, 2))
        ax.set(xlim=(-1.4, most - 0.4), ylim=(-0.3, 2.4))
        ax.set_axis_off()
        title = ax.set_title("")
        for row, letter in enumerate("xhy"):
            ax.text(-1.2, row, letter, style="italic", va="center", color=plots.MUTED)
        arrows, names = {}, {}
        for k, (name, color) in enumerate(COLORS.items()):
            (arrows[name],) = ax.plot([], [], color=color, linewidth=1.6)
            at = (0.56 + 0.11 * k, 1.04)
            names[name] = ax.text(*at, name, color=color, ha="right", transform=ax.transAxes)
        look = {"markersize": 10, "markerfacecolor": plots.SOFT, "markeredgecolor": plots.INK}
        (states,) = ax.plot([], [], "o", **look)
        letters = [
            [ax.text(0, row, "", ha="center", va="center", size=11) for _ in range(most)]
            for row in (0, 2)
        ]
        below.set(xlim=(0.7, 8.3), ylim=(0, 18_000), xlabel="T, steps", xticks=range(1, 9))
        below.set_yticks([0, 5000, 10_000, 15_000], ["0", "5,000", "10,000", "15,000"])
        below.set_title("Parameters")
        (unshared,) = below.plot(
            [], [], "--", color=plots.INK, linewidth=1.5, label="own at each step"
        )
        (shared,) = below.plot([], [], color=plots.RNN, label="shared")
        (unshared_now,) = below.plot([], [], "o", color=plots.INK)
        (shared_now,) = below.plot([], [], "o", color=plots.RNN)
        place = {"ha": "right", "transform": below.transAxes}
        shared_text = below.text(0.56, 1.05, "", color=plots.RNN, **place)
        unshared_text = below.text(1, 1.05, "", color=plots.INK, **place)

    @interact(
        fig,
        name="shapes",
        alt="Above, a network unrolled over an example, inputs x below, states h in the middle, "
        "outputs y above; arrows of one color have the same weights. Below, the parameters "
        "against the length: a level line for shared weights, a rising one for unshared.",
        shape=list(SIZES),
        T=Control(list(LENGTHS), label="length T", kind="slider"),
    )
    def update(shape: str = "many to one", T: int = 5) -> str:
        inputs, outputs, encoded = example(shape, T)
        steps = len(inputs)
        gap = min(2, (most - 1) / max(steps - 1, 1))  # short sequences are spread out
        x = (most - 1) / 2 + gap * (np.arange(steps) - (steps - 1) / 2)
        for texts, row in zip(letters, (inputs, outputs), strict=True):
            for text in texts:
                text.set_text("")
            for text, place, symbol in zip(texts, x, row, strict=False):
                text.set(text=symbol, x=place)
        drawn = {name: [] for name in COLORS}
        for k, at in enumerate(x):
            own = "V" if encoded and k >= encoded else "W"
            if inputs[k]:
                drawn[f"{own}_x"] += arrow((at, 0.25), (at, 0.72))
            if outputs[k]:
                drawn["W_y"] += arrow((at, 1.23), (at, 1.7))
            if k:
                drawn[f"{own}_h"] += arrow((at - gap + 0.3, 1), (at - 0.32, 1))
        for name, points in drawn.items():
            arrows[name].set_data(*np.reshape(points, (-1, 2)).T)
            names[name].set_visible(bool(points))
        states.set_data(x, np.ones(steps))
        title.set_text(shape.capitalize())
        lengths = np.array([1] if shape == "one to one" else LENGTHS)
        many, one = [size_unshared(shape, t) for t in lengths], size(network(shape))
        now = int(lengths[0] if len(lengths) == 1 else T)
        many_now = size_unshared(shape, now)
        unshared.set_data(lengths, many)
        shared.set_data(lengths, [one] * len(lengths))
        unshared_now.set_data([now], [many_now])
        shared_now.set_data([now], [one])
        shared_text.set_text(f"━ shared: {one:,}")
        unshared_text.set_text(f"┅ own at each step: {many_now:,}")
        told = f"{shape.capitalize()}: {story(shape, T)}."
        if shape == "one to one":
            return f"{told} There is one step and nothing to remember: {one} parameters."
        return (
            f"{told} The network has {one:,} parameters at every T; with weights of its own "
            f"for each step it would have {many_now:,} at T = {T}."
        )

    return update
