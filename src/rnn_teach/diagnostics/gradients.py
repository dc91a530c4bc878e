"""Which states, inputs, layers and nodes a loss depends on, from the backward pass's own arrays."""

import numpy as np

from ..cells import Layer, Trace, checking
from .jacobians import side_by_side


def state_gradient_norms(grads: dict[str, np.ndarray]) -> np.ndarray:
    """||dL/d state_t|| for every step t, from one backward pass.

    For an LSTM h_t and c_t are two things that step t hands on, so c_t counts with what comes
    back along the cell state ("c_carried"), and its way through h_t is counted once, with h_t.

    Arguments: grads, from a cell's `backward` or from `bptt`.
    Returns (T, N), in units of loss per unit of state.
    Raises KeyError if grads has no "h".

    >>> state_gradient_norms({"h": np.array([[[3.0, 4.0]]])})
    array([[5.]])
    """
    squares = (np.abs(grads["h"]) ** 2).sum(axis=2)
    if "c_carried" in grads:
        squares = squares + (np.abs(grads["c_carried"]) ** 2).sum(axis=2)
    return np.sqrt(squares)


def norms_by_layer(grads: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """||dL/d state_t|| for every layer and step, from one backward pass through all of them.

    Arguments: grads, from the `backward` of a `Chain` or a `Bidirectional`, or from `bptt`.
    Returns (T, N) by the name of the layer, "0", "1", ..., as `state_gradient_norms`.
    Raises KeyError if grads has no layers.

    >>> grads = {"0.h": np.array([[[3.0, 4.0]]]), "1.h": np.array([[[2.0]]])}
    >>> {name: norms.item() for name, norms in norms_by_layer(grads).items()}
    {'0': 5.0, '1': 2.0}
    """
    layers = [name.removesuffix(".h") for name in grads if name.endswith(".h")]
    if not layers:
        raise KeyError("grads: expected '0.h', ..., as from a Chain")
    parts = ("h", "c_carried")
    return {
        layer: state_gradient_norms(
            {part: grads[f"{layer}.{part}"] for part in parts if f"{layer}.{part}" in grads}
        )
        for layer in layers
    }


def norms_by_depth(depth: np.ndarray, dh: np.ndarray) -> np.ndarray:
    """Mean of ||dL/dh_n|| over the nodes n of each depth of a tree, the root first.

    Arguments: depth (M,), integers from 0, such as `TreeTrace.depth`; dh (M, H), such as
    grads["h"] of `Recursive.backward`.
    Returns (largest depth + 1,), NaN where there is no node.
    Raises ValueError for shapes that do not belong together.

    >>> norms_by_depth(np.array([1, 1, 0]), np.array([[1.0, 0.0], [0.0, 3.0], [0.0, 8.0]]))
    array([8., 2.])
    """
    depth = np.asarray(depth)
    dh = checking.numbers("dh", dh, M=len(depth), H=None)
    count = np.bincount(depth)
    total = np.bincount(depth, weights=np.linalg.norm(dh, axis=1))
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def connectivity(cell: Layer, trace: Trace, direction: np.ndarray, n: int = 0) -> np.ndarray:
    """||d y_t / d x_s|| for every output y_t = h_t . direction and every input x_s.

    One backward pass over T copies of sequence n: copy t has y_t for its loss.

    Arguments: cell, or a `Chain`; trace, from its `forward`; direction (H,), such as
    readout.W_y[:, k] for output k; n, which sequence.
    Returns (T, T): row t belongs to y_t, column s to x_s; 0 where s > t. The last row is how the
    end depends on each input.
    Raises ValueError for a wrong shape, IndexError if there is no sequence n.
    Source: Madsen 2019 (there squared).

    >>> from rnn_teach.cells import RNN
    >>> cell = RNN(1, 1, rng=np.random.default_rng(0), nonlinearity="identity")
    >>> cell.W_x[:], cell.W_h[:] = 1, 0.5
    >>> connectivity(cell, cell.forward(np.zeros((3, 1, 1))), [1])
    array([[1.  , 0.  , 0.  ],
           [0.5 , 1.  , 0.  ],
           [0.25, 0.5 , 1.  ]])
    """
    direction = checking.numbers("direction", direction, H=cell.H)
    T = len(trace.h)
    copies = side_by_side(cell, trace, n, T, slice(None))
    dh = np.zeros((T, T, cell.H), np.result_type(trace.h, direction))
    dh[np.arange(T), np.arange(T)] = direction
    return np.linalg.norm(cell.backward(copies, dh)["x"], axis=2).T


def half_life(influence: np.ndarray) -> np.ndarray:
    """Steps back until an influence is first down to one half of what it is at the last step.

    Between two steps it is taken to fall exponentially, so 0.9^k has log 2 / log(1 / 0.9) = 6.6.

    Arguments: influence (T, ...), non-negative, the last step last: the last row of
    `connectivity`, `jacobian_norms`, or `state_gradient_norms` of a loss at the last step.
    Returns (...), in steps; inf where more than a half is left at the first step.
    Raises ValueError for negative numbers, or where the influence is 0 at the last step.

    >>> half_life(0.5 ** np.array([3, 2, 1, 0])), half_life(np.ones(9))
    (array(1.), array(inf))
    """
    influence = np.asarray(influence)
    flat = checking.numbers("influence", influence.reshape(len(influence), -1), T=None, others=None)
    if (flat < 0).any() or not flat[-1].all():
        raise ValueError("influence: expected numbers >= 0, and > 0 at the last step")
    with np.errstate(divide="ignore"):
        lost = -np.log2(flat[::-1] / flat[-1])  # in halves, by steps back; inf for all
    below = lost >= 1
    k = below.argmax(axis=0)
    column = np.arange(flat.shape[1])
    now, before = lost[k, column], lost[np.maximum(k - 1, 0), column]
    part = np.where(np.isfinite(now), (1 - before) / np.where(now > before, now - before, 1), 0)
    steps = np.where(below.any(axis=0), k - 1 + part, np.inf)
    return steps.reshape(influence.shape[1:])
