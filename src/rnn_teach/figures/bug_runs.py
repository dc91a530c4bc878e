"""Chapter 18's first live figure: training with each bug beside the right code, from the same numbers."""

from __future__ import annotations

from functools import cache, partial
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text

from .. import plots, tasks
from ..bptt import Network, Readout
from ..live import Control, LiveFigure, interact
from ..training import SGD, Adam, evaluate, fit, linear_decay
from .bugs import BUGS, CELLS, clip_without_root

# Trained --------------------------------------------------------------------------------------

H, N, UPDATES, EVERY, SEEDS = 32, 16, 300, 15, (0, 1, 2)
MOMENTS = np.arange(0, UPDATES + 1, EVERY)


class Names(NamedTuple):
    """Given names to learn from, and some that are held out."""

    vocabulary: tasks.Vocabulary
    kept: list[str]
    seen: tasks.Batch  # every ninth of those
    held_out: tasks.Batch
    baselines: dict[str, float]  # of models that only count, on the held-out ones


class Run(NamedTuple):
    """Losses in nats per symbol after 0, EVERY, 2 EVERY, ... updates."""

    seen: np.ndarray  # (UPDATES / EVERY + 1,)
    held_out: np.ndarray


@cache
def names() -> Names:
    """A tenth of the names is held out, always the same."""
    kept, held = tasks.hold_out(tasks.given_names(), rng=np.random.default_rng(0))
    one, other = (tasks.END + tasks.END.join(part) + tasks.END for part in (kept, held))
    vocabulary = tasks.characters(one)
    seen, held_out = (tasks.padded(part, vocabulary) for part in (kept[::9], held))
    return Names(vocabulary, kept, seen, held_out, tasks.baselines(one, other, vocabulary))


@cache
def trained(code: str, seed: int, optimizer: str = "Adam") -> Run:
    """300 updates of 16 names each with a bug or a right cell, by its name.

    Weights and names are those of the seed, whatever the code. The loss is summed over each name.
    """
    data = names()
    weights, shown = np.random.default_rng(seed).spawn(2)
    K = data.vocabulary.size
    network = Network(CELLS[code](K, H, rng=weights), Readout(H, K, rng=weights))
    clip = clip_without_root if code == "clipping" else None
    losses = []

    def measure(k: int, network: Network) -> None:
        if k % EVERY == 0:
            losses.append([evaluate(network, *b[:3]) for b in (data.seen, data.held_out)])

    fit(
        network,
        tasks.name_batches(data.kept, data.vocabulary, N=N, rng=shown),
        steps=UPDATES,
        optimizer=SGD(0.5) if optimizer == "SGD" else Adam(linear_decay(1e-2, steps=UPDATES)),
        clip=partial(clip, max_norm=1.0) if clip else 1.0,
        callback=measure,
        over_time="sum",
    )
    return Run(*np.array(losses).T)


def runs(code: str, optimizer: str = "Adam") -> Run:
    """The losses of every seed: (seeds, moments) each."""
    some = [trained(code, seed, optimizer) for seed in SEEDS]
    return Run(*(np.array(losses) for losses in zip(*some, strict=True)))


def both(bug: str) -> tuple[Run, Run]:
    """The runs with a bug, and those of the right code from the same numbers."""
    about = BUGS[bug]
    wrong = about.right if bug == "none" else bug
    return runs(wrong, about.optimizer), runs(about.right, about.optimizer)


# Shown ----------------------------------------------------------------------------------------


def seven_bugs() -> LiveFigure:
    """Losses with a bug, three seeds, over the band of the right code, and what it costs each seed."""
    end = UPDATES
    baselines = names().baselines
    with plots.style():
        fig, axes = plt.subplots(3, figsize=(5.2, 5.9), height_ratios=(5, 5, 1.2))
        drawn = []
        for ax, title in zip(axes, ("names it learns from", "held-out names"), strict=False):
            ax.set(xlim=(0, 1.42 * end), xticks=range(0, end + 1, 100))
            ax.set(ylim=(2.05, 3.4), yticks=(2.2, 2.6, 3.0, 3.4))
            ax.set_title(f"Nats per symbol, {title}")
            band = ax.add_patch(Polygon(np.ones((3, 2)), alpha=0.3))
            (right,) = ax.plot([], [], label=f"right, {title}")
            (wrong,) = ax.plot([], [], "-", color=plots.ACCENT, linewidth=1.3, label="_wrong")
            texts = [ax.text(end * 1.03, 0, "", va="center") for _ in range(4)]
            drawn.append((band, right, wrong, texts))
        axes[1].set_xlabel("updates")
        # the models that count are measured on the held-out names
        lines = [
            axes[1].plot([0, end], [baselines[name]] * 2, "--", color=plots.MUTED, linewidth=1.2)[0]
            for name in ("unigram", "bigram")
        ]
        cost = axes[2]
        cost.set(xlim=(-0.1, 0.32), ylim=(-1, 1), yticks=[])
        cost.set_title("Held-out loss at the end, bug − right, each seed")
        cost.set_xticks((-0.1, 0, 0.1, 0.2, 0.3), ("−0.1", "0", "0.1", "0.2", "0.3"))
        chance = cost.add_patch(Rectangle((0, -1), 1, 2, linewidth=0, alpha=0.3))
        (dots,) = cost.plot([], [], "o", color=plots.ACCENT, markersize=8, label="cost")

    @interact(
        fig,
        name="seven-bugs",
        alt="The loss of three runs with a bug and the band of three right runs from the same "
        "numbers, on names they learn from and on held-out ones; below, what the bug costs each seed.",
        bug=Control({about.words: bug for bug, about in BUGS.items()}),
        counted=Control([False, True], "models that count"),
    )
    def update(bug: str = "none", counted: bool = False) -> tuple[str, dict[str, np.ndarray]]:
        with_bug, without = both(bug)
        about = BUGS[bug]
        color = plots.CELL_COLORS[about.right]
        numbers = {"updates": MOMENTS}
        for what, (band, right, wrong, texts) in zip(Run._fields, drawn, strict=True):
            ours, theirs = getattr(without, what), getattr(with_bug, what)
            numbers |= {f"right, {what}": np.median(ours, 0), f"bug, {what}": np.median(theirs, 0)}
            low, high = ours.min(axis=0), ours.max(axis=0)
            band.set_xy(np.c_[np.r_[MOMENTS, MOMENTS[::-1]], np.r_[low, high[::-1]]])
            band.set_facecolor(color)
            right.set_data(MOMENTS, np.median(ours, axis=0))
            right.set_color(color)
            # three lines in one, with a gap between them
            gap = np.full((len(SEEDS), 1), np.nan)
            wrong.set_data(
                np.tile([*MOMENTS, np.nan], len(SEEDS)), np.hstack([theirs, gap]).ravel()
            )
            wrong.set_visible(bug != "none")
            ends = {f"{about.right}, right": (np.median(ours[:, -1]), color)}
            if bug != "none":
                ends["bug"] = (np.median(theirs[:, -1]), plots.ACCENT)
            if counted and what == "held_out":
                ends |= {name: (baselines[name], plots.MUTED) for name in ("bigram", "unigram")}
            _label(texts, ends)
        for line in lines:
            line.set_visible(counted)
        ends, spread = without.held_out[:, -1], np.ptp(without.held_out[:, -1])
        paid = with_bug.held_out[:, -1] - ends
        chance.set(x=-spread, width=2 * spread)
        chance.set_color(color)
        dots.set_data(paid, 0 * paid)
        dots.set_visible(bug != "none")
        if bug == "none":
            sentence = f"No bug: three seeds of the {about.right} end"
            return f"{sentence} at {_range(ends)} nats per held-out symbol.", numbers
        return (
            f"{about.words}: the runs end at {_range(with_bug.held_out[:, -1])} nats per held-out "
            f"symbol, those of the right {about.right} at {_range(ends)}. The bug costs "
            f"{plots.number(np.median(paid))}; another seed moves the right one by up to {spread:.3f}."
        ), numbers

    return update


def _range(losses: np.ndarray) -> str:
    return f"{losses.min():.3f} to {losses.max():.3f}"


def _label(texts: list[Text], ends: dict[str, tuple[float, str]]) -> None:
    """Write each name and its number beside the end of its line, clear of the one below."""
    height = -np.inf
    for text in texts:
        text.set_text("")
    ordered = sorted(ends.items(), key=lambda end: end[1][0])
    for text, (name, (loss, color)) in zip(texts, ordered, strict=False):
        height = max(loss, height + 0.12)
        text.set(y=height, text=f"{name} {loss:.2f}", color=color)
