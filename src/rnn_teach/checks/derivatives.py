"""Derivatives of a single step: slopes, finite differences and the Jacobian."""

from collections.abc import Callable

import numpy as np

from .. import functional
from ..cells import RNN
from .cases import cell_of
from .marking import Task, Verdict, mark


def _outputs(lowest: float) -> list[tuple]:
    rng = np.random.default_rng(4)
    return [(rng.uniform(lowest, 1, size=(3, 4)),), (rng.uniform(lowest, 1, size=5),)]


DTANH = Task(
    "dtanh",
    results=("slope",),
    right=lambda h: functional.dtanh(h),
    cases=lambda: _outputs(-1),
    lines={"slope": lambda h: 1 - h * h},
    wrong={
        "h is the output already: the slope is 1 - h^2, not 1 - tanh(h)^2": {
            "slope": lambda h: 1 - np.tanh(h) ** 2
        },
        "the square is missing: 1 - h^2, not 1 - h": {"slope": lambda h: 1 - h},
        "h (1 - h) is the slope of a sigmoid; that of tanh is 1 - h^2": {
            "slope": lambda h: h * (1 - h)
        },
        "the sign is wrong: 1 - h^2, not h^2 - 1": {"slope": lambda h: h * h - 1},
        "this is tanh(h), a value and not a slope": {"slope": lambda h: np.tanh(h)},
    },
)


def dtanh(theirs: Callable) -> Verdict:
    """Mark dh/da = 1 - h^2 for h = tanh(a), written with the output h.

    Arguments: theirs(h, an array of any shape) -> the slopes, of the same shape.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> dtanh(lambda h: 1 - h)  # doctest: +ELLIPSIS
    dtanh is wrong. Most likely: the square is missing: 1 - h^2, not 1 - h.
    ...
    """
    return mark(DTANH, theirs)


DSIGMOID = Task(
    "dsigmoid",
    results=("slope",),
    right=lambda y: functional.dsigmoid(y),
    cases=lambda: _outputs(0),
    lines={
        "s": lambda y: y,
        "slope": lambda s: s * (1 - s),
    },
    wrong={
        "y is the output already: the slope is y (1 - y), without another sigmoid": {
            "s": lambda y: functional.sigmoid(y)
        },
        "1 - y^2 is the slope of tanh; that of a sigmoid is y (1 - y)": {
            "slope": lambda y: 1 - y * y
        },
        "1 - y is missing: y (1 - y)": {"slope": lambda y: y},
        "y is missing: y (1 - y)": {"slope": lambda y: 1 - y},
        "the sign is wrong: y (1 - y), not y (y - 1)": {"slope": lambda y: y * (y - 1)},
    },
)


def dsigmoid(theirs: Callable) -> Verdict:
    """Mark dy/da = y (1 - y) for y = sigmoid(a), written with the output y.

    Arguments: theirs(y, an array of any shape) -> the slopes, of the same shape.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> dsigmoid(lambda y: y * (1 - y))
    dsigmoid is right.
    """
    return mark(DSIGMOID, theirs)


def _bowl(w):
    return float((w**4).sum() + w[0] * w[-1] ** 2)


def _waves(w):
    return float(np.sin(w).sum() + np.exp(w).prod())


def _at(f, w, eps: float, earlier: float = 0) -> np.ndarray:
    """f with each component moved by eps in turn, the ones before it by `earlier`."""
    n = len(w)
    return np.array([f(w + eps * np.eye(n)[k] + earlier * (np.arange(n) < k)) for k in range(n)])


CENTRAL_DIFFERENCE = Task(
    "central_difference",
    results=("gradient",),
    right=lambda f, w, eps: (_at(f, w, eps) - _at(f, w, -eps)) / (2 * eps),
    cases=lambda: [
        (_bowl, np.array([0.5, -1.0, 1.5]), 0.1),
        (_waves, np.array([0.3, 0.7]), 0.05),
    ],
    lines={
        "ahead": lambda f, w, eps: _at(f, w, eps),
        "behind": lambda f, w, eps: _at(f, w, -eps),
        "width": lambda eps: 2 * eps,
        "gradient": lambda ahead, behind, width: (ahead - behind) / width,
    },
    wrong={
        "it is divided by eps, but the two points lie 2 eps apart": {"width": lambda eps: eps},
        "the difference is taken to one side only: f(w + eps) - f(w - eps)": {
            "behind": lambda f, w: f(w),
            "width": lambda eps: eps,
        },
        "the difference is taken to one side only, and it is divided by 2 eps": {
            "behind": lambda f, w: f(w)
        },
        "the difference is taken to one side only, backwards: f(w + eps) - f(w - eps)": {
            "ahead": lambda f, w: f(w),
            "width": lambda eps: eps,
        },
        "it is not divided by 2 eps": {"width": lambda: 1},
        "it is multiplied by 2 eps, not divided": {"width": lambda eps: 1 / (2 * eps)},
        "the sign is wrong: f(w + eps) - f(w - eps)": {"width": lambda eps: -2 * eps},
        "all components of w are moved at once: the gradient has one number for each": {
            "ahead": lambda f, w, eps: f(w + eps),
            "behind": lambda f, w, eps: f(w - eps),
        },
        "a component is not put back before the next one is moved": {
            "ahead": lambda f, w, eps: _at(f, w, eps, earlier=-eps),
            "behind": lambda f, w, eps: _at(f, w, -eps, earlier=-eps),
        },
    },
)


def central_difference(theirs: Callable) -> Verdict:
    """Mark df/dw_k = (f(w + eps e_k) - f(w - eps e_k)) / (2 eps), one component k at a time.

    eps is large here, so that another formula gives visibly other numbers.

    Arguments: theirs(f, w (n,), eps) -> the gradient (n,), where f(w) is a number.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Goodfellow, Bengio & Courville 2016, chapter 11.

    >>> def my_difference(f, w, eps):
    ...     return [(f(w + eps * e) - f(w)) / eps for e in np.eye(len(w))]
    >>> central_difference(my_difference)
    central_difference is wrong. Most likely: the difference is taken to one side only: f(w + eps) - f(w - eps).
    gradient[0] is 2.921, expected 2.77.
    Called as central_difference(f, w (3,), eps=0.1).
    """
    return mark(CENTRAL_DIFFERENCE, theirs)


def _jacobian(h, W_h):
    """Every unit of h in turn as the loss, from a state of zeros that leads to h."""
    H = len(h)
    cell = cell_of(RNN, {"W_x": np.zeros((1, H)), "W_h": W_h, "b": np.arctanh(h)})
    trace = cell.forward(np.zeros((1, H, 1)))
    return cell.backward(trace, np.eye(H)[None])["h0"]


def _jacobian_cases() -> list[tuple]:
    rng = np.random.default_rng(5)
    return [(np.tanh(rng.normal(size=H)), rng.normal(size=(H, H))) for H in (3, 2)]


JACOBIAN = Task(
    "jacobian",
    results=("J",),
    right=_jacobian,
    cases=_jacobian_cases,
    lines={
        "slope": lambda h: 1 - h * h,
        "J": lambda slope, W_h: slope[:, None] * W_h.T,
    },
    wrong={
        "J is transposed: row a is the gradient of unit a": {"J": lambda slope, W_h: W_h * slope},
        "W_h is not transposed: unit a reads column a of W_h": {
            "J": lambda slope, W_h: slope[:, None] * W_h
        },
        "the slope belongs to the unit that is reached, 1 - h[a]^2, not to the one it comes from": {
            "J": lambda slope, W_h: W_h.T * slope
        },
        "the slope is left out: 1 - h^2": {"slope": lambda h: np.ones_like(h)},
        "the slope of tanh is 1 - h^2, not 1 - h": {"slope": lambda h: 1 - h},
        "h is the output already: the slope is 1 - h^2, not 1 - tanh(h)^2": {
            "slope": lambda h: 1 - np.tanh(h) ** 2
        },
        "the slope stands on a diagonal: it is a matrix product, @ in place of *": {
            "J": lambda slope, W_h: np.diag(slope) * W_h.T
        },
    },
)


def jacobian(theirs: Callable) -> Verdict:
    """Mark J[a, b] = d h_t[a] / d h_{t-1}[b] = (1 - h_t[a]^2) W_h[b, a], one step of a tanh layer.

    Arguments: theirs(h (H,), the state after the step, W_h (H, H)) -> J (H, H).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Pascanu, Mikolov & Bengio 2013.

    >>> jacobian(lambda h, W_h: np.diag(1 - h**2) @ W_h.T)
    jacobian is right.
    """
    return mark(JACOBIAN, theirs)
