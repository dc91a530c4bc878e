"""The LSTM: a learner's step forward and back."""

from collections.abc import Callable
from functools import partial

import numpy as np

from ..cells import LSTM
from ..functional import dsigmoid, dtanh, sigmoid
from .cases import BACK_FROM_A, WRONG_FROM_A, cell_of, join, other_orders, split, step_cases
from .marking import Task, Verdict, mark

FORWARD = {
    "order": lambda: "ifgo",
    "hW": lambda h_prev, W_h: h_prev @ W_h,
    "a": lambda x, W_x, hW, b, order: split(x @ W_x + hW + b, order),
    "i": lambda a: sigmoid(a["i"]),
    "f": lambda a: sigmoid(a["f"]),
    "g": lambda a: np.tanh(a["g"]),
    "o": lambda a: sigmoid(a["o"]),
    "c": lambda i, f, g, c_prev: f * c_prev + i * g,
    "tanh_c": lambda c: np.tanh(c),
    "h": lambda o, tanh_c: o * tanh_c,
}


def _with_b_i(a, b, gate: str):
    b = split(b, "ifgo")
    return a[gate] - b[gate] + b["i"]


def _step(x, h_prev, c_prev, W_x, W_h, b):
    return cell_of(LSTM, {"W_x": W_x, "W_h": W_h, "b": b}).forward(x[None], (h_prev, c_prev)).final


STEP = Task(
    "lstm_step",
    results=("h", "c"),
    right=_step,
    cases=partial(step_cases, gates=4, states=2),
    lines=FORWARD,
    wrong={
        "the output tanh is missing: h = o tanh(c), not o c": {"h": lambda o, c: o * c},
        **other_orders("the gates are read", "order", "ifgo"),
        "the candidate g has no tanh": {"g": lambda a: a["g"]},
        "a sigmoid stands where the tanh of the candidate g belongs": {
            "g": lambda a: sigmoid(a["g"])
        },
        "the three gates have no sigmoid": {
            "i": lambda a: a["i"],
            "f": lambda a: a["f"],
            "o": lambda a: a["o"],
        },
        "tanh stands where the sigmoid of the three gates belongs": {
            "i": lambda a: np.tanh(a["i"]),
            "f": lambda a: np.tanh(a["f"]),
            "o": lambda a: np.tanh(a["o"]),
        },
        "a sigmoid stands where the output tanh belongs: h = o tanh(c)": {
            "h": lambda o, c: o * sigmoid(c)
        },
        "h is made of the old cell state: h = o tanh(c), not o tanh(c_prev)": {
            "h": lambda o, c_prev: o * np.tanh(c_prev)
        },
        "the output gate is left out: h = o tanh(c)": {"h": lambda tanh_c: tanh_c},
        "the cell state is not carried over: c = f c_prev + i g": {"c": lambda i, g: i * g},
        "the forget gate is left out: c = f c_prev + i g": {
            "c": lambda i, g, c_prev: c_prev + i * g
        },
        "the input gate is left out: c = f c_prev + i g": {
            "c": lambda f, g, c_prev: f * c_prev + g
        },
        "f is flipped: f = 1 keeps, so c = f c_prev + i g, not (1 - f) c_prev + i g": {
            "c": lambda i, f, g, c_prev: (1 - f) * c_prev + i * g
        },
        "the gates are coupled: i is a gate of its own, not 1 - f": {
            "c": lambda f, g, c_prev: f * c_prev + (1 - f) * g
        },
        "the state is not carried over: h_prev plays no part": {"hW": lambda: 0},
        "c_prev stands where h_prev belongs": {"hW": lambda c_prev, W_h: c_prev @ W_h},
        "the input x plays no part": {"x": lambda x: 0 * x},
        "the bias b is left out": {"b": lambda b: 0 * b},
        "the bias is counted twice, once with each product": {"b": lambda b: 2 * b},
        "b_i is used twice: f has a bias of its own": {
            "f": lambda a, b: sigmoid(_with_b_i(a, b, "f"))
        },
        "b_i is used twice: g has a bias of its own": {
            "g": lambda a, b: np.tanh(_with_b_i(a, b, "g"))
        },
        "b_i is used twice: o has a bias of its own": {
            "o": lambda a, b: sigmoid(_with_b_i(a, b, "o"))
        },
        "1 is added to the forget gate: a forget bias belongs into b": {
            "f": lambda a: sigmoid(a["f"] + 1)
        },
        "h and c are returned in the order c, h": {
            "c": lambda i, f, g, o, c_prev: o * np.tanh(f * c_prev + i * g),
            "h": lambda i, f, g, c_prev: f * c_prev + i * g,
        },
    },
)


def lstm_step(theirs: Callable) -> Verdict:
    """Mark c = f c_prev + i g and h = o tanh(c), one step of an LSTM.

    i, f, o are sigmoids and g is the tanh of their part of x W_x + h_prev W_h + b, where the four
    parts stand side by side in the order i, f, g, o.

    Arguments: theirs(x (N, D), h_prev (N, H), c_prev (N, H), W_x (D, 4H), W_h (H, 4H), b (4H,))
    -> h, c, each (N, H).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Hochreiter & Schmidhuber 1997; the forget gate: Gers, Schmidhuber & Cummins 2000.

    >>> from rnn_teach.functional import sigmoid
    >>> def my_step(x, h_prev, c_prev, W_x, W_h, b):
    ...     i, f, o, g = np.split(x @ W_x + h_prev @ W_h + b, 4, axis=1)
    ...     c = sigmoid(f) * c_prev + sigmoid(i) * np.tanh(g)
    ...     return sigmoid(o) * np.tanh(c), c
    >>> lstm_step(my_step)  # doctest: +ELLIPSIS
    lstm_step is wrong. Most likely: the gates are read in the order i, f, o, g, not i, f, g, o.
    ...
    """
    return mark(STEP, theirs)


def _step_backward(dh, dc, x, h_prev, c_prev, W_x, W_h, b):
    cell = cell_of(LSTM, {"W_x": W_x, "W_h": W_h, "b": b})
    grads = cell.backward(cell.forward(x[None], (h_prev, c_prev)), dh[None], (0 * dh, dc))
    first = (grads["x"][0], grads["h0"], grads["c0"])
    return (*first, grads["W_x"], grads["W_h"], grads["b"])


STEP_BACKWARD = Task(
    "lstm_step_backward",
    results=("dx", "dh_prev", "dc_prev", "dW_x", "dW_h", "db"),
    right=_step_backward,
    cases=partial(step_cases, gates=4, states=2, slopes=2),
    lines={
        **FORWARD,
        "slope_i": lambda i: dsigmoid(i),
        "slope_f": lambda f: dsigmoid(f),
        "slope_g": lambda g: dtanh(g),
        "slope_o": lambda o: dsigmoid(o),
        "slope_c": lambda tanh_c: dtanh(tanh_c),
        "dc_total": lambda dh, dc, o, slope_c: dc + dh * o * slope_c,
        "da_i": lambda dc_total, g, slope_i: dc_total * g * slope_i,
        "da_f": lambda dc_total, c_prev, slope_f: dc_total * c_prev * slope_f,
        "da_g": lambda dc_total, i, slope_g: dc_total * i * slope_g,
        "da_o": lambda dh, tanh_c, slope_o: dh * tanh_c * slope_o,
        "joined": lambda order: order,
        "da": lambda da_i, da_f, da_g, da_o, joined: join(
            {"i": da_i, "f": da_f, "g": da_g, "o": da_o}, joined
        ),
        **BACK_FROM_A,
        "dc_prev": lambda dc_total, f: dc_total * f,
    },
    wrong={
        "c lacks what comes back through h: it gets dc + dh o (1 - tanh(c)^2)": {
            "dc_total": lambda dc: dc
        },
        "c lacks what comes back along the cell state: it gets dc + dh o (1 - tanh(c)^2)": {
            "dc_total": lambda dh, o, slope_c: dh * o * slope_c
        },
        "only dc_prev lacks what comes back through h": {"dc_prev": lambda dc, f: dc * f},
        "the forget gate is left out on the way back: c_prev gets f times what c gets": {
            "dc_prev": lambda dc_total: dc_total
        },
        "the output gate is left out on the way back: c gets dc + dh o (1 - tanh(c)^2)": {
            "dc_total": lambda dh, dc, slope_c: dc + dh * slope_c
        },
        "the slope of the output tanh is 1 - tanh(c)^2, not 1 - c^2": {
            "slope_c": lambda c: dtanh(c)
        },
        "the slope of the output tanh is left out: 1 - tanh(c)^2": {"slope_c": lambda: 1},
        "the slope of the candidate's tanh is 1 - g^2, not 1 - a^2": {
            "slope_g": lambda a: dtanh(a["g"])
        },
        "the slope of the candidate's tanh is left out: 1 - g^2": {"slope_g": lambda: 1},
        "the sigmoid's slope stands where the candidate's, 1 - g^2, belongs": {
            "slope_g": lambda g: dsigmoid(g)
        },
        "the slopes of the sigmoids, such as i (1 - i), are left out": {
            "slope_i": lambda: 1,
            "slope_f": lambda: 1,
            "slope_o": lambda: 1,
        },
        "the slopes of the sigmoids are i (1 - i), not a (1 - a), and so on": {
            "slope_i": lambda a: dsigmoid(a["i"]),
            "slope_f": lambda a: dsigmoid(a["f"]),
            "slope_o": lambda a: dsigmoid(a["o"]),
        },
        "tanh's slope stands where the sigmoids', such as i (1 - i), belongs": {
            "slope_i": lambda i: dtanh(i),
            "slope_f": lambda f: dtanh(f),
            "slope_o": lambda o: dtanh(o),
        },
        "df is made of c: f multiplies c_prev": {
            "da_f": lambda dc_total, c, slope_f: dc_total * c * slope_f
        },
        "do is made of c: o multiplies tanh(c)": {"da_o": lambda dh, c, slope_o: dh * c * slope_o},
        "i and g are exchanged: di is made of g, and dg of i": {
            "da_i": lambda dc_total, i, slope_i: dc_total * i * slope_i,
            "da_g": lambda dc_total, g, slope_g: dc_total * g * slope_g,
        },
        **other_orders("the gates are read and put together", "order", "ifgo"),
        **other_orders("the gates' gradients are put together", "joined", "ifgo"),
        **WRONG_FROM_A,
    },
)


def lstm_step_backward(theirs: Callable) -> Verdict:
    """Mark c's whole gradient dc + dh o (1 - tanh(c)^2), what the gates get of it, and the rest.

    Arguments: theirs(dh (N, H), dc (N, H), x (N, D), h_prev (N, H), c_prev (N, H), W_x (D, 4H),
    W_h (H, 4H), b (4H,)) -> dx, dh_prev, dc_prev, dW_x, dW_h, db, in this order or as a dict with
    these names. dh and dc are what comes back to h and c from everything after this step.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Gers, Schmidhuber & Cummins 2000, with the whole gradient.

    >>> lstm_step_backward(lambda dh, *others: dh)  # doctest: +ELLIPSIS
    lstm_step_backward is wrong: it returned an array of shape (3, 3) and dtype float64, expected 6 things: ...
    """
    return mark(STEP_BACKWARD, theirs)
