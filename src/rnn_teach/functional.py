"""Activations and losses: the value and the derivative of each stand side by side.

Everything here takes float32, float64 or complex128 and gives back the same kind. Complex numbers
are compared by their real parts, so that a derivative can be read off a complex step.

y = tanh(a), between -1 and 1, is NumPy's own; `a` and `out`, which receives the result, of any shape:

>>> tanh(np.array([-1000.0, 0.0, 1000.0]))
array([-1.,  0.,  1.])
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

LEAK = 0.01  # slope of the leaky ReLU on the left
# sigmoid(-80) is below 2e-35, and exp(80) still fits into float32: no overflow beyond this floor
FLOOR = -80.0


tanh = np.tanh


def dtanh(y: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """dy/da = 1 - y^2 for y = tanh(a), largest (1) at a = 0; y and `out` (not y itself) of any shape.

    >>> dtanh(np.array([0.0, 0.5]))
    array([1.  , 0.75])
    """
    return np.subtract(1, np.multiply(y, y, out=out), out=out)


def sigmoid(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """y = 1 / (1 + exp(-a)), between 0 and 1; `a` and `out` of any shape.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).round(12)
    array([0. , 0.5, 1. ])
    """
    y = np.maximum(a, FLOOR, out=out)
    y = np.exp(np.negative(y, out=out), out=out)
    return np.reciprocal(np.add(y, 1, out=out), out=out)


def dsigmoid(y: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """dy/da = y (1 - y) for y = sigmoid(a), at most 1/4; y and `out` (not y itself) of any shape.

    >>> dsigmoid(np.array([0.5, 1.0]))
    array([0.25, 0.  ])
    """
    return np.multiply(y, np.subtract(1, y, out=out), out=out)


def relu(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """y = a where a > 0, else 0; `a` and `out` of any shape.

    >>> relu(np.array([-2.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return _store(np.where(np.real(a) > 0, a, 0), out)


def drelu(y: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """dy/da = 1 where y > 0, else 0, for y = relu(a); y and `out` of any shape.

    At a = 0 we choose 0, as PyTorch does.

    >>> drelu(np.array([0.0, 2.0]))
    array([0., 1.])
    """
    return _store(_slope(y, 0), out)


def leaky_relu(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """y = a where a > 0, else 0.01 a; `a` and `out` of any shape.

    Source: Maas, Hannun & Ng 2013.

    >>> leaky_relu(np.array([-2.0, 2.0]))
    array([-0.02,  2.  ])
    """
    return _store(np.where(np.real(a) > 0, a, np.multiply(a, LEAK)), out)


def dleaky_relu(y: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """dy/da = 1 where y > 0, else 0.01, for y = leaky_relu(a); y and `out` of any shape.

    >>> dleaky_relu(np.array([-0.02, 2.0]))
    array([0.01, 1.  ])
    """
    return _store(_slope(y, LEAK), out)


def elu(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """y = a where a > 0, else exp(a) - 1; `a` and `out` of any shape.

    Source: Clevert, Unterthiner & Hochreiter 2016.

    >>> elu(np.array([-1000.0, 2.0]))
    array([-1.,  2.])
    """
    positive = np.real(a) > 0
    return _store(np.where(positive, a, np.expm1(np.where(positive, 0, a))), out)


def delu(y: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """dy/da = 1 where y > 0, else y + 1 (that is exp(a)), for y = elu(a); y and `out` of any shape.

    >>> delu(np.array([-0.75, 2.0]))
    array([0.25, 1.  ])
    """
    return _store(_slope(y, np.add(y, 1)), out)


def identity(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """y = a; `a` and `out` of any shape.

    It makes a linear network, whose gradient is a product of weight matrices and nothing else.

    >>> identity(np.array([-2.0, 2.0]))
    array([-2.,  2.])
    """
    return np.positive(a, out=out)


def didentity(y: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """dy/da = 1 everywhere; y and `out` of any shape.

    >>> didentity(np.array([-2.0, 2.0]))
    array([1., 1.])
    """
    return _store(np.ones_like(y), out)


def _store(y: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    if out is None:
        return y
    out[...] = y
    return out


def _slope(y: np.ndarray, left: float | np.ndarray) -> np.ndarray:
    """1 where y > 0, else left, in the dtype of y."""
    return np.where(np.real(y) > 0, np.ones_like(y), left)


class Activation(NamedTuple):
    """An activation and its derivative.

    value(a, out=None) is y; slope(y, out=None) is dy/da written with the *output* y, so a backward pass
    needs nothing but the states it already has; bound is the largest slope there is.
    """

    name: str
    value: Callable
    slope: Callable
    bound: float


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("tanh", tanh, dtanh, 1.0),
        Activation("sigmoid", sigmoid, dsigmoid, 0.25),
        Activation("relu", relu, drelu, 1.0),
        Activation("leaky_relu", leaky_relu, dleaky_relu, 1.0),
        Activation("elu", elu, delu, 1.0),
        Activation("identity", identity, didentity, 1.0),
    )
}


def softmax(logits: np.ndarray) -> np.ndarray:
    """p_k = exp(a_k) / sum_j exp(a_j) over the last axis: positive, and they add up to 1.

    logits (..., K). Subtracting the largest logit changes nothing and keeps exp from overflowing.

    >>> softmax(np.array([0.0, 1000.0]))
    array([0., 1.])
    """
    e = np.exp(_shifted(logits))
    return e / e.sum(axis=-1, keepdims=True)


def _shifted(logits: np.ndarray) -> np.ndarray:
    return logits - np.real(logits).max(axis=-1, keepdims=True)


def cross_entropy(
    logits: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.generic, np.ndarray]:
    """Surprise at the symbols that came: loss = sum of w_t (-log p_t[target_t]), in nats.

    p = softmax(logits). Writing the loss as log(sum_k exp a_k) - a_target gives its derivative in
    one line: d loss / d a_k = w (p_k - [k is the target]).

    Arguments: logits (..., K), for us (T, N, K) or (N, K); target (...), integers in 0..K-1;
    weights (...), non-negative, 1 for all when None.
    Returns the loss (a scalar) and d loss / d logits (..., K).
    Raises TypeError or ValueError for a target that is not an integer in 0..K-1 or for shapes
    that do not belong together.
    Source: Goodfellow, Bengio & Courville 2016, section 6.2.2.3.

    >>> loss, dlogits = cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> print(loss.round(4), dlogits)
    0.6931 [[-0.5  0.5]]
    """
    logits, target = np.asarray(logits), np.asarray(target)
    K = logits.shape[-1]
    if target.dtype.kind not in "iu":
        raise TypeError(f"target: expected integers, got dtype {target.dtype}")
    _same_shape("target", target, logits.shape[:-1])
    outside = (target < 0) | (target >= K)
    if outside.any():
        got = target[outside].flat[0]
        raise ValueError(f"target: expected integers in 0..{K - 1}, got {got}")
    w = _weights(weights, logits.shape[:-1], np.real(logits).dtype)

    a = _shifted(logits)
    e = np.exp(a)
    total = e.sum(axis=-1)
    chosen = target[..., None]
    loss = w * (np.log(total) - np.take_along_axis(a, chosen, axis=-1)[..., 0])

    dlogits = e / total[..., None]
    at_target = np.take_along_axis(dlogits, chosen, axis=-1)
    np.put_along_axis(dlogits, chosen, at_target - 1, axis=-1)
    dlogits *= w[..., None]
    return loss.sum(), dlogits


def squared_error(
    y: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.generic, np.ndarray]:
    """loss = sum of w_t sum_k (y_tk - target_tk)^2, and d loss / dy = 2 w (y - target).

    There is no factor 1/2, and the K outputs of one step are added up, not averaged.

    Arguments: y (..., K), target (..., K), weights (...), non-negative, 1 for all when None.
    Returns the loss (a scalar) and d loss / dy (..., K).
    Raises ValueError for shapes that do not belong together.

    >>> loss, dy = squared_error(np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]]))
    >>> print(loss, dy)
    5.0 [[2. 4.]]
    """
    y, target = np.asarray(y), np.asarray(target)
    _same_shape("target", target, y.shape)
    w = _weights(weights, y.shape[:-1], np.real(y).dtype)[..., None]
    difference = (y - target).astype(y.dtype, copy=False)
    return (w * difference**2).sum(), 2 * w * difference


def _same_shape(name: str, array: np.ndarray, expected: tuple[int, ...]) -> None:
    if array.shape != expected:
        raise ValueError(f"{name}: expected shape {expected}, got {array.shape}")


def _weights(weights: np.ndarray | None, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if weights is None:
        return np.ones(shape, dtype)
    w = np.asarray(weights, dtype)
    _same_shape("weights", w, shape)
    if not (w >= 0).all():
        raise ValueError(f"weights: expected non-negative numbers, got a smallest of {w.min()}")
    return w
