"""Chapter 18's second live figure: every check run on every bug, with a test of one to six steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from .. import checks, plots
from ..cells import Layer
from ..checks import Verdict
from ..checks.cases import cell_of
from ..clipping import clip_by_norm, global_norm
from ..gradcheck import Report, central_difference, complex_step, with_parameters
from ..live import Control, LiveFigure, interact
from .bug_runs import both, names
from .bugs import BUGS, CELLS, clip_without_root

LENGTHS, LONGEST, LIMIT = range(1, 7), 6, 1e-7
# The first unit after each of six steps, by torch.nn.RNN, LSTM and GRU 2.13 in double precision,
# from the weights, inputs and zero biases of `fresh` and `inputs`.
TORCH = {
    "RNN": [0.0199122243, 0.6046264508, -0.4390949834, -0.2562448035, 0.6172484379, -0.2968683395],
    "LSTM": [0.1617687794, 0.116556137, -0.0035493213, 0.1487624796, 0.1325557144, 0.0276849962],
    "GRU": [0.1594826389, 0.296678652, 0.0149184516, 0.0726092478, 0.314982397, 0.0251123955],
}

# Checked --------------------------------------------------------------------------------------


def wave(*shape: int) -> np.ndarray:
    """Numbers between -1 and 1 that every program can make: sin 1, sin 2, sin 3, ..."""
    return np.sin(np.arange(1.0, np.prod(shape) + 1)).reshape(shape)


def fresh(code: str) -> Layer:
    """Two inputs, three units, weights from `wave`, and biases 0 as in every new cell."""
    layer = CELLS[code](2, 3, rng=np.random.default_rng(0))
    for name in ("W_x", "W_h"):
        setattr(layer, name, wave(*layer.shapes[name]))
    return layer


def inputs(T: int) -> np.ndarray:
    """One sequence (T, 1, 2)."""
    return wave(T, 1, 2)


@cache
def slopes(code: str, T: int) -> tuple[Report, Report]:
    """What both oracles find worst, where every state of T steps counts in the loss."""
    layer, x, weight = fresh(code), inputs(T), wave(T, 1, 3)
    grads = layer.backward(layer.forward(x), weight)

    def loss(p: dict[str, np.ndarray]) -> complex:
        return (with_parameters(layer, p).forward(x).h * weight).sum()

    oracles = central_difference, complex_step
    rng = np.random.default_rng(0)
    return tuple(oracle(loss, layer.parameters, grads, rng=rng) for oracle in oracles)


@cache
def gradient_error(code: str, T: int) -> float:
    """The larger of the two oracles' relative errors."""
    return max(report.error for report in slopes(code, T))


@cache
def distance_to_torch(code: str, T: int) -> float:
    """How far the states of T steps are from those that PyTorch's layer computed."""
    right = BUGS[code].right
    return float(np.abs(fresh(code).forward(inputs(T)).h[:, 0, 0] - TORCH[right][:T]).max())


def forgets_the_first(code: str, T: int) -> bool:
    """Whether the last state stays as it is when the first input is another one."""
    x, other = inputs(T), inputs(T)
    other[0] += 1
    return np.array_equal(fresh(code).forward(x).h[-1], fresh(code).forward(other).h[-1])


def leaves_the_band(code: str, T: int) -> bool:
    """Whether loud inputs from every side bring a state beyond 1, which o tanh(c) never is."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    loud = 50 * np.column_stack([np.cos(angles), np.sin(angles)])
    return bool(np.abs(fresh(code).forward(np.tile(loud, (T, 1, 1))).h).max() > 1)


def clipped_to_another_length(code: str) -> bool:
    """Whether a gradient of length 2, clipped to 1, has another length than 1."""
    long = {"W_h": 2 * wave(3, 3) / np.linalg.norm(wave(3, 3))}
    short = clip_without_root(long, 1.0) if code == "clipping" else clip_by_norm(long, 1.0)[0]
    return not np.isclose(global_norm(short), 1)


def end(code: str) -> float:
    """The held-out loss at the end of training, that of the seed which ends highest."""
    return float(both(code)[0].held_out[:, -1].max())


@cache
def verdict(code: str) -> Verdict:
    """What `rnn_teach.checks` says of the code, handed in as a learner hands in a function."""
    kind = CELLS[code]

    def lstm_step(x, h_prev, c_prev, W_x, W_h, b):
        cell = cell_of(kind, {"W_x": W_x, "W_h": W_h, "b": b})
        return cell.forward(x[None], (h_prev, c_prev)).final

    def gru_step(x, h_prev, W_x, W_h, b, b_hn):
        cell = cell_of(kind, {"W_x": W_x, "W_h": W_h, "b": b, "b_hn": b_hn})
        return cell.forward(x[None], h_prev).final

    def rnn_forward(x, h0, W_x, W_h, b):
        return cell_of(kind, {"W_x": W_x, "W_h": W_h, "b": b}).forward(x, h0).h

    def bptt(x, h0, dh, W_x, W_h, b):
        cell = cell_of(kind, {"W_x": W_x, "W_h": W_h, "b": b})
        grads = cell.backward(cell.forward(x, h0), dh)
        return grads["W_x"], grads["W_h"], grads["b"], grads["h0"]

    if code == "clipping":
        return checks.clip(clip_without_root)
    if BUGS[code].right == "LSTM":
        return checks.lstm_step(lstm_step)
    if BUGS[code].right == "GRU":
        return checks.gru_step(gru_step)
    forward = checks.rnn_forward(rnn_forward)
    return checks.bptt(bptt) if forward else forward


CHECKS: dict[str, Callable[[str, int], bool]] = {
    "the loss falls": lambda code, T: end(code) > names().baselines["unigram"],
    "it beats a bigram": lambda code, T: end(code) > names().baselines["bigram"],
    "gradient check": lambda code, T: gradient_error(code, T) > LIMIT,
    "PyTorch’s numbers": lambda code, T: distance_to_torch(code, T) > LIMIT,
    "first input counts": forgets_the_first,
    "|h| is at most 1": leaves_the_band,
    "clipped length": lambda code, T: clipped_to_another_length(code),
    "rnn_teach.checks": lambda code, T: not verdict(code),
}


@cache
def catches(code: str, T: int) -> dict[str, bool]:
    """Which checks object to a bug, with a test of T steps."""
    return {name: check(code, T) for name, check in CHECKS.items()}


# Shown ----------------------------------------------------------------------------------------


def who_catches_it() -> LiveFigure:
    """A mark for each bug and each check that objects to it, and how clearly two of them do."""
    with plots.style():
        fig, (ax, below) = plt.subplots(2, figsize=(5.2, 6.0), height_ratios=(5, 2.4))
        ax.set(xlim=(-0.5, len(CHECKS) - 0.5), ylim=(len(BUGS) - 0.5, -0.5))
        ax.xaxis.tick_top()
        ax.set_xticks(range(len(CHECKS)), CHECKS, rotation=45, ha="left", rotation_mode="anchor")
        ax.set_yticks(range(len(BUGS)), [about.words for about in BUGS.values()])
        ax.tick_params(length=0, labelsize=10)
        ax.grid(False)
        rows = [
            ax.add_patch(Rectangle((-0.5, k - 0.5), len(CHECKS), 1, color=plots.GRID, linewidth=0))
            for k in range(len(BUGS))
        ]
        ax.plot(*np.indices((len(CHECKS), len(BUGS))).reshape(2, -1), ".", color=plots.MUTED,
                markersize=2, label="_silent")  # fmt: skip
        (caught,) = ax.plot([], [], "o", color=plots.GRU, markersize=11, label="_caught")
        (missed,) = ax.plot([], [], "o", color=plots.RNN, markersize=11, label="_missed",
                            markerfacecolor="none", markeredgewidth=1.5)  # fmt: skip

        below.set(xlim=(0.7, 9.6), xticks=LENGTHS, xlabel="steps of the test")
        below.set_title("How far off the bug in focus is")
        plots.log_axis(below, 1e-13, 1e2, decades=5)
        below.plot([0.7, LONGEST], [LIMIT, LIMIT], "--", color=plots.MUTED, linewidth=1.2)
        (torch,) = below.plot([], [], "s-", color=plots.LSTM, markersize=5, label="from PyTorch")
        (slope,) = below.plot([], [], "o-", color=plots.ACCENT, markersize=5, label="gradient")
        (now,) = below.plot([], [], color=plots.INK, linewidth=1, label="_now")
        labels = {
            "allowed": below.text(0, 1, "", color=plots.MUTED, va="center"),
            "from PyTorch": below.text(0, 1, "", color=plots.LSTM, va="center"),
            "gradient": below.text(0, 1, "", color=plots.ACCENT, va="center"),
        }

    @interact(
        fig,
        name="who-catches-it",
        alt="A table of eight rows, the right code and seven bugs, and eight checks. A full mark where "
        "the check objects, a ring where it would with a longer test. Below, for one bug, how far its "
        "gradient is from the oracles' and its states from PyTorch's, against the length of the test.",
        bug=Control({about.words: bug for bug, about in BUGS.items()}, artists=rows),
        T=Control(LENGTHS, "steps of the test", kind="slider"),
    )
    def update(bug: str = "tanh", T: int = LONGEST) -> tuple[str, dict[str, list[str]]]:
        found, lost = [], []
        for row, code in enumerate(BUGS):
            for column, name in enumerate(CHECKS):
                if catches(code, T)[name]:
                    found.append((column, row))
                elif catches(code, LONGEST)[name]:
                    lost.append((column, row))
        caught.set_data(np.reshape(found, (-1, 2)).T)
        missed.set_data(np.reshape(lost, (-1, 2)).T)
        for code, row in zip(BUGS, rows, strict=True):
            row.set_alpha(1 if code == bug else 0)
        ends = [LIMIT]
        for line, measure in ((torch, distance_to_torch), (slope, gradient_error)):
            line.set_data(LENGTHS, [max(measure(bug, length), 1e-13) for length in LENGTHS])
            ends.append(line.get_ydata()[-1])
        now.set_data([T, T], below.get_ylim())
        plots.label_ends(labels, ends, LONGEST + 0.2)
        said = [name for name, wrong in catches(bug, T).items() if wrong]
        numbers = {
            "check": list(CHECKS),
            "objects": ["yes" if name in said else "no" for name in CHECKS],
        }
        steps = "1 step" if T == 1 else f"{T} steps"
        if bug == "none":
            return f"The right code, tested with {steps}: no check objects.", numbers
        lacking = (
            f" In the whole table {len(lost)} marks are lost to the short test." if lost else ""
        )
        return (
            f"{BUGS[bug].words}, tested with {steps}: {len(said)} of {len(CHECKS)} checks object, "
            f"{', '.join(said)}.{lacking}"
        ), numbers

    return update
