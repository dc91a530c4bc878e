"""The GRU: a learner's step forward and back."""

from collections.abc import Callable
from functools import partial

import numpy as np

from ..cells import GRU, checking
from ..functional import dsigmoid, dtanh, sigmoid
from .cases import cell_of, join, other_orders, split, step_cases
from .marking import Task, Verdict, mark

AFTER = {
    "order": lambda: "rzn",
    "xW": lambda x, W_x, b, order: split(x @ W_x + b, order),
    "hW": lambda h_prev, W_h, order: split(h_prev @ W_h, order),
    "r": lambda xW, hW: sigmoid(xW["r"] + hW["r"]),
    "z": lambda xW, hW: sigmoid(xW["z"] + hW["z"]),
    "m": lambda hW, b_hn: hW["n"] + b_hn,
    "a_n": lambda xW, r, m: xW["n"] + r * m,
    "n": lambda a_n: np.tanh(a_n),
    "h": lambda z, n, h_prev: (1 - z) * n + z * h_prev,
}
BEFORE = {
    **AFTER,
    "m": lambda r, h_prev, W_h, order: (r * h_prev) @ split(W_h, order)["n"],
    "a_n": lambda xW, m: xW["n"] + m,
}
# what goes wrong wherever the reset gate stands
WRONG = {
    "z is flipped: here z = 1 keeps, h = (1 - z) n + z h_prev": {
        "h": lambda z, n, h_prev: z * n + (1 - z) * h_prev
    },
    "the old state is not kept: h = (1 - z) n + z h_prev": {"h": lambda z, n: (1 - z) * n},
    "the candidate is not weighted: h = (1 - z) n + z h_prev": {
        "h": lambda z, n, h_prev: n + z * h_prev
    },
    "the update gate is left out: h = (1 - z) n + z h_prev": {"h": lambda n: n},
    **other_orders("the gates are read", "order", "rzn"),
    "the candidate n has no tanh": {"n": lambda a_n: a_n},
    "a sigmoid stands where the tanh of the candidate n belongs": {"n": lambda a_n: sigmoid(a_n)},
    "r and z have no sigmoid": {
        "r": lambda xW, hW: xW["r"] + hW["r"],
        "z": lambda xW, hW: xW["z"] + hW["z"],
    },
    "tanh stands where the sigmoid of r and z belongs": {
        "r": lambda xW, hW: np.tanh(xW["r"] + hW["r"]),
        "z": lambda xW, hW: np.tanh(xW["z"] + hW["z"]),
    },
    "the bias b is left out": {"b": lambda b: 0 * b},
    "the bias b is counted twice, once with each product": {"b": lambda b: 2 * b},
    "the input x plays no part": {"x": lambda x: 0 * x},
    "h_prev plays no part in the gates and the candidate": {"W_h": lambda W_h: 0 * W_h},
    "the state is not carried over: h_prev plays no part": {"h_prev": lambda h_prev: 0 * h_prev},
    "the candidate does not see h_prev": {"a_n": lambda xW: xW["n"]},
}


def _after(x, h_prev, W_x, W_h, b, b_hn):
    p = {"W_x": W_x, "W_h": W_h, "b": b, "b_hn": b_hn}
    return cell_of(GRU, p, reset="after").forward(x[None], h_prev).final


def _before(x, h_prev, W_x, W_h, b):
    p = {"W_x": W_x, "W_h": W_h, "b": b}
    return cell_of(GRU, p, reset="before").forward(x[None], h_prev).final


STEP_AFTER = Task(
    "gru_step",
    results=("h",),
    right=_after,
    cases=partial(step_cases, gates=3, states=1, more=1),
    lines=AFTER,
    wrong={
        "the reset stands before the product, (r h_prev) W_hn + b_hn: here it is r (h_prev W_hn + b_hn)": {
            "a_n": lambda xW, r, h_prev, W_h, b_hn: (
                xW["n"] + (r * h_prev) @ split(W_h, "rzn")["n"] + b_hn
            )
        },
        "the reset stands before the product, and b_hn is left out: here it is r (h_prev W_hn + b_hn)": {
            "a_n": lambda xW, r, h_prev, W_h: xW["n"] + (r * h_prev) @ split(W_h, "rzn")["n"]
        },
        "b_hn stands outside the reset: r (h_prev W_hn + b_hn)": {
            "a_n": lambda xW, hW, r, b_hn: xW["n"] + r * hW["n"] + b_hn
        },
        "the bias b_hn is left out": {"b_hn": lambda b_hn: 0 * b_hn},
        "the reset gate is left out: r (h_prev W_hn + b_hn)": {"a_n": lambda xW, m: xW["n"] + m},
        "the reset gate is flipped: r = 1 lets h_prev through": {
            "a_n": lambda xW, r, m: xW["n"] + (1 - r) * m
        },
        "the reset gate takes the input along: it resets h_prev W_hn + b_hn alone": {
            "a_n": lambda xW, r, m: r * (xW["n"] + m)
        },
        **WRONG,
    },
)
STEP_BEFORE = Task(
    "gru_step",
    results=("h",),
    right=_before,
    cases=partial(step_cases, gates=3, states=1),
    lines=BEFORE,
    wrong={
        "the reset stands after the product, r (h_prev W_hn): here it is (r h_prev) W_hn": {
            "a_n": lambda xW, hW, r: xW["n"] + r * hW["n"]
        },
        "the reset gate is left out: (r h_prev) W_hn": {"a_n": lambda xW, hW: xW["n"] + hW["n"]},
        "the reset gate is flipped: r = 1 lets h_prev through": {
            "a_n": lambda xW, hW, m: xW["n"] + hW["n"] - m
        },
        "the reset gate takes the input along: it resets h_prev alone": {
            "a_n": lambda xW, hW, r: r * (xW["n"] + hW["n"])
        },
        **WRONG,
    },
)


def gru_step(theirs: Callable, *, reset: str = "after") -> Verdict:
    """Mark h = (1 - z) n + z h_prev, one step of a GRU.

    r and z are sigmoids of their part of x W_x + h_prev W_h + b, and

        n = tanh(x W_xn + b_n + r (h_prev W_hn + b_hn))     reset="after" the product
        n = tanh(x W_xn + b_n + (r h_prev) W_hn)            reset="before" the product

    where the three parts stand side by side in the order r, z, n.

    Arguments: theirs(x (N, D), h_prev (N, H), W_x (D, 3H), W_h (H, 3H), b (3H,), b_hn (H,)) ->
    h (N, H), for reset="before" without b_hn.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function, ValueError for another reset.
    Source: Cho et al. 2014 (reset before); "after" is what cuDNN computes.

    >>> from rnn_teach.functional import sigmoid
    >>> def my_step(x, h_prev, W_x, W_h, b):
    ...     (x_r, x_z, x_n), (h_r, h_z, h_n) = (
    ...         np.split(a, 3, axis=1) for a in (x @ W_x + b, h_prev @ W_h))
    ...     n = np.tanh(x_n + sigmoid(x_r + h_r) * h_n)
    ...     z = sigmoid(x_z + h_z)
    ...     return (1 - z) * n + z * h_prev
    >>> gru_step(my_step, reset="before")  # doctest: +ELLIPSIS
    gru_step is wrong. Most likely: the reset stands after the product, r (h_prev W_hn): here it is (r h_prev) W_hn.
    ...
    """
    checking.choice("reset", reset, ("after", "before"))
    return mark(STEP_AFTER if reset == "after" else STEP_BEFORE, theirs)


def _step_backward(dh, x, h_prev, W_x, W_h, b, b_hn):
    cell = cell_of(GRU, {"W_x": W_x, "W_h": W_h, "b": b, "b_hn": b_hn}, reset="after")
    grads = cell.backward(cell.forward(x[None], h_prev), dh[None])
    return (grads["x"][0], grads["h0"], *(grads[name] for name in ("W_x", "W_h", "b", "b_hn")))


STEP_BACKWARD = Task(
    "gru_step_backward",
    results=("dx", "dh_prev", "dW_x", "dW_h", "db", "db_hn"),
    right=_step_backward,
    cases=partial(step_cases, gates=3, states=1, more=1, slopes=1),
    lines={
        **AFTER,
        "slope_r": lambda r: dsigmoid(r),
        "slope_z": lambda z: dsigmoid(z),
        "slope_n": lambda n: dtanh(n),
        "dn": lambda dh, z: dh * (1 - z),
        "da_n": lambda dn, slope_n: dn * slope_n,
        "dm": lambda da_n, r: da_n * r,
        "da_r": lambda da_n, m, slope_r: da_n * m * slope_r,
        "da_z": lambda dh, h_prev, n, slope_z: dh * (h_prev - n) * slope_z,
        "joined": lambda order: order,
        "da": lambda da_r, da_z, da_n, joined: join({"r": da_r, "z": da_z, "n": da_n}, joined),
        "da_h": lambda da_r, da_z, dm, joined: join({"r": da_r, "z": da_z, "n": dm}, joined),
        "dx": lambda da, W_x: da @ W_x.T,
        "dh_prev": lambda dh, z, da_h, W_h: dh * z + da_h @ W_h.T,
        "dW_x": lambda x, da: x.T @ da,
        "dW_h": lambda h_prev, da_h: h_prev.T @ da_h,
        "db": lambda da: da.sum(axis=0),
        "db_hn": lambda dm: dm.sum(axis=0),
    },
    wrong={
        "dh_prev lacks the way past the gates: dh z": {"dh_prev": lambda da_h, W_h: da_h @ W_h.T},
        "dh_prev lacks the way through the gates: only dh z is there": {
            "dh_prev": lambda dh, z: dh * z
        },
        "z is flipped on the way back: h_prev gets dh z and n gets dh (1 - z)": {
            "dn": lambda dh, z: dh * z,
            "dh_prev": lambda dh, z, da_h, W_h: dh * (1 - z) + da_h @ W_h.T,
        },
        "dz has the wrong sign: dz = dh (h_prev - n)": {
            "da_z": lambda dh, h_prev, n, slope_z: dh * (n - h_prev) * slope_z
        },
        "dz lacks h_prev: dz = dh (h_prev - n)": {"da_z": lambda dh, n, slope_z: dh * -n * slope_z},
        "the reset gate gets no gradient: dr = da_n (h_prev W_hn + b_hn)": {
            "da_r": lambda da_n: 0 * da_n
        },
        "dr lacks b_hn: dr = da_n (h_prev W_hn + b_hn)": {
            "da_r": lambda da_n, hW, slope_r: da_n * hW["n"] * slope_r
        },
        "dr is made of h_prev, as if the reset stood before the product": {
            "da_r": lambda da_n, h_prev, W_h, slope_r: (
                h_prev * (da_n @ split(W_h, "rzn")["n"].T) * slope_r
            )
        },
        "r is left out on the way back to h_prev W_hn + b_hn: it gets da_n r": {
            "dm": lambda da_n: da_n
        },
        "only db_hn lacks r: b_hn stands inside the reset": {
            "db_hn": lambda da_n: da_n.sum(axis=0)
        },
        "the slope of the candidate's tanh is 1 - n^2, not 1 - a^2": {
            "slope_n": lambda a_n: dtanh(a_n)
        },
        "the slope of the candidate's tanh is left out: 1 - n^2": {"slope_n": lambda: 1},
        "the slopes of the sigmoids, such as z (1 - z), are left out": {
            "slope_r": lambda: 1,
            "slope_z": lambda: 1,
        },
        "tanh's slope stands where the sigmoids', such as z (1 - z), belongs": {
            "slope_r": lambda r: dtanh(r),
            "slope_z": lambda z: dtanh(z),
        },
        "the candidate gets all of dh: dn = dh (1 - z)": {"dn": lambda dh: dh},
        **other_orders("the gates are read and put together", "order", "rzn"),
        **other_orders("the gates' gradients are put together", "joined", "rzn"),
        "the gradients of the weights are averaged over the batch, not added up": {
            "dW_x": lambda x, da: x.T @ da / len(x),
            "dW_h": lambda h_prev, da_h: h_prev.T @ da_h / len(da_h),
            "db": lambda da: da.mean(axis=0),
            "db_hn": lambda dm: dm.mean(axis=0),
        },
        "the biases' gradients are not added up over the batch": {
            "db": lambda da: da,
            "db_hn": lambda dm: dm,
        },
        "dW_h is made of h: W_h multiplies h_prev": {"dW_h": lambda h, da_h: h.T @ da_h},
    },
)


def gru_step_backward(theirs: Callable) -> Verdict:
    """Mark dn = dh (1 - z), dz = dh (h_prev - n), dr = da_n (h_prev W_hn + b_hn), and the rest.

    The reset stands after the product.

    Arguments: theirs(dh (N, H), x (N, D), h_prev (N, H), W_x (D, 3H), W_h (H, 3H), b (3H,),
    b_hn (H,)) -> dx, dh_prev, dW_x, dW_h, db, db_hn, in this order or as a dict with these names.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Cho et al. 2014, differentiated.

    >>> gru_step_backward(lambda dh, *others: print("hello"))  # doctest: +ELLIPSIS
    hello
    gru_step_backward is wrong: it returned None: is the return missing?
    ...
    """
    return mark(STEP_BACKWARD, theirs)
