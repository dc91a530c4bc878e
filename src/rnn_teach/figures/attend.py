"""Chapter 14's live figures of attention: the bottleneck measured, and where the decoder looks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import PathPatch, Polygon, Rectangle

from .. import plots, results
from ..live import Control, LiveFigure, interact
from ..problems.numerals import LARGEST, WORDS, NumberWords, spelled
from ..seq2seq import EncoderDecoder
from .letters import squares
from .translate import ASKED, KINDS, STEPS, Translators, choices, named, run

COLORS = {"none": plots.RNN, "additive": plots.LSTM}
LENGTHS = np.arange(1, NumberWords.longest + 1)


# Measured -------------------------------------------------------------------------------------


@cache
def without_order() -> np.ndarray:
    """What share of all numbers of each count of words (9,) can be guessed without their order.

    Who knows which words came, but not in which order, has to choose among the numbers that are
    made of the same words, and is right for one of them.
    """
    draw = np.random.default_rng(0)
    code = dict(zip(WORDS, draw.integers(2**63, size=len(WORDS), dtype=np.uint64), strict=True))
    groups = [spelled(number).split() if number else [] for number in range(1000)]
    bag = np.array([sum(int(code[w]) for w in words) % 2**64 for words in groups], np.uint64)
    size = np.array([len(words) for words in groups])
    thousands, rest = np.divmod(np.arange(1, LARGEST + 1), 1000)
    several = thousands > 0
    bags = bag[thousands] + several * code["thousand"] + bag[rest]  # modulo 2**64
    sizes = size[thousands] + several + size[rest]
    return np.array([np.mean(_firsts(bags[sizes == length])) for length in LENGTHS])


def _firsts(bags: np.ndarray) -> np.ndarray:
    """Which of these is the first of its kind."""
    first = np.zeros(len(bags), bool)
    first[np.unique(bags, return_index=True)[1]] = True
    return first


@cache
def stored() -> dict[str, np.ndarray]:
    """The points of all stored runs, a column each: attention, H, seed, updates, words, accuracy."""
    return results.read("numerals-curves")


def accuracies(attention: str, H: int) -> np.ndarray:
    """The stored accuracy of every seed (seeds, moments, 9), the moments in their order."""
    table = stored()
    here = (table["attention"] == attention) & (table["H"] == H)
    seeds, moments = np.unique(table["seed"]), np.unique(table["updates"])
    order = np.lexsort([table[name][here] for name in ("words", "updates", "seed")])
    return table["accuracy"][here][order].reshape(len(seeds), len(moments), len(LENGTHS))


def median_accuracy(attention: str, H: int, updates: int) -> np.ndarray:
    """The stored accuracy for each count of words (9,), the median of the seeds."""
    moment = np.unique(stored()["updates"]).tolist().index(updates)
    return np.median(accuracies(attention, H)[:, moment], axis=0)


def on_its_word(translator: EncoderDecoder, numbers: Sequence[int]) -> tuple[float, float]:
    """How often the largest weight is on the word that says the digit, and how often on it or the next.

    The numbers have nine words, "three hundred forty two thousand three hundred forty two", so the
    six digits are said by words 1, 3, 4, 6, 8 and 9. The translator is told the right digits.
    """
    own = np.array([0, 2, 3, 5, 7, 8])
    looked = np.array([run(translator, n, said=f"{n}↵").weights.argmax(axis=1) for n in numbers])
    ahead = looked[:, : len(own)] - own
    return float((ahead == 0).mean()), float(((ahead == 0) | (ahead == 1)).mean())


# Shown ----------------------------------------------------------------------------------------


def length_accuracy(problem: NumberWords) -> LiveFigure:
    """The share of whole answers that are right against the count of words, and against training."""
    moments = np.unique(stored()["updates"]).tolist()
    asked = [min(len(numbers), ASKED) for numbers in problem.held_out.values()]
    null = without_order()
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 5.2), height_ratios=(3, 2))
        top.set(
            xlim=(0.7, 9.3), ylim=(0, 1.03), xlabel="words read (below: held-out numbers asked)"
        )
        top.set_xticks(LENGTHS, [f"{k}\n{n}" for k, n in zip(LENGTHS, asked, strict=True)])
        top.set_title("Answers wholly right", pad=24)
        top.plot(LENGTHS, null, ":", color=plots.INK, linewidth=1.5, label="words, no order")
        bottom.set(xlim=(90, 3600), ylim=(0, 1.03), xscale="log", xlabel="updates")
        bottom.set_xticks(moments, [f"{moment:,}" for moment in moments])
        bottom.minorticks_off()
        bottom.set_title("Mean of all lengths")
        bottom.axhline(null.mean(), linestyle=":", color=plots.INK, linewidth=1.5)
        lines, bands, courses, dots = {}, {}, {}, {}
        for (kind, words), at in zip(KINDS.items(), (0.42, 0), strict=True):
            color = {"color": COLORS[kind]}
            bands[kind] = top.add_patch(Polygon(np.ones((3, 2)), facecolor=COLORS[kind], alpha=0.2))
            (lines[kind],) = top.plot([], [], "o-", markersize=4, **color, label=words)
            (courses[kind],) = bottom.plot([], [], **color, label=f"{words}, mean")
            (dots[kind],) = bottom.plot([], [], "o", **color, label=f"_{kind}")
            top.text(at, 1.05, f"━ {words}", **color, transform=top.transAxes)
        top.text(1, 1.05, "┅ words, no order", ha="right", transform=top.transAxes)
        cursor = bottom.axvline(moments[0], color=plots.INK, linewidth=1)

    @interact(
        fig,
        name="length-accuracy",
        alt="Above, the share of right answers against the number of words read, with and without "
        "attention, with a band from the worst to the best of three seeds, and what could be guessed "
        "from the words without their order. Below, the mean over all lengths against the updates.",
        updates=Control(moments, kind="slider"),
        H=Control(np.unique(stored()["H"]).tolist(), "units in each network", kind="slider"),
    )
    def update(updates: int = 800, H: int = 32) -> tuple[str, dict[str, np.ndarray]]:
        k, median = moments.index(updates), {}
        for kind in KINDS:
            runs = accuracies(kind, H)
            median[kind] = median_accuracy(kind, H, updates)
            low, high = runs[:, k].min(axis=0), runs[:, k].max(axis=0)
            bands[kind].set_xy(np.r_[np.c_[LENGTHS, low], np.c_[LENGTHS, high][::-1]])
            lines[kind].set_data(LENGTHS, median[kind])
            course = np.median(runs.mean(axis=2), axis=0)
            courses[kind].set_data(moments, course)
            dots[kind].set_data([updates], [course[k]])
        cursor.set_xdata([updates, updates])
        ends = {
            kind: f"{share[0]:.0%} of one word and {share[-1]:.0%} of nine"
            for kind, share in median.items()
        }
        sentence = (
            f"{H} units, {updates:,} updates: right are, without attention, {ends['none']}, and, with "
            f"attention, {ends['additive']}; from the words without their order {null[-1]:.0%} of nine."
        )
        numbers = {"words": LENGTHS, "asked": np.array(asked)}
        numbers |= {KINDS[kind]: share for kind, share in median.items()}
        return sentence, numbers | {"words, no order": null}

    return update


def attention_map(translators: Translators, *, also: Sequence[int] = ()) -> LiveFigure:
    """The weights of every step of a held-out answer over the words, and those before training.

    ``also``: any held-out numbers, to choose from beside the examples.
    """
    numbers = choices(translators.problem, also)
    runs = {number: run(translators.trained["additive"], number) for number in numbers}
    untrained = {
        number: run(translators.untrained["additive"], number, said=shown.said)
        for number, shown in runs.items()
    }
    rows = NumberWords.longest
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 4.6))
        ax.set(xlim=(-3.3, STEPS + 1.2), ylim=(rows - 0.4, -2.1))
        ax.axis("off")
        ax.set_title("Where it looks when it writes (full square: 1)")
        columns = [
            ax.add_patch(Rectangle((k - 0.5, -1.9), 1, rows + 1.4, facecolor=plots.GRID, alpha=0))
            for k in range(STEPS)
        ]
        filled = ax.add_patch(
            PathPatch(squares(np.zeros((1, 1))), facecolor=plots.LSTM, linewidth=0)
        )
        null = ax.add_patch(
            PathPatch(squares(np.zeros((1, 1))), fill=False, edgecolor=plots.INK, linewidth=0.8)
        )
        words = [ax.text(-0.7, k, "", ha="right", va="center") for k in range(rows)]
        shares = [
            ax.text(STEPS + 0.9, k, "", ha="right", va="center", color=plots.LSTM)
            for k in range(rows)
        ]
        symbols = [ax.text(k, -1, "", ha="center", va="center", size=13) for k in range(STEPS)]
        ax.text(-0.7, -1, "writes", ha="right", va="center")
        at_step = ax.text(STEPS + 0.9, -1, "", ha="right", va="center", color=plots.LSTM)

    @interact(
        fig,
        name="attention-map",
        group="numerals",
        alt="A grid with a row for each word read and a column for each symbol written, in each "
        "place a square as large as the weight; outlined, the squares of the untrained network. "
        "Right, the weights of the chosen step as numbers.",
        example=Control(named(numbers), "number", kind="select"),
        step=Control(range(1, STEPS + 1), "step", kind="slider", artists=columns),
    )
    def update(
        example: int = numbers[9], step: int = 4
    ) -> tuple[str, dict[str, list[str] | np.ndarray]]:
        shown, before = runs[example], untrained[example]
        S, T = len(shown.words), len(shown.said)
        t = min(step, T) - 1
        filled.set(path=squares(shown.weights.T))
        null.set(path=squares(before.weights.T))
        for k in range(rows):
            words[k].set_text(shown.words[k] if k < S else "")
            shares[k].set_text(plots.number(shown.weights[t, k]) if k < S else "")
        for k in range(STEPS):
            said, true = (f"{row:{STEPS}}"[k] for row in (shown.said, shown.truth))
            symbols[k].set(text=said.strip(), color=plots.INK if said == true else plots.RNN)
            columns[k].set_alpha(0.7 if k == t else 0)
        at_step.set_text(f"step {t + 1}")
        most = int(shown.weights[t].argmax())
        sentence = (
            f"“{' '.join(shown.words)}”: at step {t + 1} it writes {shown.said[t]} and looks most at "
            f"“{shown.words[most]}”, word {most + 1}, with weight {shown.weights[t, most]:.2f}; "
            f"untrained it gives every word between {before.weights[t].min():.2f} and "
            f"{before.weights[t].max():.2f}."
        )
        return sentence, {
            "word": shown.words,
            f"weight at step {t + 1}": shown.weights[t],
            "untrained": before.weights[t],
        }

    return update
