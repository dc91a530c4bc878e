"""Where the weights begin: random matrices of a chosen variance, radius or largest singular value."""

from __future__ import annotations

import math

import numpy as np


def glorot(n_in: int, n_out: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return W (n_in, n_out), uniform in ±sqrt(6 / (n_in + n_out)).

    Source: Glorot & Bengio 2010.

    >>> W = glorot(30, 20, rng=np.random.default_rng(0))
    >>> W.shape, bool(abs(W).max() <= np.sqrt(6 / 50))
    ((30, 20), True)
    """
    limit = math.sqrt(6 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_in, n_out))


def orthogonal(n_in: int, n_out: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return W (n_in, n_out), random, with all singular values 1.

    Source: Saxe, McClelland & Ganguli 2014.

    >>> W = orthogonal(3, 3, rng=np.random.default_rng(0))
    >>> bool(np.allclose(W @ W.T, np.eye(3)))
    True
    """
    Q, R = np.linalg.qr(rng.standard_normal((max(n_in, n_out), min(n_in, n_out))))
    Q *= np.sign(np.diag(R))  # without this QR favors some rotations over others
    return Q if n_in >= n_out else np.ascontiguousarray(Q.T)


def identity(H: int, scale: float = 1.0) -> np.ndarray:
    """Return scale times the identity (H, H).

    Source: Le, Jaitly & Hinton 2015.

    >>> identity(2, 0.5)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    return scale * np.eye(H)


def with_spectral_radius(W: np.ndarray, radius: float) -> np.ndarray:
    """Return W (H, H) rescaled so that its largest eigenvalue has absolute value ``radius``.

    Raises ValueError if all eigenvalues are 0.

    >>> with_spectral_radius(np.diag([4.0, 2.0]), 1.0)
    array([[1. , 0. ],
           [0. , 0.5]])
    """
    return _rescaled(W, radius, np.abs(np.linalg.eigvals(W)).max())


def with_largest_singular_value(W: np.ndarray, value: float) -> np.ndarray:
    """Return W (n_in, n_out) rescaled so that its largest singular value is ``value``.

    Raises ValueError if W is 0.

    >>> with_largest_singular_value(np.array([[3.0, 0.0], [0.0, 4.0]]), 1.0)
    array([[0.75, 0.  ],
           [0.  , 1.  ]])
    """
    return _rescaled(W, value, np.linalg.norm(W, 2))


def _rescaled(W: np.ndarray, wanted: float, found: float) -> np.ndarray:
    if found == 0:
        raise ValueError(f"W: expected something to bring to {wanted}, got only zeros")
    return W * (wanted / found)
