"""Clipping: a whole gradient shortened by its norm, or every number cut by its value."""

from collections.abc import Callable

import numpy as np

from .. import training
from .marking import Task, Verdict, mark


def _gradients() -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(8)
    normal = {"W_h": rng.normal(size=(3, 3)), "b": rng.normal(size=3)}
    steep = {"W_h": 5 * rng.normal(size=(2, 2)), "b": 0.1 * rng.normal(size=2)}
    return [steep, normal, {name: 0.01 * g for name, g in normal.items()}]


def _each(change: Callable) -> Callable:
    return lambda grads, limit: {name: change(g, limit) for name, g in grads.items()}


CLIP = Task(
    "clip",
    results=("clipped",),
    right=lambda grads, max_norm: training.clip_by_norm(grads, max_norm)[0],
    cases=lambda: [(grads, max_norm) for grads, max_norm in zip(_gradients(), (2.0, 1.5, 1.0))],
    lines={
        "norm": lambda grads: training.global_norm(grads),
        "scale": lambda norm, max_norm: max_norm / norm if norm > max_norm else 1,
        "clipped": lambda grads, scale: {name: scale * g for name, g in grads.items()},
    },
    wrong={
        "this is clipping by value: by norm, all numbers shrink alike and the direction stays": {
            "clipped": lambda grads, max_norm: training.clip_by_value(grads, max_norm)
        },
        "each array is clipped by its own norm: the norm is that of all arrays together": {
            "clipped": lambda grads, max_norm: {
                name: training.clip_by_norm({name: g}, max_norm)[0][name]
                for name, g in grads.items()
            }
        },
        "a short gradient is made longer: only one above max_norm is changed": {
            "scale": lambda norm, max_norm: max_norm / norm
        },
        "nothing is clipped": {"scale": lambda: 1},
        "the root is missing: the norm is the root of the sum of squares": {
            "norm": lambda grads: training.global_norm(grads) ** 2
        },
        "the norms of the arrays are added: add up the squares, then take the root": {
            "norm": lambda grads: sum(np.linalg.norm(g) for g in grads.values())
        },
        "the largest number stands where the norm belongs": {
            "norm": lambda grads: max(np.abs(g).max() for g in grads.values())
        },
        "absolute values are added up where squares belong": {
            "norm": lambda grads: sum(np.abs(g).sum() for g in grads.values())
        },
        "max_norm is left out: the clipped gradient has norm 1": {
            "scale": lambda norm, max_norm: 1 / norm if norm > max_norm else 1
        },
        "it is multiplied by max_norm without dividing by the norm": {
            "scale": lambda norm, max_norm: max_norm if norm > max_norm else 1
        },
        "it is upside down: multiply by max_norm / norm": {
            "scale": lambda norm, max_norm: norm / max_norm if norm > max_norm else 1
        },
        "a long gradient is thrown away, not shortened": {
            "scale": lambda norm, max_norm: 0 if norm > max_norm else 1
        },
    },
)


def clip(theirs: Callable) -> Verdict:
    """Mark g <- g min(1, max_norm / |g|), where |g| is the length of all arrays as one vector.

    Arguments: theirs(grads, a dict of arrays, max_norm) -> a new dict of arrays.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Pascanu, Mikolov & Bengio 2013.

    >>> def my_clip(grads, max_norm):
    ...     return {name: np.clip(g, -max_norm, max_norm) for name, g in grads.items()}
    >>> clip(my_clip)  # doctest: +ELLIPSIS
    clip is wrong. Most likely: this is clipping by value: ...
    Called as clip(grads {W_h (2, 2), b (2,)}, max_norm=2.0).
    """
    return mark(CLIP, theirs)


CLIP_BY_VALUE = Task(
    "clip_by_value",
    results=("clipped",),
    right=lambda grads, limit: training.clip_by_value(grads, limit),
    cases=lambda: [(grads, limit) for grads, limit in zip(_gradients(), (2.0, 0.5, 1.0))],
    lines={"clipped": _each(lambda g, limit: np.clip(g, -limit, limit))},
    wrong={
        "this is clipping by norm: by value, each number is cut on its own": {
            "clipped": lambda grads, limit: training.clip_by_norm(grads, limit)[0]
        },
        "only large numbers are cut: those below -limit become -limit": {
            "clipped": _each(np.minimum)
        },
        "only numbers below -limit are cut: those above limit become limit": {
            "clipped": _each(lambda g, limit: np.maximum(g, -limit))
        },
        "the sign is lost: a number below -limit becomes -limit": {
            "clipped": _each(lambda g, limit: np.where(np.abs(g) > limit, limit, g))
        },
        "negative numbers become 0: the lower end is -limit": {
            "clipped": _each(lambda g, limit: np.clip(g, 0, limit))
        },
        "large numbers are thrown away: they become limit or -limit": {
            "clipped": _each(lambda g, limit: np.where(np.abs(g) > limit, 0, g))
        },
        "each array is scaled until its largest number fits: cut each number on its own": {
            "clipped": _each(lambda g, limit: g * min(1, limit / np.abs(g).max()))
        },
        "nothing is clipped": {"clipped": lambda grads: grads},
        "every number becomes limit or -limit": {
            "clipped": _each(lambda g, limit: np.sign(g) * limit)
        },
    },
)


def clip_by_value(theirs: Callable) -> Verdict:
    """Mark g <- min(max(g, -limit), limit), each number on its own.

    Arguments: theirs(grads, a dict of arrays, limit) -> a new dict of arrays.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> def my_clip(grads, limit):
    ...     for g in grads.values():
    ...         np.clip(g, -limit, limit, out=g)
    ...     return grads
    >>> clip_by_value(my_clip)
    clip_by_value is wrong: it changes grads['W_h'] in place, and grads belongs to the caller: look for *=, += or [...] =, and make a new array
    Called as clip_by_value(grads {W_h (2, 2), b (2,)}, limit=2.0).
    """
    return mark(CLIP_BY_VALUE, theirs)
