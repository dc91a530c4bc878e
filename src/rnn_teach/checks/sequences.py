"""Many steps: a learner's loop forward, and backpropagation through time."""

from collections.abc import Callable
from functools import partial

import numpy as np

from ..cells import RNN
from ..functional import dtanh
from .cases import cell_of
from .marking import Task, Verdict, mark


def _cases(slopes: int) -> list[tuple]:
    """x (T, N, D), h0 (N, H), `slopes` arrays (T, N, H), W_x, W_h, b; at first N = D = H."""
    rng = np.random.default_rng(2)
    return [
        (
            rng.normal(size=(T, N, D)),
            rng.normal(size=(N, H)),
            *rng.normal(size=(slopes, T, N, H)),
            rng.normal(size=(D, H)) / 2,
            rng.normal(size=(H, H)) / 2,
            rng.normal(size=H),
        )
        for T, N, D, H in ((4, 3, 3, 3), (5, 2, 3, 4), (1, 2, 2, 3))
    ]


def _states(x, h0, W_x, W_h, b, f: Callable) -> np.ndarray:
    """h_0, ..., h_T."""
    h = [h0]
    for x_t in x:
        h.append(f(x_t @ W_x + h[-1] @ W_h + b))
    return np.array(h)


def _forward(x, h0, W_x, W_h, b):
    return cell_of(RNN, {"W_x": W_x, "W_h": W_h, "b": b}).forward(x, h0).h


FORWARD = Task(
    "rnn_forward",
    results=("h",),
    right=_forward,
    cases=partial(_cases, slopes=0),
    lines={
        "f": lambda: np.tanh,
        "states": lambda x, h0, W_x, W_h, b, f: _states(x, h0, W_x, W_h, b, f),
        "h": lambda states: states[1:],
    },
    wrong={
        "the state is not carried over: every step starts from h0": {
            "h": lambda x, h0, W_x, W_h, b: np.tanh(x @ W_x + h0 @ W_h + b)
        },
        "the state is not carried over: every step starts from zeros": {
            "h": lambda x, W_x, b: np.tanh(x @ W_x + b)
        },
        "the first step starts from zeros, not from h0": {"h0": lambda h0: 0 * h0},
        "the bias b is left out": {"b": lambda b: 0 * b},
        "the output tanh is missing": {"f": lambda: np.positive},
        "W_h is transposed": {"W_h": lambda W_h: W_h.T},
        "every h[t] is the last state: one array is written over at each step": {
            "h": lambda states: np.broadcast_to(states[-1], states[1:].shape)
        },
        "only the last state is returned": {"h": lambda states: states[-1]},
        "h0 is returned along with the T states": {"h": lambda states: states},
        "the states come one step late: h[t] is the state after x[t]": {
            "h": lambda states: states[:-1]
        },
        "the sequence is read backwards": {"x": lambda x: x[::-1]},
        "the sequence is read backwards, and the states are put back in order": {
            "x": lambda x: x[::-1],
            "h": lambda states: states[:0:-1],
        },
        "sequences stand first: h is (T, N, H), time first": {
            "h": lambda states: states[1:].swapaxes(0, 1)
        },
    },
)


def rnn_forward(theirs: Callable) -> Verdict:
    """Mark h_t = tanh(x_t W_x + h_{t-1} W_h + b) for t = 1..T, a whole sequence.

    Arguments: theirs(x (T, N, D), h0 (N, H), W_x (D, H), W_h (H, H), b (H,)) -> h (T, N, H).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Elman 1990.

    >>> def my_forward(x, h0, W_x, W_h, b):
    ...     return [np.tanh(x_t @ W_x + h0 @ W_h + b) for x_t in x]
    >>> rnn_forward(my_forward)
    rnn_forward is wrong. Most likely: the state is not carried over: every step starts from h0.
    h[1, 0, 0] is -0.86758092, expected -0.86921977.
    Called as rnn_forward(x (4, 3, 3), h0 (3, 3), W_x (3, 3), W_h (3, 3), b (3,)).
    """
    return mark(FORWARD, theirs)


def _bptt(x, h0, dh, W_x, W_h, b):
    cell = cell_of(RNN, {"W_x": W_x, "W_h": W_h, "b": b})
    grads = cell.backward(cell.forward(x, h0), dh)
    return grads["W_x"], grads["W_h"], grads["b"], grads["h0"]


def _back(dh, slope, W_back, carried) -> np.ndarray:
    """da_t = (dh_t + what comes back from step t+1) slope_t, for t = T..1."""
    da = np.zeros_like(dh)
    for t in reversed(range(len(dh))):
        later = da[t + 1] @ W_back if t + 1 < len(dh) else 0
        da[t] = carried(dh[t], later) * slope[t]
    return da


BPTT = Task(
    "bptt",
    results=("dW_x", "dW_h", "db", "dh0"),
    right=_bptt,
    cases=partial(_cases, slopes=1),
    lines={
        "f": lambda: np.tanh,
        "states": lambda x, h0, W_x, W_h, b, f: _states(x, h0, W_x, W_h, b, f),
        "h_prev": lambda states: states[:-1],
        "h": lambda states: states[1:],
        "slope": lambda h: dtanh(h),
        "W_back": lambda W_h: W_h.T,
        "carried": lambda: lambda dh_t, later: dh_t + later,
        "da": lambda dh, slope, W_back, carried: _back(dh, slope, W_back, carried),
        "over_time": lambda: lambda each_step: each_step.sum(axis=0),
        "over_batch": lambda: lambda da: da.sum(axis=1),
        "dW_x": lambda x, da, over_time: over_time(x.swapaxes(1, 2) @ da),
        "dW_h": lambda h_prev, da, over_time: over_time(h_prev.swapaxes(1, 2) @ da),
        "db": lambda da, over_time, over_batch: over_time(over_batch(da)),
        "dh0": lambda da, W_back: da[0] @ W_back,
    },
    wrong={
        "the gradient is not summed over time: only the first step's is left, = in place of +=": {
            "over_time": lambda: lambda each_step: each_step[0]
        },
        "the gradient is not summed over time: only the last step counts": {
            "over_time": lambda: lambda each_step: each_step[-1]
        },
        "the gradient is not summed over time: there is one for each step": {
            "over_time": lambda: lambda each_step: each_step
        },
        "the gradient is averaged over time: it is a sum of the T steps": {
            "over_time": lambda: lambda each_step: each_step.mean(axis=0)
        },
        "the first step is left out: the loop back ends one step early": {
            "over_time": lambda: lambda each_step: each_step[1:].sum(axis=0)
        },
        "nothing is carried back: dh[t] lacks da_{t+1} W_h^T, what comes through h_{t+1}": {
            "carried": lambda: lambda dh_t, later: dh_t
        },
        "the loss at the earlier steps is left out: dh[t] adds to what is carried back": {
            "dh": lambda dh: np.concatenate([0 * dh[:-1], dh[-1:]])
        },
        "what is carried back lacks the slope: it is da W_h^T, not dh W_h^T": {
            "da": lambda dh, slope, W_back: slope * _back(dh, np.ones_like(dh), W_back, np.add),
            "dh0": lambda dh, W_back: _back(dh, np.ones_like(dh), W_back, np.add)[0] @ W_back,
        },
        "the slope of tanh is 1 - h^2, not 1 - a^2": {
            "slope": lambda x, h_prev, W_x, W_h, b: dtanh(x @ W_x + h_prev @ W_h + b)
        },
        "the slope of tanh, 1 - h^2, is left out": {"slope": lambda h: np.ones_like(h)},
        "the slope is that of the state before: 1 - h_t^2, not 1 - h_{t-1}^2": {
            "slope": lambda h_prev: dtanh(h_prev)
        },
        "W_h is not transposed on the way back": {"W_back": lambda W_h: W_h},
        "dW_h is made of h_t: W_h multiplies h_{t-1}": {"h_prev": lambda states: states[1:]},
        "the state is not carried over on the way forward: every step starts from h0": {
            "h_prev": lambda x, h0: np.broadcast_to(h0, (len(x), *h0.shape)),
            "h": lambda x, h0, W_x, W_h, b: np.tanh(x @ W_x + h0 @ W_h + b),
        },
        "the first step starts from zeros, not from h0": {"h0": lambda h0: 0 * h0},
        "the output tanh is missing on the way forward": {"f": lambda: np.positive},
        "dh0 is what arrives at h_1: one more step back leads to h_0": {
            "dh0": lambda dh, da, W_back: dh[0] + (da[1] @ W_back if len(da) > 1 else 0)
        },
        "the gradients of the weights are averaged over the batch, not added up": {
            "over_time": lambda dh: lambda each_step: each_step.sum(axis=0) / dh.shape[1]
        },
        "db is averaged over the batch, not added up": {
            "over_batch": lambda: lambda da: da.mean(axis=1)
        },
        "db is not added up over the batch": {"over_batch": lambda: lambda da: da},
    },
)


def bptt(theirs: Callable) -> Verdict:
    """Mark dL/dW_h = sum_t h_{t-1}^T da_t, where da_t = (dh[t] + da_{t+1} W_h^T) (1 - h_t^2).

    Arguments: theirs(x (T, N, D), h0 (N, H), dh (T, N, H), W_x (D, H), W_h (H, H), b (H,)) ->
    dW_x, dW_h, db, dh0, in this order or as a dict with these names. dh[t] is how L depends
    directly on h_t; the states have to be computed first.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Werbos 1990; Goodfellow, Bengio & Courville 2016, section 10.2.2.

    >>> bptt(None)
    Traceback (most recent call last):
    ...
    TypeError: bptt: expected your function itself, not its result, got NoneType
    """
    return mark(BPTT, theirs)
