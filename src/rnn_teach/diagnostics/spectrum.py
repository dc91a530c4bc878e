"""All singular values of d state_T / d state_t, however small: a running QR in log space.

The product of many Jacobians is graded: its singular values spread over hundreds of powers of ten,
and as one matrix of numbers it knows only the largest of them. So it is kept as

    P = Q diag(e^d) M        Q orthogonal, M of moderate size, d the logarithms of the rest

and each further Jacobian goes through a QR whose columns stand in order of their size: what is
small is never added to what is large.
"""

import numpy as np

from ..cells import Layer, Trace
from .jacobians import step_jacobians

PASSES = 4  # each squares the ratio by which a small row is still mixed with a large one
WIDTH = 7.0  # e^7: with a margin of that above and below, a plain SVD keeps ten digits


def log_singular_values(cell: Layer, trace: Trace, n: int = 0) -> np.ndarray:
    """log sigma_k of d state_T / d state_t, for every step t of sequence n.

    The first column is the log of `jacobian_norms`; the others say how many directions of memory
    are left. A singular value of 1e-300 is as good as one of 1.

    Arguments: cell; trace, from `cell.forward`; n, which sequence.
    Returns (T, S), natural logarithms, descending along a row; row t belongs to trace.h[t], and
    the last one is 0. -inf for a direction that is lost altogether.
    Raises IndexError if there is no sequence n.
    Source: Geist, Parlitz & Lauterborn 1990 (QR for Lyapunov exponents); Bai, Lee, Li & Xu 2011
    (graded products).

    >>> from rnn_teach.cells import RNN
    >>> cell = RNN(1, 2, rng=np.random.default_rng(0), nonlinearity="identity")
    >>> cell.W_h[:] = [[1, 0], [0, 1e-100]]
    >>> log_singular_values(cell, cell.forward(np.zeros((6, 1, 1))))[0] / np.log(10)
    array([   0., -500.])
    """
    jacobians = step_jacobians(cell, trace, n)
    return _spectra(jacobians, range(1, len(jacobians) + 1))


def lyapunov_spectrum(cell: Layer, trace: Trace, n: int = 0) -> np.ndarray:
    """log sigma_k of d state_T / d state_0, divided by the steps: growth per step, in nats.

    Above 0 a small change of the state grows along this trajectory (chaos, exploding gradients),
    below 0 it dies out; with T the numbers settle on the Lyapunov exponents of the network under
    these inputs.

    Arguments: cell; trace, from `cell.forward`; n, which sequence.
    Returns (S,), descending.
    Raises IndexError if there is no sequence n.
    Source: Engelken, Wolf & Abbott 2023.

    >>> from rnn_teach.cells import RNN
    >>> cell = RNN(1, 2, rng=np.random.default_rng(0), nonlinearity="identity")
    >>> cell.W_h[:] = [[0, 2], [0.5, 0]]
    >>> lyapunov_spectrum(cell, cell.forward(np.zeros((10, 1, 1))))  # doubled, then halved
    array([0., 0.])
    """
    jacobians = step_jacobians(cell, trace, n)
    steps = len(jacobians) if trace.mask is None else int(trace.mask[:, n].sum())
    return _spectra(jacobians[:steps], range(1))[0] / steps


def _spectra(jacobians: np.ndarray, wanted: range) -> np.ndarray:
    """log sigma_k of J_T ... J_{t+1} for t in wanted, from J_1, ..., J_T (T, S, S)."""
    T, S, _ = jacobians.shape
    spectra = np.zeros((T + 1, S))
    Q, d, M = np.eye(S), np.zeros(S), np.eye(S)
    for t in reversed(range(T)):
        # the transposed product: J_{t+1}^T ... J_T^T
        Q, d, R, order = _graded_qr(jacobians[t].T @ Q, d)
        M = R @ M[order]
        if t in wanted:
            spectra[t] = _log_singular_values(d, M)
    return spectra[list(wanted)]


def _graded_qr(B: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, ...]:
    """Q, d', R, order with B diag(e^d) = Q diag(e^d') R, columns in `order`; no |R_ij| above 1."""
    with np.errstate(divide="ignore"):  # log 0 = -inf is what it should be
        order = np.argsort(-(d + np.log(np.linalg.norm(B, axis=0))), kind="stable")
        Q, R = np.linalg.qr(B[:, order])
        logs = np.log(np.abs(R)) + d[order]
    sizes = logs.max(axis=1)
    finite = np.where(np.isfinite(sizes), sizes, 0)
    return Q, sizes, np.sign(R) * np.exp(logs - finite[:, None]), order


def _log_singular_values(d: np.ndarray, M: np.ndarray) -> np.ndarray:
    """log of the singular values of diag(e^d) M, descending."""
    # A and the triangle of A^T have the same ones, and each time the triangle is nearer to diagonal
    for _ in range(PASSES):
        _, d, M, _ = _graded_qr(M.T, d)
    log_sigma = np.full(len(d), -np.inf)
    falling = np.minimum.accumulate(d)
    k = 0
    # a window at a time: what is far above or below is no longer mixed with it
    while k < len(d) and np.isfinite(falling[k]):
        top, end, low = (
            int((falling > limit).sum())
            for limit in (falling[k] + WIDTH, falling[k] - WIDTH, falling[k] - 2 * WIDTH)
        )
        window = slice(top, low)
        sigma = np.linalg.svd(np.exp(d[window] - falling[k])[:, None] * M[window, window])[1]
        with np.errstate(divide="ignore"):
            log_sigma[k:end] = falling[k] + np.log(sigma[k - top : end - top])
        k = end
    return -np.sort(-log_sigma)
