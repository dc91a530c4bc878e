"""Chapter 04's networks and live figures: a character model, its temperature, and its training clock."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from textwrap import wrap
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from rnn_teach import plots, tasks
from rnn_teach.bptt import Network, Readout, bptt
from rnn_teach.cells import RNN, Layer
from rnn_teach.gradcheck import Report, check, with_parameters
from rnn_teach.live import Control, LiveFigure, interact
from rnn_teach.sampling import next_symbol, read, sample
from rnn_teach.training import Adam, History, evaluate, fit, linear_decay

CONTEXTS = ("the statemen", "wh", "an exception is raised.", "the value of the ", "xz")
SHOWN = {"\n": "↵", " ": "␣"}  # symbols that leave no ink


# Trained --------------------------------------------------------------------------------------


class Data(NamedTuple):
    """Symbols to learn from and symbols to be measured on."""

    vocabulary: tasks.Vocabulary
    train: str
    held_out: str
    batches: Iterator[tasks.Batch]  # of train, without end
    measured: tasks.Batch  # held_out, all of it


class Run(NamedTuple):
    """A trained character network and what was kept of its training."""

    data: Data
    network: Network
    history: History
    snapshots: dict[int, Network]  # the network after so many updates, 0 to the last
    losses: dict[int, float]  # each snapshot's cross-entropy on the held-out text, nats per symbol
    baselines: dict[str, float]  # that of the models that only count


def english(rng: np.random.Generator) -> Data:
    """English paragraphs, a tenth of them held out, read as 32 streams in windows of 50 symbols."""
    kept, held = tasks.hold_out(tasks.english_text().splitlines(keepends=True), rng=rng)
    train, held_out = "".join(kept), "".join(held)
    vocabulary = tasks.characters(train)
    batches = tasks.text_batches(train, vocabulary, N=32, T=50, rng=rng)
    windows = tasks.text_batches(held_out, vocabulary, N=20, T=len(held_out) // 20, rng=rng)
    return Data(vocabulary, train, held_out, batches, next(windows))


def names(rng: np.random.Generator) -> Data:
    """Given names, a tenth of them held out, read 64 at a time, each from an empty memory."""
    kept, held = tasks.hold_out(tasks.given_names(), rng=rng)
    train, held_out = (tasks.END + tasks.END.join(part) + tasks.END for part in (kept, held))
    vocabulary = tasks.characters(train)
    batches = tasks.name_batches(kept, vocabulary, N=64, rng=rng)
    return Data(vocabulary, train, held_out, batches, tasks.padded(held, vocabulary))


def train(data: Data, *, H: int, steps: int, rng: np.random.Generator) -> Run:
    """Train a character RNN with ``H`` units for ``steps`` updates; keep 41 moments of it."""
    K = data.vocabulary.size
    network = Network(RNN(K, H, rng=rng), Readout(H, K, rng=rng))
    optimizer = Adam(linear_decay(6e-3, steps=steps))
    moments = {0, *np.geomspace(1, steps, 40).round().astype(int).tolist()}
    snapshots = {}

    def keep(k: int, network: Network) -> None:
        if k in moments:
            snapshots[k] = deepcopy(network)

    history = fit(network, data.batches, steps=steps, optimizer=optimizer, clip=1.0, callback=keep)
    x, target, lengths, _ = data.measured
    losses = {k: evaluate(snapshot, x, target, lengths) for k, snapshot in snapshots.items()}
    baselines = tasks.baselines(data.train, data.held_out, data.vocabulary)
    return Run(data, network, history, snapshots, losses, baselines)


def before_and_after(
    data: Data, cell: Layer, *, steps: int, rng: np.random.Generator
) -> tuple[Network, Network]:
    """A character network of ``cell`` and a readout, untrained and after ``steps`` updates."""
    untrained = Network(cell, Readout(cell.H, data.vocabulary.size, rng=rng))
    trained = deepcopy(untrained)
    optimizer = Adam(linear_decay(1e-2, steps=steps))
    fit(trained, data.batches, steps=steps, optimizer=optimizer, clip=1.0)
    return untrained, trained


# Measured -------------------------------------------------------------------------------------


def scores(run: Run) -> str:
    """The held-out cross-entropy and perplexity of every model, as a table."""
    first, last = min(run.losses), max(run.losses)
    rows = {**run.baselines, "untrained RNN": run.losses[first], "trained RNN": run.losses[last]}
    lines = [f"{'model':14}{'nats per symbol':>16}{'perplexity':>12}"]
    for model, loss in rows.items():
        lines.append(f"{model:14}{loss:16.2f}{tasks.perplexity(loss):12.1f}")
    return "\n".join(lines)


def first_below(run: Run, baseline: str) -> int:
    """The first kept moment, in updates, at which the network beats ``baseline`` on held-out text."""
    return min(k for k, loss in run.losses.items() if loss < run.baselines[baseline])


def check_gradient(run: Run, *, rng: np.random.Generator) -> tuple[Report, Report]:
    """Ask both oracles about this network's gradient on 20 steps of held-out text."""
    x, target = run.data.measured.x[:20], run.data.measured.target[:20]

    def loss(changed: dict[str, np.ndarray]) -> complex:
        network = with_parameters(run.network, changed)
        return bptt(network, x, target).loss

    grads = bptt(run.network, x, target).grads
    return check(loss, run.network.parameters, grads, rng=rng)


def invented(run: Run, count: int, *, temperature: float, rng: np.random.Generator) -> list[str]:
    """``count`` names the network makes up, each from an empty memory."""
    ask = {"rng": rng, "temperature": temperature, "length": 20}
    network, vocabulary = run.network, run.data.vocabulary
    return [
        sample(network, vocabulary, start=tasks.END, stop=tasks.END, **ask) for _ in range(count)
    ]


# Shown ----------------------------------------------------------------------------------------


def temperature(run: Run) -> LiveFigure:
    """The probabilities of the next symbol after a context, and what the network goes on to say."""
    vocabulary = run.data.vocabulary
    K, place = vocabulary.size, np.arange(vocabulary.size)
    often = tasks.unigram(vocabulary.encode(run.data.train), K)
    with plots.style():
        fig, (ax, below) = plt.subplots(2, figsize=(5.2, 4.3), height_ratios=(3, 1))
        ax.set(xlim=(-0.7, K - 0.3), ylim=(0, 1.13), yticks=(0, 0.5, 1))
        ax.set_xticks(place, [SHOWN.get(symbol, symbol) for symbol in vocabulary.symbols])
        ax.tick_params(axis="x", length=0, labelsize=8.5)
        ax.grid(False, axis="x")
        ax.set_title("Probability of the next symbol")
        # one line with gaps for all bars: a state of the figure is then a few numbers
        (bars,) = ax.plot([], [], color=plots.RNN, linewidth=6, solid_capstyle="butt")
        ax.plot(place, often, "_", color=plots.INK, markersize=7, markeredgewidth=1.5)
        ax.text(0.8, 1.035, "▮ network", color=plots.RNN, ha="right", transform=ax.transAxes)
        ax.text(1, 1.035, "‒ unigram", color=plots.INK, ha="right", transform=ax.transAxes)
        top = ax.text(0, 0, "", color=plots.RNN, ha="center", va="bottom", weight="bold")
        said = _text_box(below, "What it goes on to say")

    @interact(
        fig,
        name="temperature",
        alt="A bar for each symbol: how probable it is as the next one, beside a dash for how often "
        "it occurs at all. Below, a text that the network continues.",
        temperature=Control([k / 10 for k in range(21)], kind="slider"),
        context=Control({f"“{context}”": context for context in CONTEXTS}, label="it has read"),
    )
    def update(
        temperature: float = 1.0, context: str = "the statemen"
    ) -> tuple[str, dict[str, Any]]:
        logits, _ = read(run.network, vocabulary, "\n" + context)
        p = next_symbol(logits, temperature)
        best = int(p.argmax())
        symbol = vocabulary.symbols[best]
        bars.set_data(np.repeat(place, 3), np.c_[0 * p, p, np.full(K, np.nan)].ravel())
        top.set(position=(best, p[best] + 0.01), text=f"{p[best]:.1%}")
        rest = _continued(run.network, vocabulary, context, temperature, length=110)
        said.set_text(_lines(context + "▸" + rest, 3))
        sentence = (
            f"After “{context}”, at temperature {temperature:.1f}, the most probable symbol is "
            f"“{SHOWN.get(symbol, symbol)}” with {p[best]:.1%}, and the network hesitates as "
            f"between {np.exp(entropy(p)):.1f} equally likely symbols."
        )
        symbols = [SHOWN.get(symbol, symbol) for symbol in vocabulary.symbols]
        return sentence, {"next symbol": symbols, "probability": p, "unigram": often}

    return update


def training_clock(run: Run) -> LiveFigure:
    """The loss from the first update to the last, and what the network says at each moment."""
    moments = sorted(run.losses)
    held = [run.losses[k] for k in moments]
    spans = list(pairwise(moments))
    middles = [(a + b - 1) / 2 for a, b in spans]  # loss k belongs to the network after k updates
    seen = [run.history.loss[a:b].mean() for a, b in spans]
    ticks = [0] + [t for t in (1, 10, 100, 1000) if t < moments[-1]]
    with plots.style():
        fig, (ax, below) = plt.subplots(2, figsize=(5.2, 4.7), height_ratios=(5, 2))
        ax.set_xscale("symlog", linthresh=1)
        ax.set(xlim=(-0.6, moments[-1] * 9), ylim=(1, 3.9), xlabel="updates")
        ax.set_xticks(ticks, [f"{t:,}" for t in ticks])
        ax.minorticks_off()
        for name, loss in run.baselines.items():
            ax.plot([-0.6, moments[-1]], [loss, loss], "--", color=plots.MUTED, linewidth=1.2)
            ax.text(moments[-1] * 1.2, loss, f"{name} {loss:.2f}", color=plots.MUTED, va="center")
        ax.plot(middles, seen, ":", color=plots.INK, linewidth=1.5, label="training text")
        ax.plot(moments, held, color=plots.RNN, label="held-out text")
        ax.text(moments[-1] * 1.4, held[-1], "held-out text", color=plots.RNN, va="bottom")
        ax.text(moments[-1] * 1.4, held[-1], "training text", color=plots.INK, va="top")
        ax.set_title("Loss of the RNN, nats per symbol")
        (now,) = ax.plot([], [], "o", color=plots.RNN, markersize=9)
        value = ax.text(0, 0, "", color=plots.RNN, weight="bold", ha="right", va="center")
        said = _text_box(below, "What it says")

    @interact(
        fig,
        name="training-clock",
        alt="The network's loss on held-out text against the number of updates, falling from the "
        "line of uniform guessing below those of unigram and bigram. Below, a text it writes.",
        updates=Control(moments, kind="slider"),
        temperature=Control({"0, greedy": 0.0, "0.5": 0.5, "1": 1.0}),
    )
    def update(updates: int = moments[-1], temperature: float = 0.5) -> str:
        loss, network = run.losses[updates], run.snapshots[updates]
        rest = _continued(network, run.data.vocabulary, "", temperature, length=150)
        now.set_data([updates], [loss])
        value.set(position=(updates * 0.8, loss - 0.2), text=f"{loss:.2f}")
        said.set_text(_lines(rest, 4))
        return (
            f"After {updates:,} updates the loss is {loss:.2f} nats per symbol: the network "
            f"hesitates as between {tasks.perplexity(loss):.1f} equally likely symbols."
        )

    return update


def entropy(p: np.ndarray) -> float:
    """-sum p ln p, in nats; e to this power is the width of the choice.

    >>> round(float(np.exp(entropy(np.array([0.5, 0.5, 0.0])))), 3)
    2.0
    """
    return float(-(p * np.log(np.where(p > 0, p, 1))).sum())


def _text_box(ax: plt.Axes, title: str) -> plt.Text:
    ax.set_axis_off()
    ax.set_title(title)
    return ax.text(0, 0.95, "", va="top", size=11.5, linespacing=1.4, transform=ax.transAxes)


def _continued(
    network: Network, vocabulary: tasks.Vocabulary, context: str, temperature: float, length: int
) -> str:
    """The same random numbers at every call: what changes is the temperature or the network."""
    ask = {"rng": np.random.default_rng(4), "temperature": temperature, "length": length}
    return sample(network, vocabulary, start="\n" + context, **ask)


def _lines(text: str, count: int, width: int = 48) -> str:
    """``text`` with its line ends shown, broken into at most ``count`` lines."""
    return "\n".join(wrap(text.replace("\n", "↵ "), width)[:count])
