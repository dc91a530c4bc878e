"""A run kept in a file, so that it can go on later as if it had never stopped."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]
FORMAT = 1
BROKEN = (
    AttributeError,
    EOFError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


class Checkpoint(NamedTuple):
    """All that the next update depends on, besides the batches; and the history so far."""

    step: int  # updates made
    parameters: Arrays
    optimizer: Arrays  # its averages and its count
    stopping: Arrays  # what early stopping remembers; empty without it
    state: Any  # in which the last batch ended: an array, a tuple of such, or None
    rng: dict | None  # of the generator's bit generator
    loss: np.ndarray  # (step,)
    grad_norm: np.ndarray  # (step,)


def save(path: str | os.PathLike, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint`` to ``path``, a NumPy ``.npz`` that holds numbers and text, no Python objects.

    The file appears whole or not at all: whoever pulls the plug finds the one before.

    >>> from tempfile import TemporaryDirectory
    >>> nothing = Checkpoint(0, {}, {}, {}, None, None, np.empty(0), np.empty(0))
    >>> with TemporaryDirectory() as folder:
    ...     save(Path(folder) / "run.npz", nothing._replace(step=3, parameters={"w": np.ones(2)}))
    ...     load(Path(folder) / "run.npz").parameters
    {'w': array([1., 1.])}
    """
    arrays: Arrays = {}
    for group in ("parameters", "optimizer", "stopping"):
        for name, array in getattr(checkpoint, group).items():
            arrays[f"{group}/{name}"] = array
    leaves: list[np.ndarray] = []
    about = {
        "format": FORMAT,
        "step": checkpoint.step,
        "state": _shape(checkpoint.state, leaves),
        "rng": checkpoint.rng,
    }
    arrays |= {f"state/{k}": leaf for k, leaf in enumerate(leaves)}
    arrays |= {"loss": checkpoint.loss, "grad_norm": checkpoint.grad_norm}
    arrays["about"] = np.array(json.dumps(about, default=np.ndarray.tolist))
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
    partial.replace(path)


def load(path: str | os.PathLike) -> Checkpoint:
    """Return what ``save`` wrote to ``path``. Nothing in the file is ever executed.

    Raises FileNotFoundError if there is none, ValueError for a file that ``save`` has not written.

    >>> load("no such file.npz")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'no such file.npz'
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(str(arrays["about"]))
        if about["format"] != FORMAT:
            raise ValueError(f"format {FORMAT} expected, got {about['format']}")
        groups = {
            group: {
                name.removeprefix(f"{group}/"): array
                for name, array in arrays.items()
                if name.startswith(f"{group}/")
            }
            for group in ("parameters", "optimizer", "stopping", "state")
        }
        leaves = iter([groups["state"][str(k)] for k in range(len(groups["state"]))])
        return Checkpoint(
            step=int(about["step"]),
            parameters=groups["parameters"],
            optimizer=groups["optimizer"],
            stopping=groups["stopping"],
            state=_filled(about["state"], leaves),
            rng=about["rng"],
            loss=arrays["loss"],
            grad_norm=arrays["grad_norm"],
        )
    except BROKEN as error:
        raise ValueError(
            f"checkpoint: expected a file that training has saved, got {os.fspath(path)!r} ({error})"
        ) from error


def fill(name: str, arrays: Arrays, saved: Arrays) -> None:
    """Overwrite ``arrays`` in place with ``saved``.

    Raises ValueError, before anything is overwritten, unless names, shapes and dtypes agree.

    >>> here = {"w": np.zeros(2)}
    >>> fill("parameters", here, {"w": np.ones(2)})
    >>> here
    {'w': array([1., 1.])}
    """
    if arrays.keys() != saved.keys():
        odd = min(arrays.keys() ^ saved.keys())
        where = "not in it" if odd in arrays else "not in this network"
        raise ValueError(f"checkpoint: expected the {name} of this network, but {odd!r} is {where}")
    for key, array in arrays.items():
        wanted, got = f"{array.shape} {array.dtype}", f"{saved[key].shape} {saved[key].dtype}"
        if wanted != got:
            raise ValueError(f"checkpoint: expected {key!r} to be {wanted}, got {got}")
    for key, array in arrays.items():
        array[...] = saved[key]


def _shape(state: Any, leaves: list[np.ndarray]) -> Any:
    """The nesting of ``state``, with 0 for each array; the arrays go to ``leaves``."""
    if state is None:
        return None
    if isinstance(state, tuple | list):
        return [_shape(part, leaves) for part in state]
    leaves.append(state)
    return 0


def _filled(shape: Any, leaves: Any) -> Any:
    """The other way round: ``shape`` with an array of ``leaves`` for each 0."""
    if isinstance(shape, list):
        return tuple(_filled(part, leaves) for part in shape)
    return None if shape is None else next(leaves)
