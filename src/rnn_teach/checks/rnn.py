"""The plain recurrent layer: a learner's step forward and back."""

from collections.abc import Callable
from functools import partial

import numpy as np

from ..cells import RNN
from ..functional import relu, sigmoid
from .cases import BACK_FROM_A, WRONG_FROM_A, cell_of, step_cases
from .marking import Task, Verdict, mark


def _step(x, h_prev, W_x, W_h, b):
    return cell_of(RNN, {"W_x": W_x, "W_h": W_h, "b": b}).forward(x[None], h_prev).final


STEP = Task(
    "rnn_step",
    results=("h",),
    right=_step,
    cases=partial(step_cases, gates=1, states=1),
    lines={
        "xW": lambda x, W_x: x @ W_x,
        "hW": lambda h_prev, W_h: h_prev @ W_h,
        "a": lambda xW, hW, b: xW + hW + b,
        "h": lambda a: np.tanh(a),
    },
    wrong={
        "the output tanh is missing": {"h": lambda a: a},
        "a sigmoid stands where the tanh belongs": {"h": lambda a: sigmoid(a)},
        "a ReLU stands where the tanh belongs": {"h": lambda a: relu(a)},
        "the bias b is left out": {"b": lambda b: 0 * b},
        "the bias is counted twice, once with each product": {"b": lambda b: 2 * b},
        "the state is not carried over: h_prev plays no part": {"hW": lambda: 0},
        "the input x plays no part": {"xW": lambda: 0},
        "W_h is transposed": {"W_h": lambda W_h: W_h.T},
        "W_x is transposed": {"W_x": lambda W_x: W_x.T},
        "W_x and W_h are transposed": {"W_x": lambda W_x: W_x.T, "W_h": lambda W_h: W_h.T},
        "W_x and W_h have changed places": {
            "xW": lambda x, W_h: x @ W_h,
            "hW": lambda h_prev, W_x: h_prev @ W_x,
        },
        "h_prev is added as it is, without W_h": {"hW": lambda h_prev: h_prev},
        "the old state is added to the new one": {"h": lambda a, h_prev: np.tanh(a) + h_prev},
        "* stands where @ belongs": {
            "xW": lambda x, W_x: x * W_x,
            "hW": lambda h_prev, W_h: h_prev * W_h,
        },
        "the tanh is taken of each product, not of their sum": {
            "h": lambda xW, hW, b: np.tanh(xW) + np.tanh(hW + b)
        },
        "the bias stands outside the tanh": {"h": lambda xW, hW, b: np.tanh(xW + hW) + b},
    },
)


def rnn_step(theirs: Callable) -> Verdict:
    """Mark h = tanh(x W_x + h_prev W_h + b), one step of the plain recurrent layer.

    Arguments: theirs(x (N, D), h_prev (N, H), W_x (D, H), W_h (H, H), b (H,)) -> h (N, H).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Elman 1990.

    >>> rnn_step(lambda x, h_prev, W_x, W_h, b: x @ W_x + h_prev @ W_h + b)
    rnn_step is wrong. Most likely: the output tanh is missing.
    h[0, 0] is -0.85370696, expected -0.69300111.
    Called as rnn_step(x (3, 3), h_prev (3, 3), W_x (3, 3), W_h (3, 3), b (3,)).
    >>> rnn_step(lambda x, h_prev, W_x, W_h, b: np.tanh(x @ W_x + h_prev @ W_h + b))
    rnn_step is right.
    """
    return mark(STEP, theirs)


def _step_backward(dh, x, h_prev, W_x, W_h, b):
    cell = cell_of(RNN, {"W_x": W_x, "W_h": W_h, "b": b})
    grads = cell.backward(cell.forward(x[None], h_prev), dh[None])
    return grads["x"][0], grads["h0"], grads["W_x"], grads["W_h"], grads["b"]


STEP_BACKWARD = Task(
    "rnn_step_backward",
    results=("dx", "dh_prev", "dW_x", "dW_h", "db"),
    right=_step_backward,
    cases=partial(step_cases, gates=1, states=1, slopes=1),
    lines={
        "a": lambda x, h_prev, W_x, W_h, b: x @ W_x + h_prev @ W_h + b,
        "h": lambda a: np.tanh(a),
        "slope": lambda h: 1 - h * h,
        "da": lambda dh, slope: dh * slope,
        **BACK_FROM_A,
    },
    wrong={
        "the slope of tanh is 1 - h^2, not 1 - a^2": {"slope": lambda a: 1 - a * a},
        "the slope of tanh is left out: dL/da = dL/dh (1 - h^2)": {"slope": lambda: 1},
        "the slope of tanh is 1 - h^2; h (1 - h) is the sigmoid's": {
            "slope": lambda h: h * (1 - h)
        },
        "the slope of tanh is 1 - h^2, not 1 - h": {"slope": lambda h: 1 - h},
        "the slope is taken of h, as if tanh came twice: 1 - h^2, not 1 - tanh(h)^2": {
            "slope": lambda h: 1 - np.tanh(h) ** 2
        },
        "the slope of a ReLU stands where that of tanh belongs": {"slope": lambda a: a > 0},
        "W_h is not transposed on the way back: dh_prev = da W_h^T": {
            "dh_prev": lambda da, W_h: da @ W_h
        },
        "W_x is not transposed on the way back: dx = da W_x^T": {"dx": lambda da, W_x: da @ W_x},
        "neither matrix is transposed on the way back: dx = da W_x^T, dh_prev = da W_h^T": {
            "dx": lambda da, W_x: da @ W_x,
            "dh_prev": lambda da, W_h: da @ W_h,
        },
        "dh goes back without the slope: dh_prev = da W_h^T, not dh W_h^T": {
            "dh_prev": lambda dh, W_h: dh @ W_h.T
        },
        "the weights get dh in place of da = dh (1 - h^2)": {
            "dW_x": lambda x, dh: x.T @ dh,
            "dW_h": lambda h_prev, dh: h_prev.T @ dh,
            "db": lambda dh: dh.sum(axis=0),
        },
        **WRONG_FROM_A,
    },
)


def rnn_step_backward(theirs: Callable) -> Verdict:
    """Mark da = dh (1 - h^2) and what follows: dx = da W_x^T, dh_prev = da W_h^T, dW_x = x^T da, ...

    Arguments: theirs(dh (N, H), x (N, D), h_prev (N, H), W_x (D, H), W_h (H, H), b (H,)) ->
    dx, dh_prev, dW_x, dW_h, db, in this order or as a dict with these names.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Werbos 1990.

    >>> def my_step_backward(dh, x, h_prev, W_x, W_h, b):
    ...     a = x @ W_x + h_prev @ W_h + b
    ...     da = dh * (1 - a**2)
    ...     return da @ W_x.T, da @ W_h.T, x.T @ da, h_prev.T @ da, da.sum(axis=0)
    >>> rnn_step_backward(my_step_backward)  # doctest: +ELLIPSIS
    rnn_step_backward is wrong. Most likely: the slope of tanh is 1 - h^2, not 1 - a^2.
    ...
    """
    return mark(STEP_BACKWARD, theirs)
