"""Chapter 12's races: four ways to be deep and a plain layer, all with as many numbers to learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Polygon

from .. import plots
from ..bptt import Network, bptt, predict
from ..functional import cross_entropy
from ..live import Control, LiveFigure, interact
from ..tasks import Batch, DelayedRecall, baselines, batches
from ..training import Adam, evaluate, fit, linear_decay, orthogonal
from . import deep, language
from .ladders import COLORS
from .layer import count

RUNNERS = ("plain", *deep.WAYS)
DEPTH, SEEDS, MOMENTS = 3, (0, 1, 2), 11


# Trained --------------------------------------------------------------------------------------


class Race(NamedTuple):
    """What the networks learn, all with as many numbers and from the same sequences."""

    title: str
    numbers: int  # the most that a network may have to learn
    updates: int
    rate: float  # the learning rate at the start, falling to 0
    null: str  # what the dashed line is
    ticks: tuple[float, ...]  # of the axis, from its first to its last


RACES = {
    "recall": Race("The first of 30 bits", 2000, 100, 5e-3, "a guess", (1e-4, 1e-3, 0.01, 0.1, 1)),
    "names": Race(
        "The letters of names", 6000, 200, 1e-2, "bigram", (2.1, 2.2, 2.3, 2.4, 2.5, 2.6)
    ),
}
RECALL = DelayedRecall(T=30)


class Course(NamedTuple):
    """A race's sizes, its training sequences, what is measured after each part, and the null."""

    D: int
    K: int
    batches: Iterator[Batch]
    measure: Callable[[Network], float]  # the loss on held-out sequences
    null: float


def course(race: str) -> Course:
    """Made anew for each runner, so that all see the same sequences."""
    rng = np.random.default_rng(12)
    if race == "recall":
        x, target, *_ = RECALL.batch(500, rng=rng)

        def loss(network: Network) -> float:
            last = predict(network, x)[0][-1]
            return float(cross_entropy(last, target, np.full(500, 1 / 500))[0])

        many = batches(RECALL, 32, rng=rng)
        return Course(RECALL.D, RECALL.K, many, loss, RECALL.baseline())
    data = language.names(rng)
    x, target, lengths, _ = data.measured
    null = baselines(data.train, data.held_out, data.vocabulary)["bigram"]
    size = data.vocabulary.size
    return Course(size, size, data.batches, lambda n: evaluate(n, x, target, lengths), null)


@cache
def width(name: str, D: int, K: int, numbers: int) -> int:
    """The most units a layer may have for no more than so many numbers to learn in all.

    >>> [width(name, 2, 2, 2000) for name in ("plain", "stacked", "hidden-to-hidden")]
    [42, 19, 24]
    """
    H, rng = 1, np.random.default_rng(0)
    while count(_network(name, D, H + 1, K, rng)) <= numbers:
        H += 1
    return H


def _network(name: str, D: int, H: int, K: int, rng: np.random.Generator) -> Network:
    way, depth = ("stacked", 1) if name == "plain" else (name, DEPTH)
    return deep.network(way, depth, D, H, K, rng=rng)


def runner(name: str, D: int, K: int, numbers: int, seed: int) -> Network:
    """As wide as its numbers allow, three layers or, if plain, one; every square matrix orthogonal."""
    rng = np.random.default_rng([12, seed])
    H = width(name, D, K, numbers)
    made = _network(name, D, H, K, rng)
    for p in made.cell.parameters.values():
        if p.shape == (H, H):
            p[:] = orthogonal(H, H, rng=rng)
    return made


@cache
def run(race: str, name: str, seed: int) -> np.ndarray:
    """The held-out loss of one training at each of 11 moments, from the start to the end."""
    about, (D, K, many, measure, _) = RACES[race], course(race)
    network, losses = runner(name, D, K, about.numbers, seed), {}

    def note(k: int, network: Network) -> None:
        if k % (about.updates // (MOMENTS - 1)) == 0:
            losses[k] = measure(network)

    optimizer = Adam(linear_decay(about.rate, steps=about.updates))
    options = RECALL.options if race == "recall" else {}
    fit(network, many, steps=about.updates, optimizer=optimizer, clip=1.0, callback=note, **options)
    return np.array(list(losses.values()))


def runs(race: str) -> dict[str, np.ndarray]:
    """Of each network the losses of all seeds (SEEDS, MOMENTS)."""
    return {name: np.array([run(race, name, seed) for seed in SEEDS]) for name in RUNNERS}


def arrives(name: str) -> np.ndarray:
    """Before training, ‖∂L/∂x_1‖ over ‖∂L/∂x_T‖ in the recall race, the mean over sequences (SEEDS,)."""
    D, K, many, *_ = course("recall")
    x, target, *_ = next(many)
    shares = []
    for seed in SEEDS:
        untrained = runner(name, D, K, RACES["recall"].numbers, seed)
        dx = bptt(untrained, x, target, **RECALL.options).grads["x"]
        sizes = np.linalg.norm(dx, axis=2).mean(axis=1)
        shares.append(sizes[0] / sizes[-1])
    return np.array(shares)


# Shown ----------------------------------------------------------------------------------------


def depth_race(race: str) -> LiveFigure:
    """The learning curves of the four ways and of a plain layer, and what the null costs."""
    about, losses, null = RACES[race], runs(race), course(race).null
    updates = np.linspace(0, about.updates, MOMENTS)
    low, high = about.ticks[0], about.ticks[-1]
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.4))
        ax.set_yscale("log")
        ax.set(xlim=(0, 1.5 * about.updates), ylim=(low, high), xlabel="updates")
        ax.set_xticks(range(0, about.updates + 1, 50))
        ax.set_yticks(about.ticks, [f"{tick:g}" for tick in about.ticks])
        ax.minorticks_off()
        ax.set_title(f"{about.title}: held-out loss, nats")
        ax.plot([0, about.updates], [null, null], "--", color=plots.MUTED, linewidth=1.2)
        colors = dict(zip(RUNNERS, (plots.INK, *COLORS), strict=True))
        band = ax.add_patch(Polygon(np.ones((3, 2)), alpha=0.25))
        ends = [*(np.median(losses[name], axis=0)[-1] for name in RUNNERS), null]
        lines = {
            name: ax.plot(updates, np.median(losses[name], axis=0), color=colors[name])[0]
            for name in RUNNERS
        }
        labels = {
            name: ax.text(0, 1, "", va="center", color=color)
            for name, color in (*colors.items(), (about.null, plots.MUTED))
        }
        plots.label_ends(labels, ends, 1.02 * about.updates)

    @interact(
        fig,
        name=f"depth-race-{race}",
        group="deep-race",
        alt="The held-out loss of five networks against the updates: one for each way to be deep, "
        "a plain one, and what the null costs.",
        network=Control(RUNNERS, "in focus"),
    )
    def update(network: str = "hidden-to-hidden") -> tuple[str, dict[str, np.ndarray]]:
        for name, line in lines.items():
            line.set_linewidth(3 if name == network else 1.2)
        lowest, highest = losses[network].min(axis=0), losses[network].max(axis=0)
        band.set_xy(np.c_[np.r_[updates, updates[::-1]], np.r_[lowest, highest[::-1]]])
        band.set_facecolor(colors[network])
        end = losses[network][:, -1]
        plain = losses["plain"][:, -1]
        sentence = (
            f"{about.title}: {network} ends at {np.median(end):.3g}, from {end.min():.3g} to "
            f"{end.max():.3g} in {len(SEEDS)} seeds; the plain layer at {np.median(plain):.3g}, "
            f"{about.null} at {null:.3g}."
        )
        numbers = {name: np.median(losses[name], axis=0) for name in RUNNERS}
        return sentence, {"updates": updates} | numbers

    return update
