"""How a change of one state moves a later one: Jacobians, their norms, and the spectra of matrices."""

import numpy as np

from ..cells import Layer, Trace, checking


def step_jacobians(cell: Layer, trace: Trace, n: int = 0) -> np.ndarray:
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
        grads = backward_from_each_unit(cell, trace, n, slice(t, t + 1))
        jacobians.append(np.hstack([grads[name] for name in ("h0", "c0") if name in grads]))
    return np.array(jacobians)


def jacobian_norms(cell: Layer, trace: Trace, n: int = 0) -> np.ndarray:
    """||d state_T / d state_t|| (the largest singular value) for every step t of sequence n.

    The Jacobian is a product of T - t step Jacobians. One backward pass with every unit of state_T
    in turn as the loss gives all of these products at once. No norm is larger than
    (bound of the slope * largest singular value of W_h)^(T-t) in a plain RNN.

    Arguments: cell; trace, from `cell.forward`; n, which sequence.
    Returns (T,): entry t belongs to trace.h[t], and the last one is 1.
    Raises IndexError if there is no sequence n.
    Source: Pascanu, Mikolov & Bengio 2013.

    >>> from rnn_teach.cells import RNN
    >>> cell = RNN(1, 2, rng=np.random.default_rng(0), nonlinearity="identity")
    >>> cell.W_h[:] = 0.5 * np.eye(2)
    >>> jacobian_norms(cell, cell.forward(np.zeros((4, 1, 1))))
    array([0.125, 0.25 , 0.5  , 1.   ])
    """
    grads = backward_from_each_unit(cell, trace, n, slice(None))
    parts = [grads[name] for name in ("h", "c_carried") if name in grads]
    return np.linalg.norm(np.concatenate(parts, axis=2), ord=2, axis=(1, 2))


def backward_from_each_unit(
    cell: Layer, trace: Trace, n: int, steps: slice
) -> dict[str, np.ndarray]:
    """Gradients of each of the S units of the last state in `steps`, as S sequences side by side."""
    H = cell.H
    is_pair = isinstance(trace.final, tuple)
    S = 2 * H if is_pair else H
    copies = side_by_side(cell, trace, n, S, steps)
    units = np.eye(S, dtype=trace.h.dtype)
    dstate = (units[:, :H], units[:, H:]) if is_pair else units
    return cell.backward(copies, np.zeros_like(copies.h), dstate)


def side_by_side(cell: Layer, trace: Trace, n: int, count: int, steps: slice) -> Trace:
    """The trace of a batch of `count` times sequence n.

    Raises IndexError if there is no sequence n, ValueError if sequences depend on each other.
    """
    if getattr(cell, "norm", None) == "batch" and cell.given is None:
        raise ValueError('cell: expected one that is evaluating(statistics), got norm="batch"')
    if not -trace.h.shape[1] <= n < trace.h.shape[1]:
        raise IndexError(f"n: expected a sequence of {trace.h.shape[1]}, got {n}")

    def repeated(part):
        if part is None:
            return None
        if isinstance(part, tuple):  # a trace, or the traces of several layers
            parts = map(repeated, part)
            return type(part)(*parts) if hasattr(part, "_fields") else tuple(parts)
        # what all sequences have in common, such as the scale of a batch norm, stands there once
        one = part[steps, n if part.shape[1] > 1 else 0][:, None]
        return np.broadcast_to(one, (len(one), count, *one.shape[2:]))

    return repeated(trace)


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
