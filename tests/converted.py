"""Layers for the tests of `convert`, and what it means that two are the same."""

import numpy as np
from cases import cell_of, frozen

from rnn_teach.bidirectional import Bidirectional
from rnn_teach.deep import Chain

PEEPHOLES = ("LSTM-peephole", "LSTM-peephole-coupled")
VARIANTS = ("LSTM", "LSTM-coupled", *PEEPHOLES, "GRU-after", "GRU-before")
T, N, D, H = 7, 3, 3, 4


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def sequences() -> np.ndarray:
    return frozen(rng(1).normal(size=(T, N, D)))


def stack(kind: str, depth: int = 1, both: bool = False, **options):
    """`depth` layers of a kind, each in one direction or in both; no bias is zero."""
    draw, layers, D_k = rng(), [], D
    for _ in range(depth):
        cells = [cell_of(kind, D_k, H, draw) for _ in range(1 + both)]
        layers.append(Bidirectional(*cells, **options) if both else cells[0])
        D_k = layers[-1].H
    return layers[0] if depth == 1 else Chain(layers)


def build(layer) -> object:
    """All of a layer but its numbers."""
    if isinstance(layer, Chain):
        return [build(part) for part in layer.layers]
    if isinstance(layer, Bidirectional):
        return layer.merge, layer.align, build(layer.forward_layer), build(layer.backward_layer)
    option = ("nonlinearity", "reset", "peephole", "coupled")
    return type(layer), layer.D, layer.H, {name: getattr(layer, name, None) for name in option}


def assert_same(got, expected) -> None:
    """The same layer to the bit, in memory of its own and laid out row by row."""
    assert build(got) == build(expected)
    assert got.parameters.keys() == expected.parameters.keys()
    for name, p in expected.parameters.items():
        q = got.parameters[name]
        assert q.dtype == p.dtype and q.shape == p.shape and q.tobytes() == p.tobytes(), name
        assert q.flags.c_contiguous and q.flags.writeable and q.flags.owndata, name
        assert not np.shares_memory(p, q), name


def assert_close(got, expected, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


def changed(arrays: dict, **changes) -> dict:
    """A copy of a dict with some entries replaced, or left out if None."""
    return {key: a for key, a in (arrays | changes).items() if a is not None}
