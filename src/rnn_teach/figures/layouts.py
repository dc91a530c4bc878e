"""Chapter 10's two GRUs: the same weights under other conventions, and in other programs' layouts."""

from __future__ import annotations

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..cells import GRU
from ..functional import sigmoid
from ..live import Control, LiveFigure, interact
from ..training import orthogonal

D, H, N, T = 4, 16, 32, 30
SCALES = [round(0.25 * k, 2) for k in range(17)]
RESET, ONES, SIGN, TURNED = PAIRS = (
    "reset after or before",
    "reset, but r = 1",
    "z keeps or takes",
    "z, but converted",
)
UNRELATED = "unrelated sequences"
COLORS = {RESET: plots.GRU, ONES: plots.LSTM, SIGN: plots.RNN, TURNED: plots.ACCENT}


# Computed -------------------------------------------------------------------------------------


def elsewhere(
    order: str,
    W: np.ndarray,
    R: np.ndarray,
    W_b: np.ndarray,
    R_b: np.ndarray,
    x: np.ndarray,
    *,
    takes: bool = False,
) -> np.ndarray:
    """The states (T, N, H) of a GRU written down from other programs' documentation.

    Their reset comes after the product, and each gate has two biases. W (D, 3H), R (H, 3H),
    W_b and R_b (3H,) hold the parts that ``order`` names, such as "zrn"; x is (T, N, D).
    With ``takes`` z near 1 takes the candidate, as in Chung et al. 2014.
    Sources: the documentation of torch.nn.GRU, keras.layers.GRU and the ONNX operator GRU.
    """
    h, states = np.zeros((x.shape[1], len(R))), []
    for x_t in x:
        from_x = dict(zip(order, np.split(x_t @ W + W_b, 3, axis=1), strict=True))
        from_h = dict(zip(order, np.split(h @ R + R_b, 3, axis=1), strict=True))
        r, z = (sigmoid(from_x[gate] + from_h[gate]) for gate in "rz")
        n = np.tanh(from_x["n"] + r * from_h["n"])
        h = z * n + (1 - z) * h if takes else (1 - z) * n + z * h
        states.append(h)
    return np.array(states)


def layer(scale: float, reset: str = "after") -> GRU:
    """A GRU of 16 units: W_h is three random rotations times ``scale``, all biases are 0."""
    rng = np.random.default_rng(10)
    gru = GRU(D, H, rng=rng, reset=reset)
    gru.W_x[:] = rng.normal(size=gru.W_x.shape) / np.sqrt(D)
    gru.W_h[:] = scale * np.hstack([orthogonal(H, H, rng=rng) for _ in range(3)])
    return gru


@cache
def inputs() -> np.ndarray:
    """Noise (T, N, D), the same for every pair."""
    x = np.random.default_rng(11).normal(size=(T, N, D))
    x.flags.writeable = False
    return x


@cache
def two_states(pair: str, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The states (T, N, H) of our GRU and of another with the same weights; ``pair`` is one of PAIRS.

    With r = 1 both reset gates are held open by a bias. Converted, the weights and the bias of
    z have changed their sign before the other GRU gets them.
    """
    ours, other = layer(scale), layer(scale, reset="before")
    if pair == ONES:
        ours.b[:H] = other.b[:H] = 1000.0
    h = ours.forward(inputs()).h
    if pair in (RESET, ONES):
        return h, other.forward(inputs()).h
    turn = np.repeat([1, -1 if pair == TURNED else 1, 1], H)
    W, R, b = (p * turn for p in (ours.W_x, ours.W_h, ours.b))
    return h, elsewhere("rzn", W, R, b, np.zeros(3 * H), inputs(), takes=True)


@cache
def apart(pair: str, scale: float) -> float:
    """How far the two are apart: the root mean square of the difference over that of our states."""
    ours, theirs = two_states(pair, scale)
    return _ratio(ours - theirs, ours)


@cache
def unrelated(scale: float) -> float:
    """The null: how far our GRU's states are from those it has in another sequence."""
    h = layer(scale).forward(inputs()).h
    return _ratio(h - np.roll(h, 1, axis=1), h)


def _ratio(difference: np.ndarray, states: np.ndarray) -> float:
    return float(np.sqrt((difference**2).mean() / (states**2).mean()))


# Shown ----------------------------------------------------------------------------------------


def _size(distance: float) -> str:
    """A distance in words.

    >>> _size(0.0), _size(3e-16), _size(0.123)
    ('0', '10⁻¹⁶', '0.12')
    """
    if distance == 0:
        return "0"
    return f"{distance:.2f}" if distance > 0.005 else plots.power_of_ten(distance)


def two_grus() -> LiveFigure:
    """One unit of two GRUs with the same weights, and how far they are apart at every scale of W_h."""
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 4.9), height_ratios=(2, 3))
        top.set(xlim=(0, 1.32 * T), xticks=range(0, T + 1, 10), ylim=(-1.1, 1.1), yticks=(-1, 0, 1))
        top.set_title("One unit of both")
        top.set_xlabel("t, steps", labelpad=1)
        (one,) = top.plot([], [], color=plots.MUTED, linewidth=4, alpha=0.5, label="after, z keeps")
        (other,) = top.plot([], [], linewidth=1.5, label="the other")
        top.text(T + 0.8, 0.35, "after,\nz keeps", color=plots.MUTED, va="center")
        other_text = top.text(T + 0.8, -0.5, "the other", va="center")

        bottom.set(xlim=(0, 1.78 * SCALES[-1]), xticks=range(5), xlabel="scale of W_h")
        bottom.set(ylim=(-0.12, 1.7), yticks=(0, 0.5, 1, 1.5))
        bottom.set_title("How far they are apart, in units of the states")
        null = [unrelated(scale) for scale in SCALES]
        bottom.plot(SCALES, null, ":", color=plots.MUTED, label=UNRELATED)
        bottom.text(SCALES[-1] + 0.12, 1.56, UNRELATED, color=plots.MUTED, va="center")
        labels = {}
        for (pair, color), height in zip(COLORS.items(), (1.0, 0.16, 1.28, 0.0), strict=True):
            style = {"linewidth": 5, "alpha": 0.4} if pair == ONES else {}
            distances = [apart(pair, scale) for scale in SCALES]
            bottom.plot(SCALES, distances, color=color, label=pair, **style)
            labels[pair] = bottom.text(SCALES[-1] + 0.12, height, "", va="center", color=color)
        (now,) = bottom.plot([], [], "o", markersize=8)

    t = np.arange(1, T + 1)

    @interact(
        fig,
        name="two-grus",
        alt="Above, one unit of two GRUs over 30 steps. Below, the distance of their states "
        "against the scale of the recurrent weights: two lines that rise, two at 0, and the "
        "distance of unrelated sequences.",
        scale=Control(SCALES, "scale of W_h", kind="slider"),
        pair=list(PAIRS),
    )
    def update(scale: float = 1.0, pair: str = RESET) -> str:
        ours, theirs = two_states(pair, scale)
        one.set_data(t, ours[:, 0, 0])
        other.set_data(t, theirs[:, 0, 0])
        now.set_data([scale], [apart(pair, scale)])
        for artist in (other, other_text, now):
            artist.set_color(COLORS[pair])
        for name, label in labels.items():
            label.set(text=f"{name}: {_size(apart(name, scale))}")
            label.set_weight("bold" if name == pair else "normal")
        return (
            f"With W_h times {scale:g} and {pair}, the two GRUs are {_size(apart(pair, scale))} "
            f"apart, in units of their states; unrelated sequences are {unrelated(scale):.2f} apart."
        )

    return update
