"""What the cells ask of their arguments: an error names the argument, what was expected, what came."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from .layer import Layer, Trace

NUMBERS = (np.float32, np.float64, np.complex64, np.complex128)


def numbers(name: str, value: object, **axes: int | None) -> np.ndarray:
    """`value` as an array of finite numbers whose axes are `axes`, such as T=None, N=4, D=3.

    None leaves the size of an axis open. Integers become float64. Raises TypeError for what is no
    array of numbers, ValueError for a wrong shape, an empty axis, NaN or infinity.

    >>> numbers("state", [[1, 2]], N=None, H=3)
    Traceback (most recent call last):
    ...
    ValueError: state: expected shape (N, H=3), got (1, 2)
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name}: expected an array, got a ragged sequence ({error})") from None
    if array.dtype.kind in "iu":
        array = array.astype(np.float64)
    if array.dtype.type not in NUMBERS:
        raise TypeError(
            f"{name}: expected float32, float64, integers or complex128, got dtype {array.dtype}"
        )
    sizes = tuple(axes.values())
    fits = array.shape == sizes or (
        array.ndim == len(sizes)
        and all(size in (None, got) for size, got in zip(sizes, array.shape, strict=True))
    )
    if not fits or 0 in array.shape:
        wanted = ", ".join(k if size is None else f"{k}={size}" for k, size in axes.items())
        none_empty = " with no empty axis" if fits else ""
        raise ValueError(f"{name}: expected shape ({wanted}){none_empty}, got {array.shape}")
    finite = np.isfinite(array)
    if np.count_nonzero(finite) < array.size:  # for few numbers quicker than .all()
        place = tuple(int(k) for k in np.argwhere(~finite)[0])
        raise ValueError(f"{name}: expected finite numbers, got {array[place]} at {place}")
    return array


def size(name: str, value: object) -> int:
    """`value` if it is an integer of at least 1: a number of units."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: expected an integer of at least 1, got {value!r}")
    if value < 1:
        raise ValueError(f"{name}: expected an integer of at least 1, got {value}")
    return int(value)


def boolean(name: str, value: object) -> bool:
    """`value` if it is True or False."""
    if not isinstance(value, bool | np.bool):
        raise TypeError(f"{name}: expected True or False, got {value!r}")
    return bool(value)


def choice(name: str, value: object, allowed: Iterable[str]) -> str:
    """`value` if it is one of `allowed`."""
    allowed = tuple(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def generator(rng: object) -> np.random.Generator:
    """`rng` if it is a NumPy generator: we never draw from a hidden, global one."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng: expected np.random.default_rng(seed), got {type(rng).__name__}")
    return rng


def working_dtype(x: np.ndarray, others: Iterable[np.ndarray]) -> np.dtype:
    """complex128 if anything is complex, else float32 if x is, else float64."""
    if any(array.dtype.kind == "c" for array in (x, *others)):
        return np.dtype(np.complex128)
    return np.dtype(np.float32 if x.dtype == np.float32 else np.float64)


def lengths_mask(lengths: object, T: int, N: int) -> np.ndarray | None:
    """mask (T, N), True while a sequence still runs; None when no lengths are given."""
    if lengths is None:
        return None
    lengths = np.asarray(lengths)
    if lengths.dtype.kind not in "iu":
        raise TypeError(f"lengths: expected integers, got dtype {lengths.dtype}")
    if lengths.shape != (N,):
        raise ValueError(f"lengths: expected shape (N={N},), got {lengths.shape}")
    outside = (lengths < 1) | (lengths > T)
    if outside.any():
        n = int(np.argmax(outside))
        raise ValueError(f"lengths: expected integers in 1..T={T}, got {lengths[n]} at ({n},)")
    return np.arange(T)[:, None] < lengths


def shaped_parameters(layer: Layer) -> dict[str, np.ndarray]:
    """The parameters of `layer`, each of the shape that `layer.shapes` asks for."""
    parameters = layer.parameters
    for name, shape in layer.shapes.items():
        if np.shape(parameters[name]) != shape:
            got = np.shape(parameters[name])
            raise ValueError(f"{name}: expected shape {shape}, got {got}")
    return parameters


def forward_arguments(
    cell: Layer, x: object, state: dict[str, object], lengths: object
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray | None, dict[str, np.ndarray]]:
    """x, the initial states, the mask and the parameters, all checked and of one dtype.

    `state` maps the name used in errors to (N, H) numbers, or to None for zeros.
    """
    x = numbers("x", x, T=None, N=None, D=cell.D)
    T, N, _ = x.shape
    given = {
        name: numbers(name, value, N=N, H=cell.H)
        for name, value in state.items()
        if value is not None
    }
    mask = lengths_mask(lengths, T, N)
    parameters = shaped_parameters(cell)
    dtype = working_dtype(x, (*given.values(), *parameters.values()))
    zeros = np.zeros((N, cell.H), dtype)
    return (
        x.astype(dtype, copy=False),
        [given.get(name, zeros).astype(dtype, copy=False) for name in state],
        mask,
        {name: p.astype(dtype, copy=False) for name, p in parameters.items()},
    )


def backward_arguments(
    cell: Layer, trace: Trace, kind: type, dh: object, dstate: dict[str, object]
) -> tuple[np.ndarray, list[np.ndarray], dict[str, np.ndarray]]:
    """dh, the gradients of the final states and the parameters, checked and of one dtype."""
    if not isinstance(trace, kind):
        raise TypeError(f"trace: expected {kind.__name__}, got {type(trace).__name__}")
    T, N, H = trace.h.shape
    dh = numbers("dh", dh, T=T, N=N, H=H)
    given = {
        name: numbers(name, value, N=N, H=H) for name, value in dstate.items() if value is not None
    }
    dtype = working_dtype(trace.h, (dh, *given.values()))
    zeros = np.zeros((N, H), dtype)
    return (
        dh.astype(dtype, copy=False),
        [given.get(name, zeros).astype(dtype, copy=False) for name in dstate],
        {name: p.astype(dtype, copy=False) for name, p in cell.parameters.items()},
    )


def pair(name: str, value: object) -> tuple[object, object]:
    """`value` as (h, c), the two halves of an LSTM's state; None stands for zeros."""
    if value is None:
        return None, None
    if not isinstance(value, tuple | list) or len(value) != 2:
        got = f"{len(value)} things" if isinstance(value, tuple | list) else type(value).__name__
        raise TypeError(f"{name}: expected a pair (h, c) of arrays (N, H), got {got}")
    return value[0], value[1]


def one_each(name: str, value: object, count: int) -> tuple:
    """`value` as one state for each of `count` layers; None stands for none given."""
    if value is None:
        return (None,) * count
    if not isinstance(value, tuple | list) or len(value) != count:
        got = f"{len(value)} things" if isinstance(value, tuple | list) else type(value).__name__
        raise TypeError(f"{name}: expected a tuple of {count}, one for each layer, got {got}")
    return tuple(value)


def no_state(name: str, value: object) -> None:
    """Nothing, for a layer that carries nothing from step to step."""
    if value is not None:
        raise TypeError(
            f"{name}: expected None, as this layer has no state, got {type(value).__name__}"
        )


@contextmanager
def inside(layer: str) -> Iterator[None]:
    """An error that comes out of a layer inside another one says which it was."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.args = (f"{layer}: {error}",)
        raise
