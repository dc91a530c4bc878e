"""Gradients that are too long, made shorter: all together, each array by itself, or each number."""

from __future__ import annotations

import math

import numpy as np

from .optimizers import Arrays, positive


def clip_by_norm(grads: Arrays, max_norm: float) -> tuple[Arrays, float]:
    """Shorten the whole gradient to ``max_norm`` if it is longer: g <- g min(1, max_norm / |g|).

    |g| is the length of all arrays taken as one vector, so the direction stays. Returns new arrays
    and |g| as it was before.
    Raises ValueError unless max_norm is above 0, FloatingPointError if |g| is not finite.
    Source: Pascanu, Mikolov & Bengio 2013.

    >>> clip_by_norm({"a": np.array([3.0]), "b": np.array([4.0])}, max_norm=1.0)
    ({'a': array([0.6]), 'b': array([0.8])}, 5.0)
    """
    positive("max_norm", max_norm)
    norm = global_norm(grads)
    scale = max_norm / norm if norm > max_norm else 1.0
    return {name: scale * grad for name, grad in grads.items()}, norm


def clip_each_by_norm(grads: Arrays, max_norm: float) -> tuple[Arrays, dict[str, float]]:
    """Shorten each array by itself to ``max_norm``: g_k <- g_k min(1, max_norm / |g_k|).

    The direction of each array stays, that of the whole gradient may turn. Returns new arrays and
    every |g_k| as it was before.

    >>> clip_each_by_norm({"a": np.array([3.0, 4.0]), "b": np.array([0.5])}, max_norm=1.0)
    ({'a': array([0.6, 0.8]), 'b': array([0.5])}, {'a': 5.0, 'b': 0.5})
    """
    positive("max_norm", max_norm)
    pairs = {name: clip_by_norm({name: grad}, max_norm) for name, grad in grads.items()}
    clipped = {name: alone[name] for name, (alone, _) in pairs.items()}
    return clipped, {name: norm for name, (_, norm) in pairs.items()}


def clip_by_value(grads: Arrays, limit: float) -> Arrays:
    """Cut each element of the gradient to [-limit, limit]: new arrays. This may turn its direction.

    >>> clip_by_value({"a": np.array([3.0, -0.5])}, limit=1.0)
    {'a': array([ 1. , -0.5])}
    """
    positive("limit", limit)
    return {name: np.clip(grad, -limit, limit) for name, grad in grads.items()}


def global_norm(grads: Arrays) -> float:
    """Return |g|, the Euclidean length of all arrays in ``grads`` taken as one vector.

    Raises FloatingPointError if it is not finite: nothing could be learned from such a gradient.

    >>> global_norm({"a": np.array([3.0]), "b": np.array([4.0])})
    5.0
    """
    norm = math.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads.values()))
    if not math.isfinite(norm):
        raise FloatingPointError(f"gradient norm: expected a finite number, got {norm}")
    return norm
