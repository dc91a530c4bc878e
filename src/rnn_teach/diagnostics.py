"""What a trace and its gradients tell: arrays in, arrays out, nothing is changed.

The *state* is what one step hands to the next: h, and for an LSTM h and c side by side. S is its
size: H, or 2H for an LSTM.
"""

import numpy as np

from .cells import checking


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


def step_jacobians(cell, trace: tuple, n: int = 0) -> np.ndarray:
    """d state_t / d state_{t-1} for every step t of sequence n.

    Row s is the gradient of unit s of state_t, so each Jacobian is one step of `cell.backward`
    with every unit in turn as the loss.

    Arguments: cell; trace, from `cell.forward`; n, which sequence.
    Returns (T, S, S), entry [t, a, b] = d state_t[a] / d state_{t-1}[b].
    Raises IndexError if there is no sequence n.

    >>> from rnn_teach.cells import RNN
    >>> cell = RNN(1, 2, rng=np.random.default_rng(0), nonlinearity="identity")
    >>> J = step_jacobians(cell, cell.forward(np.zeros((3, 1, 1))))
    >>> bool((J == cell.W_h.T).all())  # a linear network has the same Jacobian everywhere
    True
    """
    jacobians = []
    for t in range(len(trace.h)):
        grads = _backward_from_each_unit(cell, trace, n, slice(t, t + 1))
        jacobians.append(np.hstack([grads[name] for name in ("h0", "c0") if name in grads]))
    return np.array(jacobians)


def jacobian_norms(cell, trace: tuple, n: int = 0) -> np.ndarray:
    """||d state_T / d state_t|| (the largest singular value) for every step t of sequence n.

    The Jacobian is a product of T - t step Jacobians. One backward pass with every unit of state_T
    in turn as the loss gives all of these products at once. No norm is larger than
    (bound of the slope * largest singular value of W_h)^(T-t) in a plain RNN.

    Arguments: cell; trace, from `cell.forward`; n, which sequence.
    Returns (T,): entry t belongs to trace.h[t], and the last one is 1.
    Raises IndexError if there is no sequence n.
    Source: Pascanu, Mikolov & Bengio 2013, equations 5 to 7.

    >>> from rnn_teach.cells import RNN
    >>> cell = RNN(1, 2, rng=np.random.default_rng(0), nonlinearity="identity")
    >>> cell.W_h[:] = 0.5 * np.eye(2)
    >>> jacobian_norms(cell, cell.forward(np.zeros((4, 1, 1))))
    array([0.125, 0.25 , 0.5  , 1.   ])
    """
    grads = _backward_from_each_unit(cell, trace, n, slice(None))
    parts = [grads[name] for name in ("h", "c_carried") if name in grads]
    return np.linalg.norm(np.concatenate(parts, axis=2), ord=2, axis=(1, 2))


def _backward_from_each_unit(cell, trace: tuple, n: int, steps: slice) -> dict[str, np.ndarray]:
    """Gradients of each of the S units of the last state in `steps`, as S sequences side by side."""
    H = cell.H
    is_pair = isinstance(trace.final, tuple)
    S = 2 * H if is_pair else H

    def repeated(array: np.ndarray | None) -> np.ndarray | None:
        if array is None:
            return None
        one = array[steps, n][:, None]
        return np.broadcast_to(one, (len(one), S, *one.shape[2:]))

    copies = type(trace)(*(repeated(array) for array in trace))
    units = np.eye(S, dtype=trace.h.dtype)
    dstate = (units[:, :H], units[:, H:]) if is_pair else units
    return cell.backward(copies, np.zeros_like(copies.h), dstate)


def spectral_radius(W: np.ndarray) -> float:
    """Largest |eigenvalue| of W (H, H): how fast W^k grows in the long run.

    Raises ValueError if W is not a square matrix of finite numbers.

    >>> spectral_radius([[0.5, 100.0], [0.0, 0.5]])
    0.5
    """
    W = checking.numbers("W", W, H=None, H_=None)
    if W.shape[0] != W.shape[1]:
        raise ValueError(f"W: expected a square matrix, got shape {W.shape}")
    return float(np.abs(np.linalg.eigvals(W)).max())


def largest_singular_value(W: np.ndarray) -> float:
    """max ||v W|| / ||v|| for W (H, K): how much W can stretch a vector in one step.

    Raises ValueError if W is not a matrix of finite numbers.

    >>> largest_singular_value([[0.0, 3.0], [1.0, 0.0]])
    3.0
    """
    return float(np.linalg.norm(checking.numbers("W", W, H=None, K=None), ord=2))


def saturation(h: np.ndarray, threshold: float = 0.95) -> np.ndarray:
    """Share of units with |h| > threshold, where a tanh is flat and lets little gradient through.

    Arguments: h (T, N, H), such as trace.h; threshold, between 0 and 1.
    Returns (T,), shares between 0 and 1, over all sequences and units.
    Raises ValueError for a wrong shape.

    >>> saturation(np.array([[[0.1, 0.99]], [[-1.0, 1.0]]]))
    array([0.5, 1. ])
    """
    h = checking.numbers("h", h, T=None, N=None, H=None)
    return (np.abs(h) > threshold).mean(axis=(1, 2))
