"""Chapter 13's networks: each finds a hidden symbol of a text from what stands before it, behind it, or both."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .. import tasks
from ..bidirectional import Bidirectional
from ..bptt import Network, predict
from ..cells import RNN, Layer, Trace
from ..functional import cross_entropy, softmax
from .language import Data, before_and_after, english

UNITS = {"forward": 64, "backward": 64, "both": 39}  # so that all three have as many parameters
STRIDE = {"forward": 1, "backward": -1}  # x[::STRIDE] is the order in which a layer reads
BEFORE = 40  # symbols that a network has seen when it is asked for one in use


class AroundTrace(NamedTuple):
    """The trace of each layer in its own order, and the states beside every step."""

    parts: dict[str, Trace]
    h: np.ndarray  # (T, N, H)
    mask: None = None

    @property
    def final(self) -> None:
        """There is none to go on from: the layer that reads backward has ended at the first step."""


class Around:
    """h_t = [u_{t-1}, v_{t+1}]: what the layers have read when they stop in front of x_t.

    The forward layer has then read x_1 .. x_{t-1}, the backward layer x_T .. x_{t+1}, and neither
    x_t. So every step of a sequence is a gap to be filled, and one pass fills them all. The states
    are those of a `Bidirectional`, which joins u_t and v_t. Beyond both ends the state is zero.

    Arguments: forward, backward, any two layers of the same D, or only one of them.
    Source: Schuster & Paliwal 1997, there with x_t.
    """

    last_has_read_all = False

    def __init__(self, **parts: Layer):
        self.parts = parts
        (self.D,) = {layer.D for layer in parts.values()}
        self.H = sum(layer.H for layer in parts.values())

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        return {name: p.shape for name, p in self.parameters.items()}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: "forward.W_x", ..., "backward.b"."""
        parts = self.parts.items()
        return {f"{k}.{name}": p for k, layer in parts for name, p in layer.parameters.items()}

    def forward(
        self, x: np.ndarray, state: None = None, lengths: np.ndarray | None = None
    ) -> AroundTrace:
        """Each layer reads x (T, N, D) from its side; its states are handed one step on.

        Raises ValueError for a state or for lengths: the sequences are whole, and equally long.
        """
        if state is not None or lengths is not None:
            raise ValueError("state, lengths: expected None, whole sequences of equal length")
        traces = {k: layer.forward(x[:: STRIDE[k]]) for k, layer in self.parts.items()}
        h = [_handed_on(trace.h)[:: STRIDE[k]] for k, trace in traces.items()]
        return AroundTrace(traces, np.concatenate(h, axis=2))

    def backward(
        self, trace: AroundTrace, dh: np.ndarray, dstate: None = None
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss, given dh (T, N, H): each layer goes back over its own reading."""
        grads, dx, first = {}, 0, 0
        for k, layer in self.parts.items():
            part = dh[:: STRIDE[k], :, first : first + layer.H]
            first += layer.H
            of_part = layer.backward(trace.parts[k], _handed_back(part))
            dx = dx + of_part.pop("x")[:: STRIDE[k]]
            grads |= {f"{k}.{name}": g for name, g in of_part.items()}
        return grads | {"x": dx, "h": dh.copy()}


def _handed_on(h: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(h[:1]), h[:-1]])


def _handed_back(dh: np.ndarray) -> np.ndarray:
    return np.concatenate([dh[1:], np.zeros_like(dh[:1])])


# Trained --------------------------------------------------------------------------------------


class Reader(NamedTuple):
    """A network that fills gaps, before and after training, and the text it was trained on."""

    data: Data
    untrained: Network
    trained: Network


def gaps(batch: tasks.Batch) -> tasks.Batch:
    """The same text, now with every symbol itself as the target, and no state handed on.

    >>> batch = gaps(tasks.Batch(np.eye(3)[[[2], [0]]], np.array([[0], [1]]), carry=True))
    >>> batch.target.ravel(), batch.carry
    (array([2, 0]), False)
    """
    return tasks.Batch(batch.x.astype(np.float32), batch.x.argmax(axis=2))


def network(name: str, K: int, *, rng: np.random.Generator) -> Around:
    """The layers of "forward", "backward" or "both" for K symbols, with `UNITS` a direction."""
    sides = STRIDE if name == "both" else [name]
    return Around(**{side: RNN(K, UNITS[name], rng=rng) for side in sides})


def train(name: str, *, steps: int, seed: int) -> Reader:
    """Train "forward", "backward" or "both" to find each symbol of the text from those beside it."""
    data, rng = english(np.random.default_rng(seed)), np.random.default_rng([seed, UNITS[name]])
    asked = data._replace(batches=map(gaps, data.batches))
    cell = network(name, data.vocabulary.size, rng=rng)
    return Reader(data, *before_and_after(asked, cell, steps=steps, rng=rng))


def leak(*, steps: int, seed: int) -> Reader:
    """Train the two layers of "both" to find the *next* symbol, from states that have read it."""
    data, rng = english(np.random.default_rng(seed)), np.random.default_rng([seed, UNITS["both"]])
    batches = (b._replace(x=b.x.astype(np.float32), carry=False) for b in data.batches)
    cell = Bidirectional(*network("both", data.vocabulary.size, rng=rng).parts.values())
    whole = data._replace(batches=batches)
    return Reader(data, *before_and_after(whole, cell, steps=steps, rng=rng))


# Measured -------------------------------------------------------------------------------------


def probabilities(network: Network, x: np.ndarray) -> np.ndarray:
    """What the network says of every symbol of x (T, N, K), hidden one at a time: (T, N, K)."""
    return softmax(predict(network, x.astype(np.float32))[0])


def counted(data: Data) -> dict[str, np.ndarray]:
    """What two models that only count say of every symbol of the held-out text: (T, N, K) each.

    "most frequent" knows how often each symbol is used; "both neighbors" how often it stands
    between this one and that one, each triple counted once more than it occurs.
    """
    K = data.vocabulary.size
    codes = data.vocabulary.encode(data.train)
    often = tasks.unigram(codes, K)
    between = np.ones((K, K, K))
    np.add.at(between, (codes[:-2], codes[2:], codes[1:-1]), 1)
    between /= between.sum(axis=2, keepdims=True)
    asked = data.measured.x.argmax(axis=2)
    p = np.broadcast_to(often, (*asked.shape, K)).copy()
    said = {"most frequent": p.copy()}
    p[1:-1] = between[asked[:-2], asked[2:]]
    return said | {"both neighbors": p}


def everything_said(readers: dict[str, Reader]) -> dict[str, np.ndarray]:
    """The probabilities of all models, counting ones first, for the whole held-out text."""
    data = readers["both"].data
    networks = {k: probabilities(r.trained, data.measured.x) for k, r in readers.items()}
    return counted(data) | networks


def places(data: Data, behind: int) -> np.ndarray:
    """Every fifth place of the held-out text, with 40 symbols before it: codes (M, 41 + behind)."""
    codes = data.vocabulary.encode(data.held_out)
    return np.lib.stride_tricks.sliding_window_view(codes, BEFORE + 1 + behind)[::5]


def loss(p: np.ndarray, target: np.ndarray) -> float:
    """The mean surprise -ln p(target), in nats per symbol, of probabilities p (..., K).

    >>> round(loss(np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([0, 1])), 3)
    0.693
    """
    with np.errstate(divide="ignore"):
        return float(cross_entropy(np.log(p), target, np.full(target.shape, 1 / target.size))[0])


def right(p: np.ndarray, target: np.ndarray) -> np.ndarray:
    """True where the most probable symbol of p (..., K) is the target (...)."""
    return p.argmax(axis=-1) == target


def ends_of_words(text: str, shortest: int = 4) -> tuple[list[int], list[int]]:
    """Where the words of a text begin and where they end, those of ``shortest`` letters or more.

    >>> ends_of_words("a word and letters")
    ([2, 11], [5, 17])
    """
    breaks = [k for k, symbol in enumerate(f" {text} ") if not symbol.isalpha()]
    words = [(a, b - 2) for a, b in pairwise(breaks) if b - a > shortest]
    return [first for first, _ in words], [last for _, last in words]


def right_at_ends(p: np.ndarray, data: Data) -> tuple[float, float]:
    """What share of the first letters of the held-out words is right, and what share of the last."""
    asked = data.measured.x.argmax(axis=2)
    found, shares = right(p, asked), []
    words = [ends_of_words(data.vocabulary.decode(stream)) for stream in asked.T]
    for k in (0, 1):
        ends = [found[places[k], n] for n, places in enumerate(words)]
        shares.append(float(np.concatenate(ends).mean()))
    return shares[0], shares[1]
