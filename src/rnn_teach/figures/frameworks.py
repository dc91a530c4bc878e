"""Chapter 17's other programs: what PyTorch, Keras and ONNX compute from our weights, or once have."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest import mock

import numpy as np

from ..bptt import Network, Readout
from ..cells import GRU, LSTM, RNN, Layer
from ..convert import from_onnx, to_keras, to_torch, write_onnx
from ..training import Adam, fit, linear_decay
from .language import Data

Case = tuple[Layer, np.ndarray]  # a layer and what it reads, x (T, N, D)
BUILDS = {
    "RNN": (RNN, {}),
    "LSTM": (LSTM, {}),
    "GRU": (GRU, {}),
    "GRU, reset before": (GRU, {"reset": "before"}),
    "trained LSTM": (LSTM, {}),
}
LACKING = {("PyTorch", "GRU, reset before")}  # it has no such layer
TOLERANCE = 1e-6
STORED = files("rnn_teach") / "data" / "frameworks.npz"


# Run ------------------------------------------------------------------------------------------


def in_torch(layer: Layer, x: np.ndarray) -> tuple[str, np.ndarray]:
    """PyTorch's version, and the states (T, N, H) it makes of our weights."""
    import torch

    module = getattr(torch.nn, type(layer).__name__)(layer.D, layer.H).double()
    weights = {key: torch.from_numpy(a) for key, a in to_torch(layer).items()}
    module.load_state_dict(weights)
    with torch.no_grad():
        return torch.__version__, module(torch.tensor(x))[0].numpy()


def in_keras(layer: Layer, x: np.ndarray) -> tuple[str, np.ndarray]:
    """The same for Keras, which puts the sequences before the steps: x and h are turned around."""
    keras = _keras()
    name = "SimpleRNN" if isinstance(layer, RNN) else type(layer).__name__
    options = {"reset_after": layer.reset == "after"} if isinstance(layer, GRU) else {}
    there = getattr(keras.layers, name)(layer.H, return_sequences=True, dtype="float64", **options)
    there.build((None, None, layer.D))
    there.set_weights(to_keras(layer))
    with warnings.catch_warnings():
        # Keras 3.15 hands PyTorch's arrays to NumPy in a way that NumPy 2 will not know for ever
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        h = keras.ops.convert_to_numpy(there(x.swapaxes(0, 1)))
    return keras.__version__, h.swapaxes(0, 1)


def in_onnx(layer: Layer, x: np.ndarray) -> tuple[str, np.ndarray]:
    """The same for ONNX: a model file is written, and run by the evaluator that ONNX brings."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    with TemporaryDirectory() as folder:
        path = Path(folder) / "layer.onnx"
        write_onnx(layer, path)
        (h,) = ReferenceEvaluator(onnx.load(path)).run(None, {"x": np.array(x)})
    return onnx.__version__, h


PROGRAMS = {"PyTorch": in_torch, "Keras": in_keras, "ONNX": in_onnx}


def installed(package: str) -> bool:
    """Whether a package can be imported here.

    >>> installed("numpy"), installed("no_such_package")
    (True, False)
    """
    return find_spec(package) is not None


def read_onnx(path: str | os.PathLike) -> Layer:
    """The one layer in a model file of ``write_onnx``."""
    import onnx

    graph = onnx.load(path).graph
    node = next(node for node in graph.node if node.op_type in ("RNN", "LSTM", "GRU"))
    arrays = {a.name: onnx.numpy_helper.to_array(a) for a in graph.initializer}
    inputs = dict(zip("WRB", (arrays[name] for name in node.input[1:4]), strict=True))
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return from_onnx(node.op_type, inputs, attributes)[0]


def _keras():
    """Keras, on PyTorch unless you have chosen; its settings file goes into a folder that goes."""
    with TemporaryDirectory() as folder:
        ours = {"KERAS_BACKEND": "torch", "KERAS_HOME": folder}
        with mock.patch.dict(os.environ, ours | dict(os.environ)):
            import keras
    return keras


# Compared -------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A layer in a program: how far its states are from ours, at the worst place."""

    program: str
    layer: str
    version: str
    source: str  # "live": computed just now, from these weights; "stored": from the stored ones
    difference: float


def small() -> dict[str, Case]:
    """Four layers with 3 inputs and 4 units in which no parameter is 0, and noise for them to read.

    No two axes are equally long, so that none can be taken for another.
    """
    rng = np.random.default_rng(17)
    cases = {}
    for name, (kind, options) in BUILDS.items():
        if name != "trained LSTM":
            layer = kind(3, 4, rng=rng, **options)
            for p in layer.parameters.values():
                p[...] = rng.normal(size=p.shape) / 2
            cases[name] = layer, rng.normal(size=(6, 2, 3))
    return cases


def compare(cases: dict[str, Case]) -> list[Row]:
    """The states that every program computes from these layers, beside ours.

    A program that is not installed is compared with by what it gave when the stored file was made,
    for the layer of this name in that file. ``cases`` are named as in ``BUILDS``.
    """
    rows = []
    for program, run in PROGRAMS.items():
        for name, (layer, x) in cases.items():
            if (program, name) in LACKING:
                continue
            try:
                (version, theirs), source = run(layer, x), "live"
            except ImportError:
                (layer, x), source = stored_case(name), "stored"
                version, theirs = stored_states(program, name)
            apart = float(np.abs(layer.forward(x).h - theirs).max())
            rows.append(Row(program, name, version, source, apart))
    return rows


def agree(rows: Iterable[Row]) -> dict[str, bool]:
    """For each program whether all its layers gave our numbers to within 1e-6.

    >>> agree([Row("ONNX", "GRU", "1", "live", 1e-9), Row("ONNX", "RNN", "1", "live", 0.1)])
    {'ONNX': False}
    """
    rows = list(rows)
    worst = {row.program: [] for row in rows}
    for row in rows:
        worst[row.program].append(row.difference)
    return {program: max(apart) <= TOLERANCE for program, apart in worst.items()}


def table(rows: Iterable[Row]) -> str:
    """The rows as text."""
    lines = [f"{'program':8} {'layer':18} {'version':12} {'':7} {'largest difference':>18}"]
    for program, layer, version, source, apart in rows:
        lines.append(f"{program:8} {layer:18} {version:12} {source:7} {apart:18.0e}")
    return "\n".join(lines)


# Stored ---------------------------------------------------------------------------------------


def store(cases: dict[str, Case], path: Path) -> None:
    """Write the layers, what they read and what every program makes of it, with its version.

    Weights are rounded to float32 first, which halves the file; what is computed is float64.
    Raises ImportError if a program is missing.
    """
    arrays = {}
    for name, (layer, x) in cases.items():
        for parameter, p in layer.parameters.items():
            arrays[f"{name}/{parameter}"] = p.astype(np.float32)
            p[...] = arrays[f"{name}/{parameter}"]
        arrays[f"{name}/x"] = x
        for program, run in PROGRAMS.items():
            if (program, name) not in LACKING:
                arrays[f"{program}/version"], arrays[f"{name}/{program}"] = run(layer, x)
    np.savez_compressed(path, **arrays)


def _stored() -> dict[str, np.ndarray]:
    with as_file(STORED) as path, np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def stored_case(name: str) -> Case:
    """The layer and its input of this name in the stored file."""
    arrays = _stored()
    kind, options = BUILDS[name]
    D, H = len(arrays[f"{name}/W_x"]), len(arrays[f"{name}/W_h"])
    layer = kind(D, H, rng=np.random.default_rng(0), **options)
    for parameter, p in layer.parameters.items():
        p[...] = arrays[f"{name}/{parameter}"]
    return layer, arrays[f"{name}/x"]


def stored_states(program: str, name: str) -> tuple[str, np.ndarray]:
    """The version of a program and the states that it gave for the stored layer of this name."""
    arrays = _stored()
    return str(arrays[f"{program}/version"]), arrays[f"{name}/{program}"]


# Trained --------------------------------------------------------------------------------------


def train(data: Data, *, rng: np.random.Generator, steps: int = 300) -> Network:
    """A character LSTM with 24 units, trained on given names in a few seconds."""
    K, H = data.vocabulary.size, 24
    network = Network(LSTM(K, H, rng=rng), Readout(H, K, rng=rng))
    optimizer = Adam(linear_decay(2e-2, steps=steps))
    fit(network, data.batches, steps=steps, optimizer=optimizer, clip=1.0)
    return network
