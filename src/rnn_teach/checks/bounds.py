"""How far a gradient gets: eigenvalues, singular values, and what they bound."""

from collections.abc import Callable

import numpy as np

from .marking import Task, Verdict, mark


def _square_matrices() -> list[tuple]:
    """A turn that grows (complex eigenvalues), a negative largest one, and noise."""
    rng = np.random.default_rng(6)
    turn = np.array([[0.3, -2.0, 0.0], [1.0, 0.3, 0.0], [0.5, 0.0, 1.1]])
    negative = np.array([[-1.5, 4.0], [0.0, 0.5]])
    return [(turn,), (negative,), (rng.normal(size=(4, 4)),)]


SPECTRAL_RADIUS = Task(
    "spectral_radius",
    results=("radius",),
    right=lambda W: np.abs(np.linalg.eigvals(W)).max(),
    cases=_square_matrices,
    lines={
        "values": lambda W: np.linalg.eigvals(W),
        "radius": lambda values: np.abs(values).max(),
    },
    wrong={
        "this is the largest singular value": {"radius": lambda W: np.linalg.norm(W, 2)},
        "the absolute value is missing: an eigenvalue may be negative or complex": {
            "radius": lambda values: values.real.max()
        },
        "only the real part counts here: take the absolute value of the complex number": {
            "radius": lambda values: np.abs(values.real).max()
        },
        "this is the first eigenvalue: they are not sorted": {
            "radius": lambda values: abs(values[0])
        },
        "this is the smallest absolute value": {"radius": lambda values: np.abs(values).min()},
        "the absolute values are added up": {"radius": lambda values: np.abs(values).sum()},
        "this is the Frobenius norm": {"radius": lambda W: np.linalg.norm(W)},
        "this is the largest entry of W": {"radius": lambda W: np.abs(W).max()},
        "the eigenvalues are those of W^T W: this is the largest singular value squared": {
            "radius": lambda W: np.linalg.norm(W, 2) ** 2
        },
    },
)


def spectral_radius(theirs: Callable) -> Verdict:
    """Mark rho(W) = max |eigenvalue of W|: how fast W^k grows in the long run.

    Arguments: theirs(W (H, H)) -> a number.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> spectral_radius(lambda W: np.linalg.norm(W, 2))  # doctest: +ELLIPSIS
    spectral_radius is wrong. Most likely: this is the largest singular value.
    ...
    """
    return mark(SPECTRAL_RADIUS, theirs)


def _matrices() -> list[tuple]:
    rng = np.random.default_rng(7)
    return [*_square_matrices()[:1], (rng.normal(size=(3, 5)),)]


LARGEST_SINGULAR_VALUE = Task(
    "largest_singular_value",
    results=("value",),
    right=lambda W: np.linalg.norm(W, 2),
    cases=_matrices,
    lines={
        "values": lambda W: np.linalg.svd(W, compute_uv=False),
        "value": lambda values: values.max(),
    },
    wrong={
        "this is the spectral radius, the largest |eigenvalue|": {
            "value": lambda W: np.abs(np.linalg.eigvals(W)).max()
        },
        "the root is missing: this is an eigenvalue of W^T W": {
            "value": lambda values: values.max() ** 2
        },
        "this is the Frobenius norm: the root of the sum of all squares": {
            "value": lambda W: np.linalg.norm(W)
        },
        "this is the smallest singular value": {"value": lambda values: values.min()},
        "all singular values are returned": {"value": lambda values: values},
        "the singular values are added up": {"value": lambda values: values.sum()},
        "this is the largest entry of W": {"value": lambda W: np.abs(W).max()},
        "this is the largest sum along a row of |W|": {
            "value": lambda W: np.abs(W).sum(axis=1).max()
        },
        "this is the largest sum along a column of |W|": {
            "value": lambda W: np.abs(W).sum(axis=0).max()
        },
    },
)


def largest_singular_value(theirs: Callable) -> Verdict:
    """Mark sigma_max(W) = max ||v W|| / ||v||: how much W can stretch a vector in one step.

    Arguments: theirs(W (H, K)) -> a number.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> largest_singular_value(lambda W: np.sqrt(np.linalg.eigvalsh(W.T @ W)[-1]))
    largest_singular_value is right.
    """
    return mark(LARGEST_SINGULAR_VALUE, theirs)


def _bound_cases() -> list[tuple]:
    return [
        (W, bound, k) for (W,), bound, k in zip(_square_matrices(), (0.25, 1.0, 0.5), (3, 5, 1))
    ]


GRADIENT_BOUND = Task(
    "gradient_bound",
    results=("limit",),
    right=lambda W_h, bound, k: (bound * np.linalg.norm(W_h, 2)) ** k,
    cases=_bound_cases,
    lines={
        "size": lambda W_h: np.linalg.norm(W_h, 2),
        "limit": lambda size, bound, k: (bound * size) ** k,
    },
    wrong={
        "the spectral radius is no bound: it is the largest singular value that is": {
            "size": lambda W_h: np.abs(np.linalg.eigvals(W_h)).max()
        },
        "the slope's bound is left out: each step multiplies by it, too": {
            "limit": lambda size, k: size**k
        },
        "the slope's bound counts once: each of the k steps multiplies by it": {
            "limit": lambda size, bound, k: bound * size**k
        },
        "the factor is multiplied by k: k steps multiply by it k times, a power": {
            "limit": lambda size, bound, k: k * bound * size
        },
        "off by one: k - 1 in place of k": {
            "limit": lambda size, bound, k: (bound * size) ** (k - 1)
        },
        "off by one: k + 1 in place of k": {
            "limit": lambda size, bound, k: (bound * size) ** (k + 1)
        },
        "the Frobenius norm stands where the largest singular value belongs": {
            "size": lambda W_h: np.linalg.norm(W_h)
        },
        "it is divided by the slope's bound, not multiplied": {
            "limit": lambda size, bound, k: (size / bound) ** k
        },
    },
)


def gradient_bound(theirs: Callable) -> Verdict:
    """Mark (bound sigma_max(W_h))^k, which the gradient cannot exceed k steps back.

    Arguments: theirs(W_h (H, H), bound, k) -> a number; bound is the largest slope of the
    activation: 1 for tanh, 1/4 for the sigmoid.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Pascanu, Mikolov & Bengio 2013.

    >>> gradient_bound(lambda W_h, bound, k: bound * np.linalg.norm(W_h, 2) ** k)  # doctest: +ELLIPSIS
    gradient_bound is wrong. Most likely: the slope's bound counts once: ...
    """
    return mark(GRADIENT_BOUND, theirs)


HALF_LIFE = Task(
    "half_life",
    results=("k",),
    right=lambda rate: np.log(0.5) / np.log(rate),
    cases=lambda: [(0.9,), (0.99,), (0.3,)],
    lines={"k": lambda rate: np.log(0.5) / np.log(rate)},
    wrong={
        "it is upside down: k = ln(1/2) / ln(rate)": {"k": lambda rate: np.log(rate) / np.log(0.5)},
        "the sign is wrong: ln(1/2) is negative, and so is ln(rate)": {
            "k": lambda rate: np.log(2) / np.log(rate)
        },
        "this is when 1/e is left, not 1/2": {"k": lambda rate: -1 / np.log(rate)},
        "half is not lost at an even pace: what is left shrinks, so the losses do too": {
            "k": lambda rate: 0.5 / (1 - rate)
        },
        "the logarithms have two bases": {"k": lambda rate: np.log2(0.5) / np.log10(rate)},
        "the result is rounded: half a step is allowed": {
            "k": lambda rate: np.ceil(np.log(0.5) / np.log(rate))
        },
        "the result is cut to a whole number: half a step is allowed": {
            "k": lambda rate: np.floor(np.log(0.5) / np.log(rate))
        },
        "this is what is left, not after how many steps": {"k": lambda rate: rate / 2},
    },
)


def half_life(theirs: Callable) -> Verdict:
    """Mark k = ln(1/2) / ln(rate), the number of steps after which rate^k = 1/2 is left.

    Arguments: theirs(rate), a number between 0 and 1 -> k, not rounded.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> half_life(lambda rate: np.log(rate) / np.log(0.5))
    half_life is wrong. Most likely: it is upside down: k = ln(1/2) / ln(rate).
    k is 0.15200309, expected 6.5788135.
    Called as half_life(rate=0.9).
    """
    return mark(HALF_LIFE, theirs)
