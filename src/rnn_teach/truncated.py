"""Truncated backpropagation through time: the state goes on from window to window, the gradient does not."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .bptt import BPTT, LOSSES, Network, check_target
from .cells import checking


def windows(
    network: Network,
    x: np.ndarray,
    target: np.ndarray,
    *,
    k1: int,
    k2: int,
    loss: str = "cross_entropy",
    at: str = "every",
    over_time: str = "mean",
    state: object = None,
    lengths: np.ndarray | None = None,
) -> Iterator[BPTT]:
    """Yield the gradient of every `k1` steps in turn, each followed back over `k2` steps at most.

    Write L_t for what step t adds to the loss of `bptt`. Window j ends at step e = j k1 and asks

        d(L_{e-k1+1} + ... + L_e)  with the state h_{e-k2} taken as a constant

    so each L_t is asked once, and what step s does to it counts if s > e - k2. With k2 = k1 the
    windows lie side by side; with k2 > k1 they overlap, and even the first L_t of a window sees
    k2 - k1 + 1 steps. With k1 = 1 every L_t sees exactly k2 steps. The last window may ask fewer.

    You may change the parameters between two windows: this is how one trains on a sequence that
    does not end. The state that is carried over is then the one the older parameters computed.

    Arguments: x (T, N, D); target (T, N) integers or (T, N, K) numbers, without T for at="last";
    k1, k2 with 1 <= k1 <= k2, the steps from one window to the next and the steps back; lengths
    (N,); all as in `bptt`. A sequence that has ended reads on in its padding, at weight 0.
    Yields a `BPTT` for each window: loss, its share of the whole; y (up to k1, N, K); trace and
    grads of up to k2 steps.
    Raises TypeError or ValueError naming the argument, FloatingPointError as `bptt` does.
    Source: Williams & Peng 1990, where BPTT(h; h') is k2 = h, k1 = h'.

    >>> from rnn_teach.bptt import Readout
    >>> from rnn_teach.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> network = Network(RNN(3, 4, rng=rng), Readout(4, 2, rng=rng))
    >>> x, target = np.ones((20, 1, 3)), np.zeros((20, 1), int)
    >>> for window in windows(network, x, target, k1=5, k2=10):
    ...     network.cell.W_h -= 0.1 * window.grads["cell.W_h"]
    ...     print(len(window.y), len(window.trace.h))
    5 5
    5 10
    5 10
    5 10
    """
    k1, k2 = checking.size("k1", k1), checking.size("k2", k2)
    if k2 < k1:
        raise ValueError(f"k2: expected at least k1={k1}, or losses would be left out, got {k2}")
    checking.choice("loss", loss, LOSSES)
    checking.choice("at", at, ("every", "last"))
    checking.choice("over_time", over_time, ("mean", "sum"))
    x = checking.numbers("x", x, T=None, N=None, D=None)
    T, N, _ = x.shape
    mask = checking.lengths_mask(lengths, T, N)
    asked = (N,) if at == "last" else (T, N)
    target = check_target(target, np.broadcast_to(0.0, (*asked, network.readout.K)), loss)
    target = np.broadcast_to(target, (T, *target.shape)) if at == "last" else target
    weights = _step_weights(np.ones((T, N), bool) if mask is None else mask, at, over_time)
    return _windows(network, x, target, weights, k1, k2, loss, state)


def _windows(
    network: Network,
    x: np.ndarray,
    target: np.ndarray,
    weights: np.ndarray,
    k1: int,
    k2: int,
    loss: str,
    state: object,
) -> Iterator[BPTT]:
    T = len(x)
    start = done = 0  # the window begins at `start`; the losses before `done` have been asked
    while done < T:
        end = min(done + k1, T)
        trace = network.cell.forward(x[start:end], state)
        h = trace.h[done - start :]
        y = network.readout.forward(h)
        value, dy = LOSSES[loss](y, target[done:end], weights[done:end])
        if not np.isfinite(value):
            raise FloatingPointError(f"loss: expected a finite number, got {value}")
        readout = network.readout.backward(h, dy)
        dh = np.zeros(trace.h.shape, dy.dtype)
        dh[done - start :] = readout["h"]
        cell = network.cell.backward(trace, dh)
        grads = {f"cell.{name}": cell.pop(name) for name in network.cell.parameters}
        grads |= {f"readout.{name}": readout[name] for name in network.readout.parameters}

        # before the caller changes the parameters: the state from which the next window sets out
        following = max(0, min(end + k1, T) - k2)
        if following == end:
            state = trace.final
        elif following > start:
            state = network.cell.forward(x[start:following], state).final
        yield BPTT(value, y, trace, grads | cell)
        start, done = following, end


def truncated_bptt(
    network: Network,
    x: np.ndarray,
    target: np.ndarray,
    *,
    k1: int,
    k2: int,
    at: str = "every",
    lengths: np.ndarray | None = None,
    **options: Any,
) -> BPTT:
    """The sum of all `windows`: the loss of `bptt`, and its gradient but for what is older than k2 steps.

    With k1 = k2 = T nothing is left out and it is the gradient of `bptt`. Otherwise it is biased:
    less to compute and to keep, and no way to learn from what is further back. Give it to `fit` as
    `bptt=functools.partial(truncated_bptt, k1=10, k2=20)`.

    Arguments: x (T, N, D), target (T, N) or (T, N, K), lengths (N,) and all others as in `windows`.
    Returns `BPTT`: loss and y as from `bptt`; the trace of the last window, whose `trace.final` is
    the state to go on from; grads of the parameters.
    Raises TypeError or ValueError naming the argument, FloatingPointError as `bptt` does.
    Source: Williams & Peng 1990.

    >>> from rnn_teach.bptt import Readout, bptt
    >>> from rnn_teach.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> network = Network(RNN(3, 4, rng=rng), Readout(4, 2, rng=rng))
    >>> x, target = rng.normal(size=(20, 1, 3)), np.zeros((20, 1), int)
    >>> whole = bptt(network, x, target).grads["cell.W_h"]
    >>> for k2 in (1, 2, 20):  # how far off
    ...     part = truncated_bptt(network, x, target, k1=1, k2=k2).grads["cell.W_h"]
    ...     print(k2, (np.linalg.norm(part - whole) / np.linalg.norm(whole)).round(3))
    1 0.492
    2 0.199
    20 0.0
    """
    parts = windows(network, x, target, k1=k1, k2=k2, at=at, lengths=lengths, **options)
    loss, ys, grads, trace = 0.0, [], {}, None
    for part in parts:
        loss, trace = part.loss + loss, part.trace
        ys.append(part.y)
        for name in network.parameters:
            grads[name] = grads[name] + part.grads[name] if name in grads else part.grads[name]
    y = np.concatenate(ys)
    if at == "last":
        last = np.full(y.shape[1], len(y)) if lengths is None else np.asarray(lengths)
        y = y[last - 1, np.arange(len(last))]
    return BPTT(loss, y, trace, grads)


def _step_weights(runs: np.ndarray, at: str, over_time: str) -> np.ndarray:
    """How much each step counts, (T, N), for sequences that run where `runs` (T, N) is True."""
    N, lengths = runs.shape[1], runs.sum(axis=0)
    if at == "last":
        return (np.arange(len(runs))[:, None] == lengths - 1) / N
    return runs / N if over_time == "sum" else runs / (N * lengths)
