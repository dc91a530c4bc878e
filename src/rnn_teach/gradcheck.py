"""Two independent ways to find a gradient wrong: central differences and the complex step.

Both compare one number, the slope of a loss along a random direction, with the same number made of
the gradient under test. A wrong gradient agrees along a random direction only by a miracle.
"""

import copy
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

Arrays = dict[str, np.ndarray]
Model = TypeVar("Model")  # anything with a dict `parameters`


class Report(NamedTuple):
    """The parameter whose gradient agrees worst, and both slopes along the worst direction."""

    name: str
    error: float  # relative
    numeric: float  # the oracle's
    analytic: float  # the sum of gradient times direction


def central_difference(
    f: Callable[[Arrays], float],
    params: Arrays,
    grads: Arrays,
    *,
    rng: np.random.Generator,
    eps: float = 1e-5,
    directions: int = 3,
) -> Report:
    """Compare grads with (f(p + eps v) - f(p - eps v)) / (2 eps) along random directions v.

    The error of the quotient itself is of the order eps^2 from the curvature and 1e-16/eps from
    rounding: eps = 1e-5 leaves about ten good digits. Each parameter is moved alone.

    Arguments: f, from a dict of arrays to a scalar; params, where to check (made float64); grads,
    by the same names (others are ignored); rng, where directions (unit length) come from; eps, the
    length of a step; directions, how many for each parameter.
    Returns the worst `Report`; its error is relative to the larger slope, or to the typical slope
    of this gradient along a random direction if that is larger still.
    Raises KeyError or ValueError if grads lacks a parameter or has it in another shape.
    Source: Goodfellow, Bengio & Courville 2016, chapter 11.

    >>> rng = np.random.default_rng(0)
    >>> report = central_difference(
    ...     lambda p: (p["w"] ** 2).sum(), {"w": np.ones(3)}, {"w": 2 * np.ones(3)}, rng=rng
    ... )
    >>> report.error < 1e-9
    True
    """

    def slope(params: Arrays, name: str, v: np.ndarray) -> float:
        ahead = f({**params, name: params[name] + eps * v})
        behind = f({**params, name: params[name] - eps * v})
        return (ahead - behind) / (2 * eps)

    return _worst(slope, params, grads, rng, directions)


def complex_step(
    f: Callable[[Arrays], complex],
    params: Arrays,
    grads: Arrays,
    *,
    rng: np.random.Generator,
    directions: int = 3,
) -> Report:
    """Compare grads with Im f(p + i s v) / s, where s = 1e-30.

    f(p + i s v) = f(p) + i s f'(p) v - ...: the slope is the imaginary part, nothing is
    subtracted, so nothing is lost and s can be as small as you like: all 15 digits count.

    Arguments and result as in `central_difference`; f must let complex numbers through.
    Raises TypeError if f gives a real number back: somewhere it dropped the imaginary part.
    Source: Squire & Trapp 1998.

    >>> rng = np.random.default_rng(0)
    >>> report = complex_step(
    ...     lambda p: (p["w"] ** 2).sum(), {"w": np.ones(3)}, {"w": 2 * np.ones(3)}, rng=rng
    ... )
    >>> report.error < 1e-14
    True
    """
    s = 1e-30

    def slope(params: Arrays, name: str, v: np.ndarray) -> float:
        value = f({**params, name: params[name] + 1j * s * v})
        if not np.iscomplexobj(value):
            raise TypeError(f"f: expected a complex number for a complex {name}, got {value!r}")
        return value.imag / s

    return _worst(slope, params, grads, rng, directions)


def check(
    f: Callable[[Arrays], complex],
    params: Arrays,
    grads: Arrays,
    *,
    rng: np.random.Generator,
    central_tolerance: float = 1e-7,
    complex_tolerance: float = 1e-12,
) -> tuple[Report, Report]:
    """Ask both oracles; returns both reports.

    Arguments as in `central_difference`, and the largest relative error each oracle may find.
    Raises AssertionError with the worst parameter and both numbers if the gradient is wrong.

    >>> rng = np.random.default_rng(0)
    >>> check(lambda p: p["w"] ** 2, {"w": np.array(3.0)}, {"w": np.array(3.0)}, rng=rng)
    Traceback (most recent call last):
    ...
    AssertionError: central difference: the slope along w is 6, the gradient says 3 (relative error 5.0e-01)
    """
    reports = []
    for oracle, tolerance in (
        (central_difference, central_tolerance),
        (complex_step, complex_tolerance),
    ):
        report = oracle(f, params, grads, rng=rng)
        if not report.error <= tolerance:
            name = oracle.__name__.replace("_", " ")
            raise AssertionError(
                f"{name}: the slope along {report.name} is {report.numeric:.10g}, "
                f"the gradient says {report.analytic:.10g} (relative error {report.error:.1e})"
            )
        reports.append(report)
    return tuple(reports)


def with_parameters(model: Model, params: Arrays) -> Model:
    """A copy of a cell or a network with other parameters; the model itself stays as it is.

    Arguments: model, anything with a dict `parameters`; params, by the same names ("W_h",
    "cell.W_h"), names that the model does not have are ignored. What stands before a dot is an
    attribute, or an entry of the dict `parts` if the model has one.

    >>> from rnn_teach.cells import RNN
    >>> cell = RNN(2, 3, rng=np.random.default_rng(0))
    >>> with_parameters(cell, {"b": np.ones(3)}).b, cell.b
    (array([1., 1., 1.]), array([0., 0., 0.]))
    """
    model = copy.deepcopy(model)
    for name in model.parameters.keys() & params.keys():
        *path, attribute = name.split(".")
        owner = model
        for part in path:
            owner = owner.parts[part] if hasattr(owner, "parts") else getattr(owner, part)
        setattr(owner, attribute, params[name])
    return model


def _worst(
    slope: Callable, params: Arrays, grads: Arrays, rng: np.random.Generator, directions: int
) -> Report:
    params = {name: np.asarray(p, np.float64) for name, p in params.items()}
    reports = []
    for name, p in params.items():
        gradient = np.asarray(grads[name])
        if gradient.shape != p.shape:
            raise ValueError(f"grads[{name!r}]: expected shape {p.shape}, got {gradient.shape}")
        typical = np.linalg.norm(gradient) / np.sqrt(p.size)
        for _ in range(directions):
            v = rng.normal(size=p.shape)
            v /= np.linalg.norm(v)
            numeric, analytic = float(slope(params, name, v)), float((gradient * v).sum())
            scale = max(abs(numeric), abs(analytic), typical)
            error = float(abs(numeric - analytic) / scale) if scale else 0.0
            reports.append(Report(name, error, numeric, analytic))
    # NaN is the worst there is, and max() alone would overlook it
    return max(reports, key=lambda report: np.nan_to_num(report.error, nan=np.inf))
